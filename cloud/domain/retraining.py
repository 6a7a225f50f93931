"""Retraining: why a model learned anew, and whether what came out may take its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LEAST_AGREEMENT = 0.99
"""The share of rows on which the int8 network must say what the exact one says."""


class Cause(StrEnum):
    """Why a model learned anew."""

    SCHEDULE = "schedule"
    DRIFT = "drift"
    LABELS = "labels"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Showing:
    """How a model did on the rows that were held back.

    alarms_per_day: false ones, on rows without recorded faults; found, faults: of the recorded faults, how many it
    found and how many there are.
    """

    alarms_per_day: float
    found: int
    faults: int

    @property
    def recall(self) -> float | None:
        """Return the share of recorded faults that it found, None where there are none."""
        return self.found / self.faults if self.faults else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a challenger may serve, and every reason against it."""

    is_promoted: bool
    reasons: tuple[str, ...]


def compare(champion: Showing | None, challenger: Showing, agreement: float) -> Verdict:
    """Return the verdict on a challenger; a model without a champion needs only to survive its quantisation."""
    reasons = []
    if agreement < LEAST_AGREEMENT:
        reasons.append(f"its int8 form agrees on {agreement:.2%} of the rows, {LEAST_AGREEMENT:.0%} are needed")
    if champion is not None and challenger.alarms_per_day > champion.alarms_per_day:
        more = f"{challenger.alarms_per_day:.3g} a day against {champion.alarms_per_day:.3g}"
        reasons.append(f"it raises more false alarms: {more}")
    if champion is not None and challenger.found < champion.found:
        reasons.append(f"it finds fewer recorded faults: {challenger.found} against {champion.found}")
    return Verdict(not reasons, tuple(reasons))


@dataclass(frozen=True, slots=True)
class Retraining:
    """One that ended; champion, challenger: version numbers; figures: both showings and the agreement.

    is_handed_on: whether what was promoted is on its way to the gateways.
    """

    id: str
    model: str
    cause: Cause
    at: datetime
    is_promoted: bool
    champion: int | None
    challenger: int | None
    reasons: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)
    is_handed_on: bool = False
