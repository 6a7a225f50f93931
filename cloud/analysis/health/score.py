"""What a health score is made of, each part 0..1 or NaN where it is not known, and how they become one; pure.

The score is a weighted geometric mean: a bad part cannot be averaged away by good ones.
"""

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.statistics import Floats
from cloud.domain.health import Part

PARTS = (Part.LIMITS, Part.ANOMALIES, Part.TREND, Part.DRIFT, Part.QUALITY)
WEIGHTS = np.array([0.35, 0.25, 0.20, 0.10, 0.10])
FLOOR = 0.01
"""Of each part, so that one alone cannot hide what the others say."""
DRIFT_FLOOR = 0.5
TREND_FULL_H = 14 * 24.0
LEAST_SHARE = 0.01
"""The smallest share of anomalous rows that is taken for a model's own."""
_LARGEST_OWN_SHARE = 0.49
_MEASURED = slice(0, 3)


def health_scores(parts: Floats) -> Floats:
    """Return the scores (n,) of parts (n, 5) in the order of PARTS: NaN with none of limits, anomalies and trend.

    Parts that are NaN drop out and the weights of the others are scaled to a sum of one.
    """
    known = np.isfinite(parts)
    weights = np.where(known, WEIGHTS, 0.0)
    logs = np.log(np.clip(np.where(known, parts, 1.0), FLOOR, 1.0))
    with np.errstate(invalid="ignore"):
        scores = np.clip(np.exp((weights * logs).sum(axis=1) / weights.sum(axis=1)), FLOOR, 1.0)  # rounding
    return np.where(known[:, _MEASURED].any(axis=1), scores, np.nan)


def limit_margin(values: Floats, warn: Floats, crit: Floats) -> Floats:
    """Return how much is left of the way from the warning to the critical limit, high or low: 1 before, 0 behind."""
    with np.errstate(over="ignore", invalid="ignore"):
        left = (crit - values) / (crit - warn)
    return np.asarray(np.clip(left, 0.0, 1.0), np.float64)


def anomaly_freedom(share: Floats, own_share: Floats) -> Floats:
    """Return how free of anomalies rows are: 1 up to the share that the model cries by itself, 0 from a half on."""
    own = np.clip(own_share, LEAST_SHARE, _LARGEST_OWN_SHARE)
    return np.asarray(1.0 - np.clip((share - own) / (0.5 - own), 0.0, 1.0), np.float64)


def trend_room(hours_to_limit: Floats) -> Floats:
    """Return the room of a trend: 1 where the critical limit is two weeks and more away, 0 where it is reached."""
    return np.asarray(np.clip(hours_to_limit / TREND_FULL_H, 0.0, 1.0), np.float64)


def drift_freedom(drifting: NDArray[np.int64], checked: NDArray[np.int64]) -> Floats:
    """Return the share of checked channels without lasting drift, at least a half; NaN where none was checked."""
    share = drifting / np.maximum(checked, 1)
    return np.where(checked > 0, np.maximum(DRIFT_FLOOR, 1.0 - share), np.nan)


def completeness(good: Floats, expected: Floats) -> Floats:
    """Return good / expected readings, at most 1; NaN where none were to be expected."""
    return np.where(expected > 0, np.clip(good / np.maximum(expected, 1.0), 0.0, 1.0), np.nan)
