"""GET /historical_data: readings over a time, raw and exact by pages, or down-sampled."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Response
from pydantic import BaseModel, Field

from cloud.api.columns import times_json, values_json
from cloud.api.deps import Reader, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.api.times import Time
from cloud.domain.history import Completeness
from cloud.domain.times import to_text, to_us
from cloud.errors import Invalid
from cloud.operations.history import PRIMARY, Page, Wanted, Window, choose_series, read_page
from cloud.services import Services, Views
from protocols.reading import Kind

router = Resource(tags=["readings"])
KindName = Literal["float", "int", "uint", "bool", "text"]
_HOUR_US = 3_600_000_000
_EXAMPLE = {
    "device_id": "DEVICE_001",
    "metric": "value",
    "unit": "°C",
    "timestamps": ["2026-01-15T10:30:00.000000Z", "2026-01-15T10:30:01.000000Z", "2026-01-15T10:30:02.000000Z"],
    "values": [75.1, 75.3, None],
    "quality": [{"first": 2, "last": 2, "reason": "device lost"}],
    "completeness": {
        "period_s": 1.0,
        "present": 2,
        "expected": 3,
        "share": 0.6667,
        "gap_count": 0,
        "gaps": [],
    },
    "next_cursor": None,
    "tag": "temperature",
    "kind": "float",
    "bucket_s": None,
}


class QualityRunAnswer(BaseModel):
    """Readings `first` to `last`, counted from 0, that are not good, and why."""

    first: int
    last: int
    reason: str


class GapAnswer(BaseModel):
    """A stretch without usable readings."""

    start: str
    end: str
    missing: int


class CompletenessAnswer(BaseModel):
    """How much of what the rated period promises is there; null where a Tag is reported on change."""

    period_s: float
    present: int
    expected: int | None
    share: float | None
    gap_count: int
    gaps: list[GapAnswer]


class History(BaseModel):
    """Readings in order of time; `values` holds null where none was read. `bucket_s` is set on down-sampled ones."""

    device_id: str
    metric: str
    unit: str
    timestamps: list[str]
    values: list[float | int | bool | str | None]
    quality: list[QualityRunAnswer]
    completeness: CompletenessAnswer | None
    next_cursor: str | None
    tag: str
    kind: str
    bucket_s: float | None


class HistoryQuery(BaseModel):
    """What to read; `start` and `end` win over `hours`."""

    device_id: Annotated[str, Field(max_length=200, description="The Device.")]
    metric: Annotated[str, Field(max_length=200, description="The Tag; `value` is the Device's main one.")] = PRIMARY
    hours: Annotated[float, Field(gt=0, le=10 * 366 * 24, description="How far back from the end.")] = 24.0
    start: Annotated[Time | None, Field(description="The first moment that belongs to the range.")] = None
    end: Annotated[Time | None, Field(description="The first moment after the range; now by default.")] = None
    limit: Annotated[int, Field(ge=1, le=200_000, description="The most raw readings on a page.")] = 100_000
    cursor: Annotated[str | None, Field(max_length=200, description="`next_cursor` of the page before.")] = None
    max_points: Annotated[
        int | None, Field(ge=2, le=100_000, description="Down-sample to at most so many, keeping minima and maxima.")
    ] = None
    kind: Annotated[
        KindName | None,
        Field(description="Which series, where the kind of the Tag was changed; the newest by default."),
    ] = None
    quality: Annotated[Wanted, Field(description="Which readings to show by their quality.")] = Wanted.ALL

    def window(self, *, now_us: int, max_future_s: float) -> Window:
        """Return the range in microseconds; raise Invalid where it is empty."""
        end_us = to_us(self.end) if self.end is not None else now_us + round(max_future_s * 1e6)
        back_us = round(self.hours * _HOUR_US)
        start_us = to_us(self.start) if self.start is not None else min(end_us, now_us) - back_us
        if start_us >= end_us:
            issue = "start must be before end"
            raise Invalid(issue, code="INVALID_RANGE", details={"field": "start", "issue": issue})
        return Window(start_us, end_us, self.limit, self.max_points, self.cursor, self.quality)


@router.get(
    "/historical_data",
    summary="Read the history of a metric",
    dependencies=[limited("60/minute")],
    responses=answers(_EXAMPLE, 400, 401, 403, 404, 422, 503),
    response_model=History,
    openapi_extra={MISSING_IS_400: True},
)
async def historical_data(query: Annotated[HistoryQuery, Query()], _caller: Reader, services: ServicesDep) -> Response:
    """Raw readings are exact; follow `next_cursor` for the rest: none is repeated or missed while new ones arrive."""
    body = await services.threads.run(lambda views: _read(views, services, query))
    return Response(body, media_type="application/json")


def _read(views: Views, services: Services, query: HistoryQuery) -> bytes:
    now_us = services.clock.now_us()
    window = query.window(now_us=now_us, max_future_s=services.max_future_s)
    device = services.registry.find(query.device_id, views.store.devices)
    found = views.store.series(source=device.source, device=device.device_id)
    kind = None if query.kind is None else Kind[query.kind.upper()]
    series = choose_series(found, device_id=query.device_id, metric=query.metric, kind=kind)
    return _body(query, read_page(views.store, series, window, now_us=now_us))


def _body(query: HistoryQuery, page: Page) -> bytes:
    head = {"device_id": query.device_id, "metric": query.metric, "unit": page.series.unit}
    tail = {
        "quality": [{"first": run.first, "last": run.last, "reason": run.quality.text} for run in page.runs],
        "completeness": None if page.completeness is None else _completeness(page.completeness),
        "next_cursor": page.next_cursor,
        "tag": page.series.key.tag,
        "kind": page.series.kind.name.lower(),
        "bucket_s": None if page.bucket_us is None else page.bucket_us / 1e6,
    }
    parts = (
        msgspec.json.encode(head)[:-1],
        b'"timestamps":' + times_json(page.points.time_us),
        b'"values":' + values_json(page.points),
        msgspec.json.encode(tail)[1:],
    )
    return b",".join(parts)


def _completeness(found: Completeness) -> dict[str, Any]:
    gaps = [{"start": to_text(gap.start_us), "end": to_text(gap.end_us), "missing": gap.missing} for gap in found.gaps]
    return {
        "period_s": found.period_s,
        "present": found.present,
        "expected": found.expected,
        "share": None if found.share is None else round(found.share, 6),
        "gap_count": found.gap_count,
        "gaps": gaps,
    }
