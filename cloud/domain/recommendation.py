"""Recommendation: something to do about a Device, out of a rule over evidence; never free text; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.errors import Conflict


class RecommendationType(StrEnum):
    """What kind of work it is."""

    MAINTENANCE = "maintenance"
    INSPECTION = "inspection"
    CALIBRATION = "calibration"
    DATA_QUALITY = "data_quality"
    OPTIMIZATION = "optimization"
    CAPACITY = "capacity"


class Priority(StrEnum):
    """How soon somebody should read it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Timeframe(StrEnum):
    """How soon it should be done."""

    IMMEDIATE = "immediate"
    WITHIN_DAY = "within_day"
    WITHIN_WEEK = "within_week"
    WITHIN_MONTH = "within_month"


class RecommendationState(StrEnum):
    """What became of it; only an open one can be accepted or dismissed."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    """The evidence for it is gone."""


_PRIORITIES = ((0.9, Priority.CRITICAL), (0.7, Priority.HIGH), (0.4, Priority.MEDIUM))
_TIMEFRAMES = ((0.9, Timeframe.IMMEDIATE), (0.8, Timeframe.WITHIN_DAY), (0.5, Timeframe.WITHIN_WEEK))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for it: its kind, the id under which it is stored, and its figures."""

    kind: str
    id: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule says of a Device, or of a Gateway (device is empty); urgency and impact are 0..1."""

    rule: str
    type: RecommendationType
    source: str
    device: str
    title: str
    action: str
    urgency: float
    impact: float
    origin: str
    evidence: Sequence[Evidence]

    @property
    def composite(self) -> float:
        """Return the mean of urgency and impact."""
        return round((self.urgency + self.impact) / 2, 6)

    @property
    def priority(self) -> Priority:
        """Return how soon somebody should read it, by the composite."""
        return next((word for bound, word in _PRIORITIES if self.composite >= bound), Priority.LOW)

    @property
    def timeframe(self) -> Timeframe:
        """Return how soon it should be done, by the urgency."""
        return next((word for bound, word in _TIMEFRAMES if self.urgency >= bound), Timeframe.WITHIN_MONTH)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A proposal as it is kept; request_id: of the decision that accepting it asked for."""

    id: str
    proposal: Proposal
    state: RecommendationState
    opened_at: datetime
    changed_at: datetime
    by: str = ""
    note: str = ""
    request_id: str = ""

    def require_open(self) -> None:
        """Raise Conflict where somebody was faster."""
        if self.state is not RecommendationState.OPEN:
            told = f"recommendation {self.id} is {self.state} since {self.changed_at}"
            details: dict[str, object] = {"recommendation_id": self.id, "state": self.state.value}
            raise Conflict(told, code="RECOMMENDATION_CLOSED", details=details)
