"""Where normal ends, and scores 0..1 out of what a model says: 0.5 at the threshold."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BODY_POINTS = 33
AT_THRESHOLD = 0.5
TAIL_SHARE = 0.1
"""The highest tenth is where the tail is looked at: the usual compromise between too few and too ordinary scores."""
MIN_TAIL = 100
"""So many scores in the tail, and its fitted shape is worth more than the plain quantile."""

LOG_TAIL = 0.2
"""The mean excess of logs of surprises where rows are normally distributed; whether they have memory hardly matters."""
PRIOR_RUNS = 30


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


def threshold_of(raw: Floats, alarm_share: float) -> float:
    """Return the value that this share of normal scores (n,) exceeds; by peaks over threshold once there are enough.

    The generalised Pareto tail is fitted by probability-weighted moments (Hosking and Wallis 1987).
    """
    start = float(np.quantile(raw, 1 - TAIL_SHARE))
    excess = np.sort(raw[raw > start] - start)
    if len(excess) < MIN_TAIL or alarm_share >= TAIL_SHARE:
        return float(np.quantile(raw, 1 - alarm_share))
    weights = 1 - (np.arange(1, len(excess) + 1) - 0.35) / len(excess)
    mean, moment = float(excess.mean()), float(np.mean(weights * excess))
    shape = min(max(2 - mean / (mean - 2 * moment), -0.5), 0.5)
    scale = 2 * mean * moment / (mean - 2 * moment)
    ratio = len(excess) / len(raw) / alarm_share
    growth = float(np.log(ratio)) if abs(shape) < 1e-6 else (ratio**shape - 1) / shape
    return start + scale * growth


def body_points(scoring: Calibration) -> Sequence[float]:
    """Return the raw scores at even shares up to the threshold; a straight line where none were learned."""
    return scoring.body or (scoring.threshold - 1.0, scoring.threshold)


def calibrated(raw: Floats, scoring: Calibration) -> Floats:
    """Return the scores (m,): 0.5 F(s)/F(t) up to the threshold t, 1 - 0.5 exp(-(s - t)/tail) above; NaN stays NaN."""
    return Calibrator(scoring).scores(raw)


class Calibrator:
    """A Calibration made ready for many calls."""

    def __init__(self, scoring: Calibration) -> None:
        self._threshold = scoring.threshold
        self._body = np.asarray(body_points(scoring))
        self._shares = np.linspace(0.0, AT_THRESHOLD, len(self._body))
        self._decay = -1.0 / scoring.tail

    def scores(self, raw: Floats) -> Floats:
        """Return the scores (m,) of raw ones; see `calibrated`."""
        scores = np.interp(raw, self._body, self._shares)
        over = raw > self._threshold
        if over.any():
            scores[over] = 1.0 - AT_THRESHOLD * np.exp((raw[over] - self._threshold) * self._decay)
        return np.asarray(scores)


def body_of(raw: Floats, threshold: float) -> tuple[float, ...]:
    """Return the scores at evenly spaced shares of the normal ones under the threshold, which is the last."""
    under = raw[raw <= threshold]
    points = np.quantile(under, np.linspace(0.0, 1.0, BODY_POINTS)) if len(under) else np.full(2, threshold)
    points[-1] = threshold
    return tuple(points.tolist())


def tail_of(raw: Floats, threshold: float, *, prior: float | None = None) -> float:
    """Return the mean excess of the highest tenth of normal scores (n,), in order of time, over where it begins.

    Beyond the threshold itself lie too few. A prior counts as PRIOR_RUNS runs of excesses, because the rows of one run
    say the same thing: the scores of assets that learned from few rows are to be compared with each other.
    """
    start = min(threshold, float(np.quantile(raw, 1 - TAIL_SHARE)))
    is_over = raw >= start
    tail = float(np.mean(raw[is_over] - start))
    if prior is not None:
        runs = int(is_over[0]) + int(np.count_nonzero(is_over[1:] & ~is_over[:-1]))
        tail = (runs * tail + PRIOR_RUNS * prior) / (runs + PRIOR_RUNS)
    return max(tail, 1e-3)
