"""/admin: what only administrators change while the cloud runs; users, keys and dead letters have their own routes."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.resource import Resource
from cloud.operations.log_level import Level

router = Resource(prefix="/admin", tags=["admin"])
_EXAMPLE = {"level": "debug", "configured": "info", "changed": True}
_ERRORS = (401, 403, 422, 503)
_Word = Literal["debug", "info", "warning", "error"]


class LogLevelBody(BaseModel):
    """The least severe lines that are written."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"level": "debug"}})

    level: _Word


class LogLevelAnswer(BaseModel):
    """The level that holds, and the configured one."""

    level: str
    configured: str
    changed: bool


@router.get("/log-level", summary="Show the log level", responses=answers(_EXAMPLE, *_ERRORS))
async def show_log_level(_caller: Admin, services: ServicesDep) -> LogLevelAnswer:
    """Show from which level on all processes of this host log."""
    return _answer(await services.threads.run(lambda _: services.log_level.show()))


@router.put("/log-level", summary="Change the log level", responses=answers(_EXAMPLE, 400, 413, *_ERRORS))
async def change_log_level(body: LogLevelBody, caller: Admin, services: ServicesDep) -> LogLevelAnswer:
    """Let all processes of this host log from this level on, within a second, until it is restored."""
    return _answer(await services.threads.run(lambda _: services.log_level.change(body.level, by=caller.name)))


@router.delete("/log-level", summary="Restore the log level", responses=answers(_EXAMPLE, *_ERRORS))
async def restore_log_level(caller: Admin, services: ServicesDep) -> LogLevelAnswer:
    """Go back to the configured level."""
    return _answer(await services.threads.run(lambda _: services.log_level.restore(by=caller.name)))


def _answer(found: Level) -> LogLevelAnswer:
    return LogLevelAnswer(level=found.level, configured=found.configured, changed=found.is_changed)
