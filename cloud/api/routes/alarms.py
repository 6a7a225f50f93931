"""/alerts: what operators must see, and what they do with it; `alert` is the documents' word for an alarm."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.alarm_answers import ALARM_EXAMPLE, STORY_EXAMPLE, AlarmAnswer, Plant, StoryAnswer
from cloud.api.deps import AlarmReader, Operator, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.scalars import Number, Truth
from cloud.api.spans import span_of
from cloud.api.times import Time
from cloud.domain.alarm import LEAST_SHELF_S, LONGEST_SHELF_S, Alarm, AlarmState, Severity
from cloud.domain.alarm_change import MAX_COMMENT, MAX_NAME
from cloud.domain.label import Verdict
from cloud.operations.alarms import MAX_AT_ONCE
from cloud.records.alarms import AlarmFilter
from cloud.services import Services, Views

router = Resource(prefix="/alerts", tags=["alerts"])
Text = Annotated[str, Field(max_length=MAX_COMMENT)]
ACKNOWLEDGED = "Alert acknowledged"
_ERRORS = (400, 401, 403, 404, 422, 503)


class Remark(BaseModel):
    """What to write beside the change; may be left out."""

    model_config = ConfigDict(extra="forbid")

    comment: Text = ""


class Acknowledgement(Remark):
    """Which alarms were seen."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MAX_AT_ONCE)]


class Shelving(Remark):
    """For how many seconds; one_shot: no longer than until it clears."""

    for_s: Annotated[Number, Field(ge=LEAST_SHELF_S, le=LONGEST_SHELF_S)]
    one_shot: Truth = False


class Assignment(BaseModel):
    """Who sees to it; empty: nobody."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=MAX_NAME)]


class Writing(BaseModel):
    """What somebody has to say."""

    model_config = ConfigDict(extra="forbid")

    comment: Annotated[str, Field(min_length=1, max_length=MAX_COMMENT)]


class Judgement(BaseModel):
    """What it really was; kind: of fault, in the operator's words."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    kind: Annotated[str, Field(max_length=64)] = ""
    note: Annotated[str, Field(max_length=1000)] = ""


class AcknowledgeAnswer(BaseModel):
    """The documents' answer to an acknowledgement."""

    message: str
    alert: AlarmAnswer


class BulkAnswer(BaseModel):
    """All alarms that were acknowledged."""

    message: str
    alerts: list[AlarmAnswer]


OptionalRemark = Annotated[Remark, Body(default_factory=Remark)]


async def _done(services: Services, change: Callable[[], Alarm]) -> AlarmAnswer:
    def do(views: Views) -> AlarmAnswer:
        alarm = change()
        return Plant.seen(services, views).shown(alarm)

    return await services.threads.run(do)


class Wanted(BaseModel):
    """Which alerts are asked for."""

    device_id: str | None = None
    state: list[AlarmState] = []
    severity: list[Severity] = []
    acknowledged: bool | None = None
    resolved: bool | None = None
    assigned_to: Annotated[str | None, Field(min_length=1, max_length=MAX_NAME, description="In these hands.")] = None
    from_: Annotated[Time | None, Field(alias="from", description="Raised at this time or later.")] = None
    to: Annotated[Time | None, Field(description="Raised before this time.")] = None
    limit: Limit = 50
    offset: Offset = 0

    def choose(self, services: Services, views: Views) -> AlarmFilter:
        """Return the filter; raise NotFound for a device that never was, Invalid for a reversed span."""
        from_us, before_us = span_of(self.from_, self.to)
        device = None if self.device_id is None else services.registry.find(self.device_id, views.store.devices)
        return AlarmFilter(
            source=None if device is None else device.source,
            device=None if device is None else device.device_id,
            states=tuple(self.state),
            severities=tuple(self.severity),
            is_acknowledged=self.acknowledged,
            is_resolved=self.resolved,
            assigned_to=self.assigned_to,
            from_us=from_us,
            to_us=before_us,
        )


