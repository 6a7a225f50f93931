"""The shape of the last two days: what is stuck, whatever sums are rounded to."""

import numpy as np
import pytest

from cloud.analysis.recommending.shapes import HOUR_US, HOURS, Shape, shape_of
from cloud.ports import Buckets


def shape(level: float, counts: list[int], *, step: float = 0.0) -> Shape:
    """Return the shape of a Tag that moved until so many hours ago, and then read level; counts: readings an hour."""
    n = len(counts)
    hours = np.arange(HOURS, dtype=np.int64)
    low, high, count = np.full(HOURS, level - 1), np.full(HOURS, level + 1), np.full(HOURS, 360)
    low[-n:] = high[-n:] = level + step * np.arange(n)
    count[-n:] = counts
    sums = (low + high) / 2 * count
    sums[-n:] = [float(np.cumsum(np.full(each, at))[-1]) for each, at in zip(counts, low[-n:], strict=True)]
    rollup = Buckets(hours * HOUR_US, count, sums, low, high)
    found = shape_of(rollup, HOURS * HOUR_US)
    assert found is not None
    return found


@pytest.mark.parametrize("level", [0.1, 2.7182818, 0.3 * 7, -1e-3, 0.0])
def test_a_level_that_stays_is_stuck_however_many_readings_an_hour_has(level: float) -> None:
    assert shape(level, [360, 360, 359, 17, 361, 358]).is_stuck


def test_a_level_that_goes_from_hour_to_hour_is_not_stuck() -> None:
    assert not shape(2.5, [360] * 6, step=0.01).is_stuck
