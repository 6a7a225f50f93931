"""/rollouts: models on their way to gateways, group by group: start, look, pause, resume, approve, roll back."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import ModelReader, ModelWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.rollout_answers import (
    ROLLOUT_EXAMPLE,
    STORY_EXAMPLE,
    RolloutAnswer,
    RolloutStory,
    rollout_answer,
    rollout_story,
)
from cloud.api.scalars import WHOLE, Number, Truth
from cloud.domain.rollout import Rollout, Rules
from cloud.fleet.rollouts import Whereto
from cloud.services import Services, Views
from protocols.wanted import Phase

router = Resource(prefix="/rollouts", tags=["rollouts"])
_ERRORS = (401, 403, 404, 409, 422, 503)
_DEFAULT = Rules()
Patterns = Annotated[list[str], Field(max_length=1000)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Seconds = Annotated[Number, Field(ge=0, le=2_592_000)]


class NewRollout(BaseModel):
    """What shall go where, and what is asked of each group; patterns of names know `*` and `?`.

    groups: how many percent of the gateways have been told once each group has begun; phase `shadow`: judge beside the
    serving model and stay there; devices absent: those that the model learned from, all for a model of the fleet.
    """

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[int, Field(ge=1), WHOLE] | None = None
    gateways: Patterns = ["*"]
    devices: Patterns = []
    groups: Annotated[list[Number], Field(min_length=1, max_length=20)] = list(_DEFAULT.groups)
    success_percent: Percent = _DEFAULT.success_percent
    error_percent: Percent = _DEFAULT.error_percent
    soak_s: Seconds = _DEFAULT.soak_s
    answer_s: Seconds = _DEFAULT.answer_s
    away_s: Seconds = _DEFAULT.away_s
    max_over: Annotated[Number, Field(gt=0, le=1)] = _DEFAULT.max_over
    min_agreement: Annotated[Number, Field(ge=0, le=1)] = _DEFAULT.min_agreement
    min_rows: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = _DEFAULT.min_rows
    shadow_rows: Annotated[int, Field(ge=0, le=10_000_000), WHOLE] = _DEFAULT.shadow_rows
    phase: Phase = _DEFAULT.phase
    needs_approval: Truth = False

    def rules(self) -> Rules:
        """Return what is asked of each group."""
        told = self.model_dump(exclude={"model", "version", "gateways", "devices", "groups"})
        return Rules(groups=tuple(self.groups), **told)


class Reason(BaseModel):
    """Why; may be left out."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=1000)] = ""


@router.get("", summary="List rollouts", responses=answers([ROLLOUT_EXAMPLE], 401, 403, 422, 503))
async def list_rollouts(
    request: Request,
    response: Response,
    _caller: ModelReader,
    services: ServicesDep,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[RolloutAnswer]:
    """All rollouts, the newest first; `X-Total-Count` says how many there are."""

    def look(_: Views) -> tuple[list[RolloutAnswer], int]:
        found, total = services.rollouts.list(limit=limit, offset=offset)
        return [rollout_answer(*services.rollouts.get(one.id)) for one in found], total

    shown, total = await services.threads.run(look)
    tell_pages(total, request, response, limit=limit, offset=offset)
    return shown


@router.post("", summary="Start a rollout", responses=answers(STORY_EXAMPLE, *_ERRORS))
async def start_rollout(wish: NewRollout, caller: ModelWriter, services: ServicesDep) -> RolloutStory:
    """Sign the version if need be and bring it to the gateways; open rollouts of the same devices are superseded."""

    def start(views: Views) -> RolloutStory:
        version = services.models.publish(wish.model, wish.version, by=caller.name)
        started = services.rollouts.start(
            version.model,
            version.version,
            rules=wish.rules(),
            whereto=Whereto(tuple(wish.gateways), tuple(wish.devices)),
            fleet=views.standings.all(),
            by=caller.name,
        )
        return rollout_story(*services.rollouts.get(started.id))

    return await services.threads.run(start)


@router.get("/{rollout_id}", summary="Show one rollout", responses=answers(STORY_EXAMPLE, *_ERRORS))
async def show_rollout(rollout_id: str, _caller: ModelReader, services: ServicesDep) -> RolloutStory:
    """Show a rollout with the verdict on every device."""
    return await services.threads.run(lambda _: rollout_story(*services.rollouts.get(rollout_id)))


@router.post("/{rollout_id}/pause", summary="Pause a rollout", responses=answers(ROLLOUT_EXAMPLE, *_ERRORS))
async def pause_rollout(rollout_id: str, caller: ModelWriter, services: ServicesDep) -> RolloutAnswer:
    """Let no new group begin; too many failures stop it all the same."""
    return await _done(services, lambda: services.rollouts.pause(rollout_id, by=caller.name))


@router.post("/{rollout_id}/resume", summary="Go on after a pause", responses=answers(ROLLOUT_EXAMPLE, *_ERRORS))
async def resume_rollout(rollout_id: str, caller: ModelWriter, services: ServicesDep) -> RolloutAnswer:
    """Let groups begin again."""
    return await _done(services, lambda: services.rollouts.resume(rollout_id, by=caller.name))


@router.post("/{rollout_id}/approve", summary="Let the next group begin", responses=answers(ROLLOUT_EXAMPLE, *_ERRORS))
async def approve_rollout(rollout_id: str, caller: ModelWriter, services: ServicesDep) -> RolloutAnswer:
    """Approve the next group of a rollout that waits for it."""
    return await _done(services, lambda: services.rollouts.approve(rollout_id, by=caller.name))


@router.post("/{rollout_id}/rollback", summary="Roll back", responses=answers(ROLLOUT_EXAMPLE, *_ERRORS))
async def roll_back(
    rollout_id: str, caller: ModelWriter, services: ServicesDep, why: Annotated[Reason, Body(default_factory=Reason)]
) -> RolloutAnswer:
    """Tell all gateways of a rollout the model before, at once; also after it has finished."""
    return await _done(services, lambda: services.rollouts.roll_back(rollout_id, by=caller.name, reason=why.reason))


async def _done(services: Services, change: Callable[[], Rollout]) -> RolloutAnswer:
    def do(_: Views) -> RolloutAnswer:
        return rollout_answer(*services.rollouts.get(change().id))

    return await services.threads.run(do)
