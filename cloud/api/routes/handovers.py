"""/handover-notes: what one shift tells the next."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import Decider, Reader, ServicesDep
from cloud.api.document import answers
from cloud.api.once import idempotent
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.domain.handover import MAX_TEXT, HandoverNote
from cloud.services import Views

router = Resource(prefix="/handover-notes", tags=["handover notes"])
_EXAMPLE = {
    "id": 12,
    "at": "2026-01-15T13:55:00Z",
    "by": "user:anna",
    "shift": "early",
    "text": "DEVICE_003 runs warm since ten; oil was topped up.",
    "device_id": "DEVICE_003",
}


class NoteBody(BaseModel):
    """A note; device_id: where it is about one device."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    shift: Annotated[str, Field(max_length=64)] = ""
    device_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class NoteAnswer(BaseModel):
    """A note as it was written; it stays as it is."""

    id: int
    at: datetime
    by: str
    shift: str
    text: str
    device_id: str | None


@router.get("", summary="List handover notes", responses=answers([_EXAMPLE], 401, 403, 404, 422, 503))
async def list_handover_notes(
    request: Request,
    response: Response,
    _caller: Reader,
    services: ServicesDep,
    device_id: Annotated[str | None, Query(max_length=200, description="Only those about this device.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[NoteAnswer]:
    """List the newest first."""

    def read(views: Views) -> list[NoteAnswer]:
        device = None
        if device_id is not None:
            device = services.registry.find(device_id, views.store.devices).shown_id
        found, total = services.handovers.list(device=device, limit=limit, offset=offset)
        tell_pages(total, request, response, limit=limit, offset=offset)
        return [_answer(one) for one in found]

    return await services.threads.run(read)


@router.post(
    "",
    summary="Write a handover note",
    status_code=201,
    dependencies=[idempotent()],
    responses=answers(_EXAMPLE, 401, 403, 404, 422, 503, good=201),
)
async def write_handover_note(caller: Decider, services: ServicesDep, body: NoteBody) -> NoteAnswer:
    """Tell the next shift something; 404 where the device is not there."""

    def do(views: Views) -> NoteAnswer:
        device = ""
        if body.device_id is not None:
            device = services.registry.find(body.device_id, views.store.devices).shown_id
        return _answer(services.handovers.write(body.text, by=caller.name, shift=body.shift, device=device))

    return await services.threads.run(do)


def _answer(one: HandoverNote) -> NoteAnswer:
    return NoteAnswer(id=one.id, at=one.at, by=one.by, shift=one.shift, text=one.text, device_id=one.device or None)
