"""/scaling: how many processes each service has and wants, what was decided about it, and a person's own word."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from cloud.api.deps import Admin, ServicesDep, SystemReader
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.pagination import tell_pages
from cloud.api.resource import Resource
from cloud.api.scaling_answers import (
    DECISIONS_EXAMPLE,
    MANUAL_EXAMPLE,
    STATUS_EXAMPLE,
    DecisionAnswer,
    DecisionsAnswer,
    ManualAnswer,
    ManualScaling,
    StatusAnswer,
    standing_of,
)
from cloud.domain.scaling import Status
from cloud.operations.scaling import service_of

router = Resource(prefix="/scaling", tags=["scaling"])
_ERRORS = (401, 403, 404, 422, 429, 503)
ServiceName = Annotated[
    str | None, Query(max_length=100, description="ingest, inference, jobs or api; all by default.")
]


@router.get(
    "/status",
    summary="Show scaling status",
    responses=answers(STATUS_EXAMPLE, *_ERRORS),
    dependencies=[limited("100/minute")],
)
async def scaling_status(_caller: SystemReader, services: ServicesDep, service: ServiceName = None) -> StatusAnswer:
    """Show the first service, or the one that is asked for, and all of them under `services`."""
    chosen = None if service is None else service_of(service)
    found = await services.threads.run(lambda _: services.scaling.status())
    shown = [standing_of(one) for one in found]
    first = next(one for one in shown if chosen in (None, one.service_name))
    return StatusAnswer(**first.model_dump(), services=shown)


@router.get(
    "/decisions",
    summary="List scaling decisions",
    responses=answers(DECISIONS_EXAMPLE, *_ERRORS),
    dependencies=[limited("100/minute")],
)
async def scaling_decisions(
    request: Request,
    response: Response,
    _caller: SystemReader,
    services: ServicesDep,
    service: ServiceName = None,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1 << 31)] = 0,
) -> DecisionsAnswer:
    """List decisions, the newest first, with what triggered each and what was seen afterwards."""
    found, total = await services.threads.run(
        lambda _: services.scaling.decisions(service=service, status=status, limit=limit, offset=offset)
    )
    tell_pages(total, request, response, limit=limit, offset=offset)
    shown = [DecisionAnswer.of(one) for one in found]
    return DecisionsAnswer(decisions=shown, count=len(shown), total_count=total)


@router.post(
    "/manual",
    summary="Scale a service by hand",
    responses=answers(MANUAL_EXAMPLE, 400, *_ERRORS),
    dependencies=[idempotent(), limited("20/minute")],
)
async def scale_by_hand(caller: Admin, services: ServicesDep, body: ManualScaling) -> ManualAnswer:
    """Want so many instances from now on; loads and forecasts change nothing for an hour."""
    decision = await services.threads.run(
        lambda _: services.scaling.set(body.service_name, body.target_instances, body.reason, by=caller.name)
    )
    return ManualAnswer(decision_id=UUID(decision.id), status=decision.status)
