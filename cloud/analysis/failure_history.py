"""What a class of Devices lived through, period by period: the rows from which its hazard is learned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.condition import NAMES, condition
from cloud.analysis.hazard import STEP_H, Exposure
from cloud.analysis.statistics import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """One Device: hourly means (k, m), distances to its limits (k, m), and spans of failure in hours, (f, 2)."""

    values: Floats
    distance: Floats
    failures: Floats


def expose(lives: Iterable[Life], *, horizon_h: int) -> Exposure:
    """Return the periods of these Devices; hours of a failure itself, and without any reading, are none."""
    parts = [(number, *_periods(life, horizon_h)) for number, life in enumerate(lives)]
    if not parts:
        return Exposure(np.zeros((0, len(NAMES))), np.zeros(0, bool), np.zeros(0), np.zeros(0, np.int64))
    return Exposure(
        rows=np.concatenate([part[1] for part in parts]),
        failed=np.concatenate([part[2] for part in parts]),
        within=np.concatenate([part[3] for part in parts]),
        device=np.concatenate([np.full(len(part[1]), part[0], np.int64) for part in parts]),
    )


def limit_distances(values: Floats, limits: Sequence[tuple[float | None, float | None]]) -> Floats:
    """Return for each Tag, (k, m), how far it is from the nearer of its limits (low, high); NaN without any."""
    found = np.full(values.shape, np.nan)
    for row, value, (low, high) in zip(found, values, limits, strict=True):
        rooms = [room for room in (_room(value, low, 1.0), _room(value, high, -1.0)) if room is not None]
        if rooms:
            row[:] = np.min(rooms, axis=0)
    return found


def _room(value: Floats, limit: float | None, direction: float) -> Floats | None:
    return None if limit is None else direction * (value - limit)


def _periods(life: Life, horizon_h: int) -> tuple[Floats, NDArray[np.bool_], Floats]:
    size = life.values.shape[1]
    began = np.sort(life.failures[:, 0]) if len(life.failures) else np.zeros(0)
    rows = condition(life.values, life.distance, began)
    at = np.arange(0, size - STEP_H, STEP_H)
    usable = np.isfinite(life.values[:, at]).any(axis=0)
    for start, end in life.failures:
        usable &= ~((at >= start) & (at < end))
    at = at[usable]
    # The condition at a position is known when its hour has ended: what comes after begins there.
    soon, later = (_begins(began, at + 1, hours) for hours in (STEP_H, horizon_h))
    within = np.where(later, 1.0, np.where(at + 1 + horizon_h <= size, 0.0, np.nan))
    return rows[at], soon, within


def _begins(began: Floats, start: NDArray[np.int64], hours: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.searchsorted(began, start + hours, "left") > np.searchsorted(began, start, "left")
    return found
