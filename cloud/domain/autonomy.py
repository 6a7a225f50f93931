"""Autonomy: how much a family of models may do by itself; it changes models and thresholds, never a machine.

A family is a Model with all Devices that it serves. `suggest` asks before a model learns anew and again before what it
learned serves; `supervised` learns by itself and asks before it serves; nothing ever serves unasked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.domain.retraining import Showing
from cloud.ports import SeriesKey

DRIFTING_SHARE = 0.2
"""Of a family's series: so many must drift before that is a reason to learn anew."""


class Level(StrEnum):
    """What a family does when there is a reason to learn anew."""

    OFF = "off"
    SUGGEST = "suggest"
    SUPERVISED = "supervised"


DEFAULT_LEVEL = Level.SUGGEST


@dataclass(frozen=True, slots=True)
class Autonomy:
    """The level of one family, the empty name for all families that have none of their own."""

    family: str
    level: Level
    set_by: str
    set_at: datetime


def is_drifting(family: Collection[SeriesKey], drifting: Collection[SeriesKey]) -> bool:
    """Return whether enough of a family's series drift."""
    return bool(family) and len(set(family) & set(drifting)) >= DRIFTING_SHARE * len(set(family))


def rank(shown: Showing) -> tuple[float, float]:
    """Return how good a candidate is, the lowest best: recorded faults found first, then few false alarms."""
    return (-shown.found, shown.alarms_per_day)
