"""When a wandering distance first reaches zero: a Wiener process fitted to hourly values, its first-passage law.

The variance grows by sigma^2 an hour; what does not grow (noise, the daily cycle) is taken away by comparing changes
over 24 h with changes over 1 h. The law of the first passage is the inverse Gaussian (Schroedinger 1915), taken in the
log domain: its second term is a huge number times a tiny one.
"""

from dataclasses import dataclass

import numpy as np

from cloud.analysis.statistics import Floats, log_normal_below

DAY_H = 24
_DAYS_FOR_TREND = 7
_SIGNIFICANT = 3.0
_FAR_H = 24.0 * 365 * 10
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Wiener:
    """How the distance to a limit moves: approach an hour (positive: towards it), variance an hour."""

    approach: float
    variance: float


def fit_wiener(distance: Floats) -> Wiener:
    """Return the process behind hourly distances, shape (n,), n >= 25, NaN where an hour is missing; never clipped."""
    slow, fast = (_variance(distance[lag:] - distance[:-lag]) for lag in (DAY_H, 1))
    variance = max(0.0, (slow - fast) / (DAY_H - 1))
    return Wiener(_approach(distance, variance), variance)


def passage_probability(process: Wiener, distance: Floats, horizon_h: float) -> Floats:
    """Return the chance that zero is reached within the horizon from each distance, any shape; 1 where it already is.

    It never falls with the horizon and never rises with the distance.
    """
    ahead = np.asarray(distance, np.float64)
    towards = process.approach * horizon_h
    if process.variance <= 0:
        return np.where(ahead <= np.maximum(0.0, towards), 1.0, 0.0)
    spread = float(np.sqrt(process.variance * horizon_h))
    far = np.maximum(ahead, 0.0)
    direct = log_normal_below((towards - far) / spread)
    mirrored = 2 * process.approach * far / process.variance + log_normal_below(-(far + towards) / spread)
    chance = np.exp(np.minimum(0.0, np.logaddexp(direct, mirrored)))
    return np.asarray(np.where(ahead <= 0, 1.0, chance), np.float64)


def passage_time(process: Wiener, distance: float, chance: float) -> float | None:
    """Return the hours within which zero is reached with this chance; None beyond ten years."""
    at = np.array([distance])
    if float(passage_probability(process, at, _FAR_H)[0]) < chance:
        return None
    low, high = 0.0, _FAR_H
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        reached = middle > 0 and float(passage_probability(process, at, middle)[0]) >= chance
        low, high = (low, middle) if reached else (middle, high)
    return high


def _variance(changes: Floats) -> float:
    known = changes[np.isfinite(changes)]
    return float(known.var(ddof=1)) if len(known) > 1 else 0.0


def _approach(distance: Floats, variance: float) -> float:
    """Return minus the slope an hour of the last seven daily medians where it is beyond three standard errors.

    A slope that a walk without any drift easily makes by itself is none either: what is read as drift moves the
    chance far more than what is read as wandering.
    """
    days = min(_DAYS_FOR_TREND, len(distance) // DAY_H)
    if days < _DAYS_FOR_TREND:
        return 0.0
    rows = distance[-days * DAY_H :].reshape(days, DAY_H)
    if not np.isfinite(rows).any(axis=1).all():
        return 0.0
    medians = np.nanmedian(rows, axis=1)
    day = np.arange(days) - (days - 1) / 2
    slope = float(day @ medians / (day @ day))
    rest = medians - medians.mean() - slope * day
    of_line = float(rest @ rest) / (days - 2) / float(day @ day)
    of_walk = variance * DAY_H * 6 * (days**2 + 1) / (5 * days * (days**2 - 1))
    least = max(_SIGNIFICANT * float(np.sqrt(of_line)), float(np.sqrt(of_walk)))
    return -slope / DAY_H if abs(slope) > least else 0.0
