"""GET /health and its parts: whether this server and what it stands on do their work."""

from datetime import datetime
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel

from cloud.api.deps import Guest, ServicesDep
from cloud.api.document import NEEDS_NOBODY, answers
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime
from cloud.operations.health import Component, Health, Status

router = Resource(prefix="/health", tags=["health"])
_API_VERSION = "v1"
_AT = "2026-01-15T10:30:00Z"
_COMPONENTS = {
    "database": "healthy",
    "store": "healthy",
    "ingest": "healthy",
    "broker": "healthy",
    "cache": "healthy",
    "workers": "healthy",
    "circuits": "healthy",
    "redis": "healthy",
    "kafka": "healthy",
}
_EXAMPLE = {
    "status": "healthy",
    "version": "0.1.0",
    "api_version": "v1",
    "uptime_seconds": 86400,
    "database": "ok",
    "redis": "ok",
    "timestamp": _AT,
    "components": _COMPONENTS,
}
_DETAILED = {
    "status": "healthy",
    "timestamp": _AT,
    "version": "0.1.0",
    "uptime_seconds": 86400,
    "alarms": [],
    "components": {
        "database": {"status": "healthy", "details": {"connection_pool": "0/5 active", "response_time_ms": 0.4}},
        "store": {"status": "healthy", "details": {"readings": 86400, "free_share": 0.6}},
        "ingest": {"status": "healthy", "details": {"takes_readings": True}},
        "broker": {"status": "not_configured", "details": {}},
        "cache": {
            "status": "healthy",
            "details": {"mode": "embedded", "memory_usage": "0.1MB", "hit_rate": "85%", "response_time_ms": 0.1},
        },
        "workers": {"status": "healthy", "details": {"alive": 1}},
        "circuits": {"status": "healthy", "details": {"open": 0}},
    },
}


class HealthAnswer(BaseModel):
    """The whole in one word, and each part in one."""

    status: Status
    version: str
    api_version: str
    uptime_seconds: int
    database: Literal["ok", "error"]
    redis: Literal["ok", "error"]
    timestamp: datetime
    components: dict[str, Status]


class ComponentAnswer(BaseModel):
    """One part and what is known of it."""

    status: Status
    details: dict[str, Any]


class DetailedHealth(BaseModel):
    """Every part with its facts, and what an operator must see to."""

    status: Status
    timestamp: datetime
    version: str
    uptime_seconds: int
    alarms: list[str]
    components: dict[str, ComponentAnswer]


class DatabaseHealth(BaseModel):
    """Whether the records can be reached."""

    db_status: Literal["connected", "disconnected"]


class CacheHealth(BaseModel):
    """The store of counters; without Redis it is embedded."""

    status: Status
    info: dict[str, str]


class Alive(BaseModel):
    """This process answers."""

    status: Literal["alive"]


@router.get("", summary="Health of the whole", responses=answers(_EXAMPLE, 503))
async def health(services: ServicesDep, response: Response) -> HealthAnswer:
    """Answer 503 when nothing can be answered; `degraded`: a part is not well and readings can still be read.

    `kafka` stands for our broker of messages, `redis` for the store of counters, which is embedded without Redis.
    """
    found = await services.doctor.examine()
    response.status_code = _code(found.status)
    words = {name: component.status for name, component in found.components.items()}
    return HealthAnswer(
        status=found.status,
        version=services.version,
        api_version=_API_VERSION,
        uptime_seconds=int(found.uptime_s),
        database="ok" if words["database"] is Status.HEALTHY else "error",
        redis="ok" if words["cache"] is Status.HEALTHY else "error",
        timestamp=to_datetime(found.at_us),
        components=words | {"redis": words["cache"], "kafka": words["broker"]},
    )


@router.get("/live", summary="Is this process alive", responses=answers({"status": "alive"}))
async def live() -> Alive:
    """Whether this process answers, whatever it stands on: for whoever restarts it."""
    return Alive(status="alive")


@router.get("/db", summary="Health of the records", responses=answers({"db_status": "connected"}, 503))
async def database(services: ServicesDep, response: Response) -> DatabaseHealth:
    """Whether the records' database answers."""
    found = await services.doctor.database()
    response.status_code = _code(found.status)
    return DatabaseHealth(db_status="connected" if found.status is Status.HEALTHY else "disconnected")


@router.get(
    "/redis",
    summary="Health of the store of counters",
    responses=answers({"status": "healthy", "info": {"mode": "embedded"}}, 503),
)
async def cache(services: ServicesDep, response: Response) -> CacheHealth:
    """Show whichever store of counters is configured; `embedded` without Redis, 503 where Redis does not answer."""
    found = await services.doctor.cache()
    is_well = found.status is Status.HEALTHY
    response.status_code = 200 if is_well else 503
    return CacheHealth(
        status=Status.HEALTHY if is_well else Status.UNHEALTHY, info={"mode": str(found.details["mode"])}
    )


@router.get(
    "/detailed",
    summary="Health of every part",
    responses=answers(_DETAILED, 503),
    openapi_extra=NEEDS_NOBODY,
)
async def detailed(services: ServicesDep, response: Response, guest: Guest) -> DetailedHealth:
    """Each part with its facts and the alarms; what names hosts, engines or causes is shown to callers with a key."""
    found = await services.doctor.examine()
    response.status_code = _code(found.status)
    return _detailed(found, version=services.version, is_known=guest is not None)


def _detailed(found: Health, *, version: str, is_known: bool) -> DetailedHealth:
    return DetailedHealth(
        status=found.status,
        timestamp=to_datetime(found.at_us),
        version=version,
        uptime_seconds=int(found.uptime_s),
        alarms=list(found.alarms),
        components={name: _component(part, is_known=is_known) for name, part in found.components.items()},
    )


def _component(part: Component, *, is_known: bool) -> ComponentAnswer:
    details = dict(part.details)
    if is_known:
        details |= part.private
        details |= {"problem": part.problem} if part.problem else {}
    return ComponentAnswer(status=part.status, details=details)


def _code(status: Status) -> int:
    return 503 if status is Status.UNHEALTHY else 200