@router.get(
    "",
    summary="List alerts",
    dependencies=[limited("120/minute")],
    responses=answers([ALARM_EXAMPLE], *_ERRORS),
    response_model=list[AlarmAnswer],
)
async def list_alerts(
    request: Request, _caller: AlarmReader, services: ServicesDep, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Return the newest first; `X-Total-Count` says how many there are in all."""

    def read(views: Views) -> Response:
        chosen = wanted.choose(services, views)
        found, total = services.alarms.list(chosen, limit=wanted.limit, offset=wanted.offset)
        plant = Plant.seen(services, views)
        answer = Response(msgspec.json.encode([plant.told(alarm) for alarm in found]), media_type="application/json")
        tell_pages(total, request, answer, limit=wanted.limit, offset=wanted.offset)
        return answer

    return await services.threads.run(read)


@router.post(
    "/acknowledge",
    summary="Acknowledge many alerts",
    dependencies=[limited("30/minute")],
    responses=answers({"message": "1 alerts acknowledged", "alerts": [ALARM_EXAMPLE]}, *_ERRORS),
)
async def acknowledge_alerts(caller: Operator, services: ServicesDep, body: Acknowledgement) -> BulkAnswer:
    """Mark all of these as seen, or none where one of them is not there."""

    def do(views: Views) -> BulkAnswer:
        found = services.alarms.acknowledge_many(body.ids, by=caller.name, comment=body.comment)
        plant = Plant.seen(services, views)
        return BulkAnswer(message=f"{len(found)} alerts acknowledged", alerts=[plant.shown(one) for one in found])

    return await services.threads.run(do)


@router.post(
    "/acknowledge/{alert_id}",
    summary="Acknowledge one alert, as documented",
    dependencies=[limited("30/minute")],
    responses=answers({"message": ACKNOWLEDGED, "alert": ALARM_EXAMPLE}, *_ERRORS),
)
async def acknowledge_alert(alert_id: str, caller: Operator, services: ServicesDep) -> AcknowledgeAnswer:
    """Mark an alert as seen; seeing it twice changes nothing, the first operator is kept."""
    alert = await _done(services, lambda: services.alarms.acknowledge(alert_id, by=caller.name))
    return AcknowledgeAnswer(message=ACKNOWLEDGED, alert=alert)


@router.get("/{alert_id}", summary="Show one alert", responses=answers(STORY_EXAMPLE, *_ERRORS))
async def show_alert(alert_id: str, _caller: AlarmReader, services: ServicesDep) -> StoryAnswer:
    """Show an alert with its comments and everything that became of it."""
    return await services.threads.run(lambda views: Plant.seen(services, views).story(services.alarms.get(alert_id)))


@router.post(
    "/{alert_id}/acknowledge",
    summary="Acknowledge an alert",
    dependencies=[limited("30/minute")],
    responses=answers(ALARM_EXAMPLE, *_ERRORS),
)
async def acknowledge(alert_id: str, caller: Operator, services: ServicesDep, body: OptionalRemark) -> AlarmAnswer:
    """Mark an alert as seen; seeing it twice changes nothing, the first operator is kept."""
    return await _done(services, lambda: services.alarms.acknowledge(alert_id, by=caller.name, comment=body.comment))


@router.post("/{alert_id}/shelve", summary="Shelve an alert", responses=answers(ALARM_EXAMPLE, *_ERRORS, 409))
async def shelve(alert_id: str, caller: Operator, services: ServicesDep, body: Shelving) -> AlarmAnswer:
    """Put an alert out of sight for a minute to twelve hours; it comes back by itself."""
    return await _done(
        services,
        lambda: services.alarms.shelve(
            alert_id, for_s=body.for_s, by=caller.name, why=body.comment, is_one_shot=body.one_shot
        ),
    )


@router.post("/{alert_id}/unshelve", summary="Unshelve an alert", responses=answers(ALARM_EXAMPLE, *_ERRORS))
async def unshelve(alert_id: str, caller: Operator, services: ServicesDep) -> AlarmAnswer:
    """Bring an alert back into sight before its time."""
    return await _done(services, lambda: services.alarms.unshelve(alert_id, by=caller.name))


@router.post("/{alert_id}/clear", summary="Clear an alert", responses=answers(ALARM_EXAMPLE, *_ERRORS))
async def clear(alert_id: str, caller: Operator, services: ServicesDep, body: OptionalRemark) -> AlarmAnswer:
    """Declare its condition over, as for one that nothing clears by itself; it counts as seen."""
    return await _done(services, lambda: services.alarms.clear(alert_id, by=caller.name, comment=body.comment))


@router.post(
    "/{alert_id}/out-of-service", summary="Take out of service", responses=answers(ALARM_EXAMPLE, *_ERRORS, 409)
)
async def out_of_service(alert_id: str, caller: Operator, services: ServicesDep, body: OptionalRemark) -> AlarmAnswer:
    """Put an alert out of sight until somebody brings it back, as while a machine is being mended."""
    return await _done(
        services, lambda: services.alarms.take_out_of_service(alert_id, by=caller.name, why=body.comment)
    )


@router.post("/{alert_id}/return-to-service", summary="Return to service", responses=answers(ALARM_EXAMPLE, *_ERRORS))
async def return_to_service(alert_id: str, caller: Operator, services: ServicesDep) -> AlarmAnswer:
    """Bring an alert back that was out of service."""
    return await _done(services, lambda: services.alarms.return_to_service(alert_id, by=caller.name))


@router.post("/{alert_id}/assign", summary="Assign an alert", responses=answers(ALARM_EXAMPLE, *_ERRORS))
async def assign(alert_id: str, caller: Operator, services: ServicesDep, body: Assignment) -> AlarmAnswer:
    """Put an alert into somebody's hands."""
    return await _done(services, lambda: services.alarms.assign(alert_id, body.to, by=caller.name))


@router.post("/{alert_id}/comments", summary="Comment on an alert", responses=answers(STORY_EXAMPLE, *_ERRORS))
async def comment(alert_id: str, caller: Operator, services: ServicesDep, body: Writing) -> StoryAnswer:
    """Write something beside an alert."""

    def do(views: Views) -> StoryAnswer:
        story = services.alarms.comment(alert_id, body.comment, by=caller.name)
        return Plant.seen(services, views).story(story)

    return await services.threads.run(do)


@router.post("/{alert_id}/label", summary="Label an alert", responses=answers(ALARM_EXAMPLE, *_ERRORS, 409))
async def label(alert_id: str, caller: Operator, services: ServicesDep, body: Judgement) -> AlarmAnswer:
    """Say what it really was: its window becomes a label from which models learn."""
    return await _done(
        services,
        lambda: services.alarms.label(alert_id, body.verdict, by=caller.name, kind=body.kind, note=body.note)[0],
    )
