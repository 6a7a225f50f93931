"""The condition of a Device hour by hour, free of units, so that one hazard model serves a whole class of Devices."""

import numpy as np

from cloud.analysis.statistics import Floats

NAMES = ("level_shift", "scatter", "trend", "limit_used", "log_hours_since_failure")
_DAY, _WEEK = 24, 168
_UNKNOWN_AGE = float(np.log1p(10 * 365 * 24))


def condition(values: Floats, distance: Floats, failure_hours: Floats) -> Floats:
    """Return what is known at the end of each hour, (m, 5), always finite: an hour never tells of a later one.

    values: hourly means (k, m); distance: to the critical limits, as many rows, NaN for Tags without one;
    failure_hours: positions at which failures began.
    """
    size = values.shape[1]
    shift, scatter, trend, used = (np.zeros(size) for _ in range(4))
    for row, room in zip(values, distance, strict=True):
        day, week = (_trailing(row, width) for width in (_DAY, _WEEK))
        unit = np.maximum(np.maximum(week[1], 1e-3 * np.abs(week[0])), 1e-12)
        before = np.concatenate((np.full(_DAY, np.nan), day[0][:-_DAY]))[:size]
        shift = _worst(shift, np.abs(day[0] - week[0]) / unit)
        scatter = _worst(scatter, day[1] / unit)
        trend = _worst(trend, np.abs(day[0] - before) / unit)
        used = _worst(used, 1 / (1 + np.maximum(_trailing(room, _DAY)[0], 0.0) / unit))
    ages = _log_ages(size, failure_hours)
    return np.stack([np.log1p(shift), np.log1p(scatter), np.log1p(trend), used, ages], axis=1)


def _worst(so_far: Floats, found: Floats) -> Floats:
    return np.maximum(so_far, np.where(np.isfinite(found), found, 0.0))


def _trailing(row: Floats, width: int) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the known values of the last `width` hours, NaN where there are none."""
    known = np.isfinite(row)
    centre = float(row[known][0]) if known.any() else 0.0
    centred = np.where(known, row - centre, 0.0)
    count, total, square = (_windowed(one, width) for one in (known.astype(np.float64), centred, centred**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        deviation = np.sqrt(np.maximum(square / count - mean**2, 0.0))
    return mean + centre, deviation


def _windowed(values: Floats, width: int) -> Floats:
    sums = np.concatenate((np.zeros(width), np.cumsum(values)))
    return np.asarray(sums[width:] - sums[:-width], np.float64)


def _log_ages(size: int, failure_hours: Floats) -> Floats:
    hours = np.arange(size, dtype=np.float64)
    began = np.sort(failure_hours)
    if not len(began):
        return np.full(size, _UNKNOWN_AGE)
    before = np.searchsorted(began, hours, "right") - 1
    ages = np.log1p(np.maximum(hours - began[np.maximum(before, 0)], 0.0))
    return np.where(before >= 0, ages, _UNKNOWN_AGE)
