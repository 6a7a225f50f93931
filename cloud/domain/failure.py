"""FailureEstimate: how likely a Device fails soon, how long it will last, and how that is known; pure."""

from dataclasses import dataclass
from enum import StrEnum

HIGH_RISK = 0.5
"""From this chance on a failure is predicted."""


class Method(StrEnum):
    """How a chance of failure is computed."""

    HAZARD = "discrete_time_hazard"
    """Learned from failures that operators labelled."""
    FIRST_PASSAGE = "first_passage"
    """When a walk like that of the distance to the limit first reaches it."""


@dataclass(frozen=True, slots=True)
class FailureEstimate:
    """Chances of a failure within the horizon as seen in each of the last 24 hours, the newest last.

    expected, earliest and latest life in hours, None beyond ten years; brier: of the model, held out, None without;
    channel: the Tag that is nearest to its limit, empty where the whole Device is judged.
    """

    method: Method
    is_calibrated: bool
    horizon_hours: float
    chances: tuple[float, ...]
    first_hour_us: int
    earliest_life_h: float | None
    expected_life_h: float | None
    latest_life_h: float | None
    channel: str = ""
    brier: float | None = None
    failures_learned: int = 0
    notes: str = ""

    @property
    def predictions(self) -> tuple[int, ...]:
        """Return for each hour whether a failure is predicted."""
        return tuple(int(chance >= HIGH_RISK) for chance in self.chances)

    @property
    def high_risk_count(self) -> int:
        """Return for how many of the hours a failure is predicted."""
        return sum(self.predictions)
