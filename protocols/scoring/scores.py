"""Scores 0..1 out of what a model says: 0.5 at the threshold, as many normal rows below as the score says."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BODY_POINTS = 33
AT_THRESHOLD = 0.5


class Calibration(Protocol):
    """What turns raw scores into 0..1; as in Scoring."""

    @property
    def threshold(self) -> float:
        """Return the raw score that becomes 0.5."""

    @property
    def body(self) -> Sequence[float]:
        """Return raw scores at even shares of those under the threshold."""

    @property
    def tail(self) -> float:
        """Return the mean excess over it."""


def calibrated(raw: Floats, scoring: Calibration) -> Floats:
    """Return the scores (m,): 0.5 F(s)/F(t) up to the threshold t, 1 - 0.5 exp(-(s - t)/tail) above; NaN stays NaN."""
    body = np.asarray(scoring.body or (scoring.threshold - 1.0, scoring.threshold))
    over = raw - scoring.threshold
    below = AT_THRESHOLD * np.interp(over, body - scoring.threshold, np.linspace(0.0, 1.0, len(body)))
    above = 1.0 - AT_THRESHOLD * np.exp(-np.maximum(over, 0.0) / scoring.tail)
    return np.where(over > 0, above, below)


def body_of(raw: Floats, threshold: float) -> tuple[float, ...]:
    """Return the scores at evenly spaced shares of the normal ones under the threshold, which is the last."""
    under = raw[raw <= threshold]
    points = np.quantile(under, np.linspace(0.0, 1.0, BODY_POINTS)) if len(under) else np.full(2, threshold)
    points[-1] = threshold
    return tuple(float(point) for point in points)


def tail_of(raw: Floats, threshold: float) -> float:
    """Return the mean excess of the normal scores over the threshold; of the highest tenth where none is."""
    over = raw[raw > threshold]
    if len(over) == 0:
        over = raw[raw >= np.quantile(raw, 0.9)]
        threshold = float(over.min())
    return max(float((over - threshold).mean()), 1e-3)
