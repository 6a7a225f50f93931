"""When a slow trend reaches a critical limit: the Theil-Sen line through a week of hourly medians.

Theil (1950), Sen (1968): the median of the slopes between all pairs. Its standard error bears what follows itself:
the long-run variance of the residuals instead of their variance, over the efficiency of the estimator (3 / pi at worst
for normal residuals), so that a slow wave of a healthy machine is no trend.
"""

from dataclasses import dataclass

import numpy as np

from cloud.analysis.long_run import remember
from cloud.analysis.statistics import Floats

WEEK_H = 168
LEAST_MEDIANS = 72
SIGNIFICANT = 3.0
_EFFICIENCY = 3 / np.pi


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through hourly medians: slope and its standard error an hour, level at the end of the last hour."""

    slope: float
    error: float
    level: float
    medians: int

    @property
    def is_significant(self) -> bool:
        """Return whether the slope is beyond three standard errors."""
        return abs(self.slope) > SIGNIFICANT * self.error

    def hours_to(self, crit: float, warn: float, *, passed_h: float = 0.0) -> float:
        """Return when the critical limit is reached, `passed_h` after the line's end; infinite where it never is.

        0 where it is reached already; warn tells on which side of it the limit lies.
        """
        if not self.is_significant:
            return float("inf")
        towards = 1.0 if crit > warn else -1.0
        left = (crit - self.level) * towards
        speed = self.slope * towards
        if left <= 0:
            return 0.0
        return max(0.0, left / speed - passed_h) if speed > 0 else float("inf")


def fit_trend(medians: Floats) -> Trend | None:
    """Return the line through hourly medians (n,), NaN where an hour has none; None for fewer than 72 of them."""
    hour = np.flatnonzero(np.isfinite(medians)).astype(np.float64)
    if len(hour) < LEAST_MEDIANS:
        return None
    known = medians[np.isfinite(medians)]
    later, earlier = np.triu_indices(len(hour), k=1)[::-1]
    slope = float(np.median((known[later] - known[earlier]) / (hour[later] - hour[earlier])))
    rest = known - slope * hour
    level = float(np.median(rest)) + slope * (len(medians) - 0.5)
    return Trend(slope, _error(rest - rest.mean(), hour), level, len(hour))


def _error(residuals: Floats, hour: Floats) -> float:
    """Return the standard error of the slope."""
    memory = remember([residuals])
    spread = float(((hour - hour.mean()) ** 2).sum())
    variance = max(memory.long_run, memory.variance) * len(hour) / max(len(hour) - 2, 1)
    return float(np.sqrt(variance / (_EFFICIENCY * spread)))
