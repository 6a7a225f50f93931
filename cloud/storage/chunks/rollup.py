"""Rollups: how many, their sum, the smallest and the largest, by equal spans of time; pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Buckets
from cloud.storage.spans import CELL_US, is_counted, no_buckets

CELLS = np.dtype([("start", "<u4"), ("count", "<u4"), ("total", "<f8"), ("minimum", "<f8"), ("maximum", "<f8")])
"""One cell of a stored rollup; start: in cells of ten minutes since the epoch."""
_FIRST = np.zeros(1, np.intp)


def roll_up(
    time_us: NDArray[np.int64], value: NDArray[np.float64], quality: NDArray[np.uint8], width_us: int
) -> Buckets:
    """Return the rollup of readings in order of time; starts are multiples of the width."""
    counted = is_counted(value, quality)
    if not counted.all():
        time_us, value = time_us[counted], value[counted]
    if not len(value):
        return no_buckets()
    span = time_us // width_us
    ends = np.flatnonzero(span[1:] != span[:-1]) + 1
    begins = np.concatenate((_FIRST, ends))
    with np.errstate(over="ignore"):
        total = np.add.reduceat(value, begins)
    return Buckets(
        span[begins] * width_us,
        np.concatenate((ends, [len(value)])) - begins,
        total,
        np.minimum.reduceat(value, begins),
        np.maximum.reduceat(value, begins),
    )


def combine(parts: Sequence[Buckets], width_us: int) -> Buckets:
    """Return rollups of disjoint readings as one, in spans of this width, in order of time."""
    filled = [part for part in parts if len(part.start_us)]
    if not filled:
        return no_buckets()
    start = np.concatenate([part.start_us for part in filled]) // width_us
    order = np.argsort(start, kind="stable")
    start = start[order]
    begins = np.concatenate(([0], np.flatnonzero(start[1:] != start[:-1]) + 1))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(np.concatenate([part.total for part in filled])[order], begins)
    return Buckets(
        start[begins] * width_us,
        np.add.reduceat(np.concatenate([part.count for part in filled])[order], begins),
        total,
        np.minimum.reduceat(np.concatenate([part.minimum for part in filled])[order], begins),
        np.maximum.reduceat(np.concatenate([part.maximum for part in filled])[order], begins),
    )


def to_bytes(rollup: Buckets) -> bytes:
    """Return a rollup in cells as it lies in the store."""
    cells = np.empty(len(rollup.start_us), CELLS)
    cells["start"] = rollup.start_us // CELL_US
    cells["count"] = rollup.count
    cells["total"] = rollup.total
    cells["minimum"] = rollup.minimum
    cells["maximum"] = rollup.maximum
    return cells.tobytes()


def from_bytes(data: bytes) -> Buckets:
    """Return the rollup that lies in the store; several may lie one behind another."""
    cells = np.frombuffer(data, CELLS)
    return Buckets(
        cells["start"].astype(np.int64) * CELL_US,
        cells["count"].astype(np.int64),
        cells["total"],
        cells["minimum"],
        cells["maximum"],
    )


def clip(rollup: Buckets, start_us: int) -> Buckets:
    """Return the rollup with no start before the start of the range."""
    return Buckets(np.maximum(rollup.start_us, start_us), rollup.count, rollup.total, rollup.minimum, rollup.maximum)
