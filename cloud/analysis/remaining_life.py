"""How long a Device will last: quantiles of the time to its failure, from either model, in hours."""

from dataclasses import dataclass

import numpy as np

from cloud.analysis.first_passage import Wiener, passage_time

_FAR_H = 24.0 * 365 * 10
_EARLY, _MIDDLE, _LATE = 0.1, 0.5, 0.9


@dataclass(frozen=True, slots=True)
class RemainingLife:
    """Hours until a failure: the estimate, and an interval that holds it in four of five cases.

    None: more than ten years, or for the interval's end never.
    """

    earliest_h: float | None
    expected_h: float | None
    latest_h: float | None


def life_of_walk(process: Wiener, distance: float) -> RemainingLife:
    """Return the remaining life of a distance that wanders towards zero."""
    return RemainingLife(*(passage_time(process, distance, chance) for chance in (_EARLY, _MIDDLE, _LATE)))


def life_of_chance(chance: float, horizon_h: float) -> RemainingLife:
    """Return the remaining life where a failure within the horizon has this chance, and goes on being as likely."""
    if chance <= 0:
        return RemainingLife(None, None, None)
    rate = -np.log1p(-min(chance, 1 - 1e-12)) / horizon_h
    hours = [float(-np.log1p(-share) / rate) for share in (_EARLY, _MIDDLE, _LATE)]
    return RemainingLife(*(hour if hour <= _FAR_H else None for hour in hours))
