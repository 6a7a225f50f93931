"""/events: what is planned and changes the load, such as maintenance, shift changes and campaigns."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from cloud.api.deps import EventWriter, ServicesDep, SystemReader
from cloud.api.document import answers
from cloud.api.event_answers import (
    ADDED_EXAMPLE,
    CANCELLED_EXAMPLE,
    EVENT_EXAMPLE,
    ActiveEvent,
    ActiveEvents,
    AddedEvent,
    CancelledEvent,
    NewEvent,
)
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.resource import Resource
from cloud.operations.planned_events import Announced

router = Resource(prefix="/events", tags=["events"])
_ERRORS = (401, 403, 422, 429, 503)


@router.post(
    "",
    summary="Register a planned event",
    status_code=201,
    responses=answers(ADDED_EXAMPLE, 400, *_ERRORS, good=201),
    dependencies=[idempotent(), limited("20/minute")],
)
async def add_event(caller: EventWriter, services: ServicesDep, body: NewEvent) -> AddedEvent:
    """Announce what will change the load; forecasts from now on reckon with it."""
    new = Announced(
        event_type=body.event_type,
        name=body.name,
        start_at=body.start_time,
        end_at=body.end_time,
        multiplier=body.multiplier,
        source=body.source,
        metadata=body.metadata,
    )
    return AddedEvent.of(await services.threads.run(lambda _: services.planned_events.add(new, by=caller.name)))


@router.get(
    "/active",
    summary="List active events",
    responses=answers({"events": [EVENT_EXAMPLE], "count": 1}, *_ERRORS),
    dependencies=[limited("100/minute")],
)
async def list_active_events(response: Response, _caller: SystemReader, services: ServicesDep) -> ActiveEvents:
    """List what is neither over nor cancelled; `phase` tells what has not begun yet."""
    found = await services.threads.run(lambda _: services.planned_events.active())
    response.headers["X-Total-Count"] = str(len(found))
    shown = [ActiveEvent.of(one, services.planned_events.now) for one in found]
    return ActiveEvents(events=shown, count=len(shown))


@router.delete(
    "/{event_id}",
    summary="Cancel an event",
    responses=answers(CANCELLED_EXAMPLE, 404, *_ERRORS),
    dependencies=[limited("20/minute")],
)
async def cancel_event(
    event_id: Annotated[str, Path(max_length=100)], caller: EventWriter, services: ServicesDep
) -> CancelledEvent:
    """Call an event off: the next forecasts are as if it had never been announced."""
    event = await services.threads.run(lambda _: services.planned_events.cancel(event_id, by=caller.name))
    return CancelledEvent(id=UUID(event.id))
