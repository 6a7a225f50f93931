"""What the API takes and tells of planned events."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from cloud.api.scalars import Number
from cloud.api.times import Time
from cloud.domain.planned_event import LEAST_MULTIPLIER, MOST_MULTIPLIER, EventStatus, EventType, Phase, PlannedEvent

_EARLIEST, _LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_MOST_METADATA = 8 * 1024
EVENT_ID = "0197a3c2-7b1e-7000-8000-000000000001"
EVENT_EXAMPLE = {
    "id": EVENT_ID,
    "event_type": "shift_change",
    "name": "Early shift",
    "start_time": "2026-01-16T05:00:00Z",
    "end_time": "2026-01-16T07:00:00Z",
    "expected_impact_multiplier": 1.3,
    "status": "active",
    "phase": "upcoming",
    "source": "shift plan",
    "metadata": {"site": "Hall 1"},
}
ADDED_EXAMPLE = {
    "id": EVENT_ID,
    "event_type": "shift_change",
    "name": "Early shift",
    "status": "active",
    "created_at": "2026-01-15T10:30:00Z",
    "expected_impact_multiplier": 1.3,
}
CANCELLED_EXAMPLE = {"id": EVENT_ID, "status": "cancelled", "message": "Event cancelled successfully"}


def _plausible(at: datetime) -> datetime:
    if not _EARLIEST < at < _LATEST:
        raise ValueError(f"must be after {_EARLIEST.year} and before {_LATEST.year}")
    return at


def _plain(metadata: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what any database and any reader of JSON can take; raise ValueError for the rest."""
    try:
        size = len(json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode())
    except (UnicodeEncodeError, RecursionError) as error:
        raise ValueError("must hold Unicode texts, and no endless depth") from error
    if size > _MOST_METADATA:
        raise ValueError(f"must be at most {_MOST_METADATA} bytes of JSON, and has {size}")
    if "\\u0000" in json.dumps(metadata):
        raise ValueError("must not hold NUL characters")
    return metadata


Moment = Annotated[Time, AfterValidator(_plausible)]
"""A time with its offset, in a year that can be meant."""
_Multiplier = Annotated[Number | None, Field(ge=LEAST_MULTIPLIER, le=MOST_MULTIPLIER)]
_Name = r"^[^\x00]*$"


class NewEvent(BaseModel):
    """What is announced; without a multiplier that of past events of the type counts, or what is usual for it.

    `metadata.site`: restricts the effect to the share of that site, a gateway or the location of devices.
    """

    model_config = ConfigDict(extra="forbid")

    event_type: EventType
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=_Name)]
    start_time: Moment
    end_time: Moment
    expected_impact_multiplier: _Multiplier = None
    impact_multiplier: Annotated[_Multiplier, Field(description="Another name of `expected_impact_multiplier`.")] = None
    source: Annotated[str, Field(max_length=200, pattern=_Name)] = ""
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_plain)] = {}

    @model_validator(mode="after")
    def _has_one_multiplier(self) -> Self:
        given = {self.expected_impact_multiplier, self.impact_multiplier} - {None}
        if len(given) > 1:
            raise ValueError("expected_impact_multiplier and impact_multiplier contradict each other")
        return self

    @property
    def multiplier(self) -> float | None:
        """Return what was announced, by either name."""
        return self.impact_multiplier if self.expected_impact_multiplier is None else self.expected_impact_multiplier


class AddedEvent(BaseModel):
    """The event as it is kept."""

    id: UUID
    event_type: EventType
    name: str
    status: EventStatus
    created_at: datetime
    expected_impact_multiplier: float

    @classmethod
    def of(cls, event: PlannedEvent) -> Self:
        """Return the answer."""
        return cls(
            id=UUID(event.id),
            event_type=event.event_type,
            name=event.name,
            status=event.status(event.created_at),
            created_at=event.created_at,
            expected_impact_multiplier=event.multiplier,
        )


class ActiveEvent(BaseModel):
    """An event that is neither over nor cancelled; `phase` says whether it has begun."""

    id: UUID
    event_type: EventType
    name: str
    start_time: datetime
    end_time: datetime
    expected_impact_multiplier: float
    status: EventStatus
    phase: Phase
    source: str
    metadata: dict[str, Any]

    @classmethod
    def of(cls, event: PlannedEvent, at: datetime) -> Self:
        """Return the answer."""
        return cls(
            id=UUID(event.id),
            event_type=event.event_type,
            name=event.name,
            start_time=event.start_at,
            end_time=event.end_at,
            expected_impact_multiplier=event.multiplier,
            status=event.status(at),
            phase=event.phase(at),
            source=event.source,
            metadata=dict(event.metadata),
        )


class ActiveEvents(BaseModel):
    """In order of their beginning."""

    events: list[ActiveEvent]
    count: int


class CancelledEvent(BaseModel):
    """That it counts no more."""

    id: UUID
    status: Literal[EventStatus.CANCELLED] = EventStatus.CANCELLED
    message: str = "Event cancelled successfully"
