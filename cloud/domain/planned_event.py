"""PlannedEvent: something announced beforehand that changes the load, such as maintenance or a shift change; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from statistics import median

from cloud.errors import Invalid

LEAST_OCCURRENCES = 3
"""So many events of a type must have been seen before what they did is believed over what was announced."""
LEAST_MULTIPLIER, MOST_MULTIPLIER = 0.01, 100.0


class EventType(StrEnum):
    """What is planned."""

    MARKETING_CAMPAIGN = "marketing_campaign"
    PRODUCT_LAUNCH = "product_launch"
    FLASH_SALE = "flash_sale"
    SCHEDULED_MAINTENANCE = "scheduled_maintenance"
    HOLIDAY = "holiday"
    PARTNERSHIP_ANNOUNCEMENT = "partnership_announcement"
    SHIFT_CHANGE = "shift_change"
    LINE_STARTUP = "line_startup"
    COMMISSIONING = "commissioning"
    BACKLOG_REPLAY = "backlog_replay"
    """Gateways come back after an outage and send what they kept."""
    FIRMWARE_ROLLOUT = "firmware_rollout"
    PLANT_SHUTDOWN = "plant_shutdown"


TYPICAL: Mapping[EventType, tuple[float, float]] = {
    EventType.MARKETING_CAMPAIGN: (1.5, 3.0),
    EventType.PRODUCT_LAUNCH: (2.0, 5.0),
    EventType.FLASH_SALE: (3.0, 10.0),
    EventType.SCHEDULED_MAINTENANCE: (0.1, 0.5),
    EventType.HOLIDAY: (0.5, 0.8),
    EventType.PARTNERSHIP_ANNOUNCEMENT: (1.3, 2.0),
    EventType.SHIFT_CHANGE: (1.1, 1.5),
    EventType.LINE_STARTUP: (1.5, 3.0),
    EventType.COMMISSIONING: (1.5, 4.0),
    EventType.BACKLOG_REPLAY: (3.0, 10.0),
    EventType.FIRMWARE_ROLLOUT: (1.2, 2.0),
    EventType.PLANT_SHUTDOWN: (0.05, 0.3),
}
"""By how much the load is usually multiplied."""


class EventStatus(StrEnum):
    """Whether it counts; an event that is over stays on record."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    ENDED = "ended"


class Phase(StrEnum):
    """Where an active one stands."""

    UPCOMING = "upcoming"
    IN_EFFECT = "in_effect"


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """start_at <= time < end_at; multiplier: of the load, as announced; source: who says so.

    measured: by service, what the load then was as a multiple of its base; empty until the event is over.
    """

    id: str
    event_type: EventType
    name: str
    start_at: datetime
    end_at: datetime
    multiplier: float
    created_by: str
    created_at: datetime
    source: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    measured: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> "PlannedEvent":
        """Return the event; raise Invalid, which names the field, where it cannot be one."""
        if self.end_at <= self.start_at:
            raise invalid("end_time", f"must be after start_time, {self.start_at}, and is {self.end_at}")
        if not LEAST_MULTIPLIER <= self.multiplier <= MOST_MULTIPLIER:
            bounds = f"{LEAST_MULTIPLIER} to {MOST_MULTIPLIER:g}"
            raise invalid("expected_impact_multiplier", f"must be {bounds}, and is {self.multiplier}")
        return self

    @property
    def site(self) -> str:
        """Return the site that it is about, empty for all of them."""
        site = self.metadata.get("site")
        return site if isinstance(site, str) else ""

    def status(self, at: datetime) -> EventStatus:
        """Return whether it counts."""
        if self.cancelled_at is not None:
            return EventStatus.CANCELLED
        return EventStatus.ENDED if self.end_at <= at else EventStatus.ACTIVE

    def phase(self, at: datetime) -> Phase:
        """Return whether an active one has begun."""
        return Phase.IN_EFFECT if self.start_at <= at else Phase.UPCOMING

    def covers(self, at: datetime) -> bool:
        """Return whether it counts at a time."""
        return self.cancelled_at is None and self.start_at <= at < self.end_at

    def cancel(self, at: datetime) -> "PlannedEvent":
        """Return the event called off; the first time that was done is kept."""
        return self if self.cancelled_at is not None else replace(self, cancelled_at=at)


def typical_multiplier(event_type: EventType) -> float:
    """Return the middle of what is usual for a type, which counts where nobody says."""
    low, high = TYPICAL[event_type]
    return (low + high) / 2


def learned_multiplier(past: Sequence[PlannedEvent], service: str) -> float | None:
    """Return the median of what past events of one type did to a service; None before enough have been seen."""
    measured = [one.measured[service] for one in past if service in one.measured]
    return median(measured) if len(measured) >= LEAST_OCCURRENCES else None


def effect(multiplier: float, share: float) -> float:
    """Return what a multiplier of only a share of the load (0 to 1) does to all of it."""
    return 1.0 + (multiplier - 1.0) * min(max(share, 0.0), 1.0)


def invalid(name: str, issue: str) -> Invalid:
    """Return the refusal of a field of an event."""
    return Invalid(f"{name}: {issue}", code="INVALID_EVENT", details={"field": name, "issue": issue})
