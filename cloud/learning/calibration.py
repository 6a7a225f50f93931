"""Calibration: scores 0..1 with .5 at the threshold, out of whatever a detector says."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from cloud.learning.table import Floats

BODY_POINTS = 33
TAIL_SHARE = 0.1
AT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """body: scores of rows not learned from at even shares up to the threshold; tail: mean excess of the highest."""

    threshold: float
    body: tuple[float, ...]
    tail: float

    @classmethod
    def of(cls, raw: Floats, alarm_share: float) -> Self:
        """Return the calibration by which this share of these scores (n,) is over the threshold."""
        threshold = float(np.quantile(raw, 1 - alarm_share))
        body = np.quantile(raw[raw <= threshold], np.linspace(0.0, 1.0, BODY_POINTS))
        body[-1] = threshold
        start = float(np.quantile(raw, 1 - TAIL_SHARE))
        return cls(threshold, tuple(body.tolist()), max(float(np.mean(raw[raw >= start] - start)), 1e-3))

    def scores(self, raw: Floats) -> Floats:
        """Return .5 F(s)/F(t) up to the threshold t, with F the share of rows below, then 1 - .5 exp(-(s - t)/tail)."""
        below = AT_THRESHOLD * np.interp(raw, self.body, np.linspace(0.0, 1.0, len(self.body)))
        above = 1.0 - AT_THRESHOLD * np.exp(-np.maximum(raw - self.threshold, 0.0) / self.tail)
        return np.where(raw > self.threshold, above, below)
