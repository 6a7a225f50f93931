"""/labels: what operators said of spans of a device's time, from which models learn."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from cloud.api.alarm_answers import LABEL_EXAMPLE, LabelAnswer, Plant
from cloud.api.deps import AlarmReader, Operator, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.api.spans import span_of
from cloud.api.times import Time
from cloud.domain.label import MAX_KIND, MAX_NOTE, Label, Verdict
from cloud.domain.times import to_datetime, to_us
from cloud.errors import Invalid
from cloud.services import Services, Views

router = Resource(prefix="/labels", tags=["labels"])
LabelId = Annotated[int, Path(ge=1, le=(1 << 31) - 1)]
_ERRORS = (401, 403, 404, 422, 503)
_CSV = "device_id,from,to,verdict,kind,note\npump-1,2026-01-15T10:29:57Z,2026-01-15T10:41:00Z,true_fault,bearing,\n"
_CSV_BODY = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}, "example": _CSV}}}
}


class NewLabel(BaseModel):
    """What to say of from <= time < to."""

    device_id: str
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    verdict: Verdict
    kind: Annotated[str, Field(max_length=MAX_KIND)] = ""
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class ImportAnswer(BaseModel):
    """How many rows there were; all of them are kept."""

    imported: int


class GoneAnswer(BaseModel):
    """That it is gone."""

    message: str


def _resolve(services: Services, views: Views, shown_id: str) -> tuple[str, str]:
    device = services.registry.find(shown_id, views.store.devices)
    return device.source, device.device_id


class Wanted(BaseModel):
    """Which labels are asked for."""

    device_id: str | None = None
    from_: Annotated[Time | None, Field(alias="from", description="Those that last beyond this time.")] = None
    to: Annotated[Time | None, Field(description="Those that begin before this time.")] = None
    limit: Limit = 1000
    offset: Offset = 0


@router.get("", summary="List labels", responses=answers([LABEL_EXAMPLE], *_ERRORS))
async def list_labels(
    request: Request,
    response: Response,
    _caller: AlarmReader,
    services: ServicesDep,
    wanted: Annotated[Wanted, Query()],
) -> list[LabelAnswer]:
    """Return labels in order of their beginning; `X-Total-Count` says how many there are."""
    from_us, before_us = span_of(wanted.from_, wanted.to)

    def read(views: Views) -> list[LabelAnswer]:
        device = None if wanted.device_id is None else _resolve(services, views, wanted.device_id)
        found = services.labels.list(
            source=None if device is None else device[0],
            device=None if device is None else device[1],
            from_us=from_us,
            to_us=before_us,
        )
        plant = Plant.seen(services, views)
        page = paged(found, request, response, limit=wanted.limit, offset=wanted.offset)
        return [plant.label(one) for one in page]

    return await services.threads.run(read)


@router.post("", summary="Add a label", responses=answers(LABEL_EXAMPLE, *_ERRORS, 409))
async def add_label(caller: Operator, services: ServicesDep, body: NewLabel) -> LabelAnswer:
    """Say what a span of a device's time was; 409 where another label says the opposite."""

    def do(views: Views) -> LabelAnswer:
        source, device = _resolve(services, views, body.device_id)
        label = Label(
            id=0,
            source=source,
            device=device,
            from_us=to_us(body.from_),
            to_us=to_us(body.to),
            verdict=body.verdict,
            by=caller.name,
            at=to_datetime(services.clock.now_us()),
            kind=body.kind,
            note=body.note,
        )
        kept = services.labels.add(label, by=caller.name)
        return Plant.seen(services, views).label(kept)

    return await services.threads.run(do)


@router.post("/import", summary="Import labels", responses=answers({"imported": 1}, *_ERRORS), openapi_extra=_CSV_BODY)
async def import_labels(request: Request, caller: Operator, services: ServicesDep) -> ImportAnswer:
    """Keep every row of a CSV text, or none: the first row that cannot be kept is named."""
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"byte {error.start}: the body is not UTF-8", code="INVALID_LABEL") from error

    def do(views: Views) -> ImportAnswer:
        kept = services.labels.read(text, lambda shown: _resolve(services, views, shown), by=caller.name)
        return ImportAnswer(imported=len(kept))

    return await services.threads.run(do)


@router.delete("/{label_id}", summary="Delete a label", responses=answers({"message": "Label deleted"}, *_ERRORS))
async def delete_label(label_id: LabelId, caller: Operator, services: ServicesDep) -> GoneAnswer:
    """Take back what was said."""
    await services.threads.run(lambda _: services.labels.delete(label_id, by=caller.name))
    return GoneAnswer(message="Label deleted")
