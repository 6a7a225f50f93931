"""A series on a regular grid, and what can be known of it at one moment: the features of forecasts, free of units.

Everything is told as a change from the last value, in units of the scatter of the last day, so that a model fitted in
summer holds in winter and one fitted on one machine says something of another. Nothing after the origin is read.
"""

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.statistics import Floats

Origins = NDArray[np.int64]
DAYS_BACK = 7
_SHORT_LAGS = (2, 3, 4, 5, 6, 8)
_SHORT_MEANS = (3, 6)
_LEAST_SCALE = 0.05
"""The smallest scatter of a day, as a share of that of the whole history: a still day is no certainty."""

NAMES = (
    *(f"lag_{lag}" for lag in _SHORT_LAGS),
    "lag_half_day",
    "lag_day",
    *(f"mean_{width}" for width in _SHORT_MEANS),
    "mean_half_day",
    "mean_day",
    "mean_3_days",
    "mean_7_days",
    "scatter_7_days",
    "same_time_1_day",
    "same_time_3_days",
    "same_time_7_days",
    "same_change_1_day",
    "same_change_3_days",
    "same_change_7_days",
    "same_change_median",
    "time_of_day_sin",
    "time_of_day_cos",
)


def history_needed(day: int) -> int:
    """Return how many steps before an origin features look back; day: steps a day."""
    return DAYS_BACK * day + 1


def scales(values: Floats, origins: Origins, *, day: int) -> Floats:
    """Return the scatter of the day before each origin, (n,), positive; origins: positions of the first unknown step.

    The floor is a share of the scatter of all that came before, so that no later value has a part in it.
    """
    spread = _scatter(values, origins, day)
    floor = _LEAST_SCALE * _scatter_before(values, origins)
    found = np.maximum(spread, floor)
    return np.where(found > 0, found, 1.0)


def features(values: Floats, origins: Origins, horizon: int, *, day: int, phase: int = 0) -> Floats:
    """Return what is known before each origin for the value `horizon` steps after the last known one: (n, 24).

    values: (m,), NaN where there is none; day: steps a day; phase: the step of the day at position 0.
    """
    last = values[origins - 1]
    scale = scales(values, origins, day=day)
    lags = [values[origins - lag] - last for lag in (*_SHORT_LAGS, max(2, day // 2), day)]
    widths = (*_SHORT_MEANS, max(2, day // 2), day, 3 * day, DAYS_BACK * day)
    means = [_mean(values, origins, width) - last for width in widths]
    ahead = (horizon - 1) % day
    earlier = [origins - day * back + ahead for back in range(1, DAYS_BACK + 1)]
    same = np.stack([values[at] for at in earlier]) - last
    change = np.stack([values[at] - values[at - 1 - ahead] for at in earlier])
    levels = [same[0], same[:3].mean(axis=0), same.mean(axis=0)]
    changes = [change[0], change[:3].mean(axis=0), change.mean(axis=0), np.median(change, axis=0)]
    clock = 2 * np.pi * ((origins + horizon - 1 + phase) % day) / day
    week = _scatter(values, origins, DAYS_BACK * day)
    columns = [*(column / scale for column in (*lags, *means, week, *levels, *changes)), np.sin(clock), np.cos(clock)]
    return np.stack(columns, axis=1)


def targets(values: Floats, origins: Origins, horizon: int, *, day: int) -> Floats:
    """Return what is learned: the change from the last known value in units of the scatter, (n,)."""
    changed: Floats = (values[origins + horizon - 1] - values[origins - 1]) / scales(values, origins, day=day)
    return changed


def bridged(values: Floats, *, most: int) -> Floats:
    """Return the values with gaps of at most `most` steps filled by the value before them."""
    known = np.isfinite(values)
    before = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    age = np.arange(len(values)) - before
    usable = (before >= 0) & (age <= most)
    return np.where(usable, values[np.maximum(before, 0)], np.nan)


def _mean(values: Floats, origins: Origins, width: int) -> Floats:
    # Gaps are NaN and stay so: a sum over them would poison all that follows.
    totals = np.concatenate(([0.0], np.cumsum(np.nan_to_num(values))))
    missing = np.concatenate(([0], np.cumsum(~np.isfinite(values))))
    start = np.maximum(origins - width, 0)
    found = (totals[origins] - totals[start]) / (origins - start)
    return np.where(missing[origins] > missing[start], np.nan, found)


def _scatter(values: Floats, origins: Origins, width: int) -> Floats:
    centred = values - _anchor(values)
    mean, square = _mean(centred, origins, width), _mean(centred**2, origins, width)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0)), np.float64)


def _scatter_before(values: Floats, origins: Origins) -> Floats:
    known = np.isfinite(values)
    filled = np.where(known, values - _anchor(values), 0.0)
    count = np.maximum(np.cumsum(known)[origins - 1], 1)
    mean, square = np.cumsum(filled)[origins - 1] / count, np.cumsum(filled**2)[origins - 1] / count
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0)), np.float64)


def _anchor(values: Floats) -> float:
    """Return the first known value: sums of squares about it lose no digits, and no later value has a part in it."""
    known = values[np.isfinite(values)]
    return float(known[0]) if len(known) else 0.0
