"""GET /alerts/rate: how many alarms came in each hour, which tells a calm plant from a flood."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from cloud.api.deps import AlarmReader, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime

router = Resource(prefix="/alerts", tags=["alerts"])
_MOST_HOURS = 31 * 24
_EXAMPLE: dict[str, Any] = {
    "from": "2026-01-15T07:30:00Z",
    "to": "2026-01-15T10:30:00Z",
    "counts": [0, 4, 1],
    "total": 5,
}


class AlarmRate(BaseModel):
    """How many alarms were raised in each hour from `from` on, the oldest hour first; the newest one ends now.

    An alarm of a clock that is ahead counts in the newest hour; one that came again counts once, when it first came.
    """

    from_: datetime
    to: datetime
    counts: list[int]
    total: int

    model_config = {"alias_generator": lambda name: name.rstrip("_"), "populate_by_name": True}


@router.get(
    "/rate",
    summary="Count the alerts of each hour",
    dependencies=[limited("120/minute")],
    responses=answers(_EXAMPLE, 401, 403, 422, 503),
)
async def alarm_rate(
    _caller: AlarmReader,
    services: ServicesDep,
    hours: Annotated[int, Query(ge=1, le=_MOST_HOURS, description="How far back from now.")] = 24,
) -> AlarmRate:
    """Count by the time at which each was raised first; about 6 an hour and operator is what people keep up with."""
    now_us = services.clock.now_us()
    counts = await services.threads.run(lambda _: services.alarms.hourly(now_us, hours=hours))
    to = to_datetime(now_us)
    return AlarmRate(from_=to - timedelta(hours=hours), to=to, counts=list(counts), total=sum(counts))
