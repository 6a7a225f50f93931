"""What two days of hourly rollups say of a Tag: that it is stuck, or that its noise grew at one blow; pure."""

from dataclasses import dataclass

import numpy as np

from cloud.analysis.statistics import Floats
from cloud.ports import Buckets

HOUR_US = 3_600_000_000
HOURS = 48
RECENT_H = 6
_LEAST_BEFORE = 24
_LEAST_COUNT = 10
NOISE_RATIO = 3.0
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """Ranges (largest minus smallest) of the last six hours and of the time before, by their medians; level: newest."""

    recent_range: float
    usual_range: float
    level: float
    is_stuck: bool
    is_noisy: bool


def shape_of(rollup: Buckets, end_us: int) -> Shape | None:
    """Return what the 48 hours that end at end_us look like, None where too little of them was read."""
    low, high, means = _hours(rollup, end_us)
    spans = high - low
    recent, before = spans[-RECENT_H:], spans[:-RECENT_H]
    known = before[np.isfinite(before)]
    if not np.isfinite(recent).all() or len(known) < _LEAST_BEFORE:
        return None
    usual, now = float(np.median(known)), float(np.median(recent))
    was_moving = float((known > 0).mean()) > _HALF
    is_stuck = was_moving and bool(high[-RECENT_H:].max() == low[-RECENT_H:].min())
    is_noisy = usual > 0 and now > NOISE_RATIO * usual and float(np.quantile(known, 0.95)) < now
    return Shape(now, usual, float(means[-1]), is_stuck, is_noisy)


def _hours(rollup: Buckets, end_us: int) -> tuple[Floats, Floats, Floats]:
    """Return least, largest and mean of each hour, (48,), NaN where fewer than ten readings count."""
    at = (rollup.start_us - (end_us - HOURS * HOUR_US)) // HOUR_US
    chosen = (rollup.count >= _LEAST_COUNT) & (at >= 0) & (at < HOURS)
    low, high, means = np.full((3, HOURS), np.nan)
    low[at[chosen]], high[at[chosen]] = rollup.minimum[chosen], rollup.maximum[chosen]
    means[at[chosen]] = rollup.total[chosen] / rollup.count[chosen]
    return low, high, means
