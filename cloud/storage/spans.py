"""The spans of time that every reading store agrees on: windows, hours, and the buckets of a question."""

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Buckets

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
WINDOW_US = 3 * DAY_US
"""Readings are merged, and given up by retention, in whole windows; a reading of a window before its series' newest
one is late."""
CELL_US = 600 * SECOND_US
"""The finest rollup; buckets wider than this are whole multiples of it."""
END_US = 1 << 53
"""The end of time, in the year 2255: readings at or after it, or before 1970, are rejected."""

_BELOW_CELL = (1, 10, 100, 1000, 10_000, 100_000, *(n * SECOND_US for n in (1, 2, 5, 10, 15, 30, 60, 120, 300)))


def within_time(start_us: int, end_us: int) -> tuple[int, int]:
    """Return the part of a range in which readings can lie."""
    return max(start_us, 0), min(end_us, END_US)


def bucket_width_us(start_us: int, end_us: int, count: int) -> int:
    """Return a narrow width with which at most `count` buckets, aligned to the epoch, cover a range `within_time`."""
    for width in _BELOW_CELL:
        if _touched(start_us, end_us, width) <= count:
            return width
    cells = max(1, -(-(end_us - start_us) // (count * CELL_US)))
    while _touched(start_us, end_us, cells * CELL_US) > count:
        cells += max(1, cells // 64) if count > 1 else cells
    return cells * CELL_US


def _touched(start_us: int, end_us: int, width: int) -> int:
    return (end_us - 1) // width - start_us // width + 1


def no_buckets() -> Buckets:
    """Return an answer without a bucket."""
    return Buckets(np.empty(0, np.int64), np.empty(0, np.int64), *(np.empty(0, np.float64) for _ in range(3)))


def is_counted(value: NDArray[np.float64], quality: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which readings a rollup counts: those that are finite and not bad."""
    counted: NDArray[np.bool_] = np.isfinite(value) & (quality & 0xC0 != 0x80)
    return counted
