"""Times that rise: no two readings of one tag have the same time, even while the wall clock stands still.

Where the clock itself lies more than a second behind the last time, it was stepped back, which is for others to
announce: times are taken as they are, and rise from there.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.reading import Column, ReadingBlock

STEP_US = 1_000_000


class Rising:
    """Remembers the last time of each tag; first_tag, count: the tags it is asked about."""

    def __init__(self, first_tag: int, count: int) -> None:
        self._first_tag = first_tag
        self._last = np.full(count, np.iinfo(np.int64).min // 2, np.int64)

    def of_poll(self, block: ReadingBlock, now_us: int) -> ReadingBlock:
        """Return the block with rising times, where no tag occurs twice."""
        return ReadingBlock(tuple(self._lift(column, now_us) for column in block.columns), block.texts)

    def together(self, block: ReadingBlock, now_us: int) -> ReadingBlock:
        """Return the block, where no tag occurs twice, with one time for all its rows: now, or a little later."""
        time_us = now_us
        for column in block.columns:
            last = self._last[column.tag - np.uint32(self._first_tag)]
            time_us = max(time_us, int(last[last <= now_us + STEP_US].max(initial=now_us - 1)) + 1)
        for column in block.columns:
            self._last[column.tag - np.uint32(self._first_tag)] = time_us
        return ReadingBlock(tuple(_at(column, time_us) for column in block.columns), block.texts)

    def of_changes(self, block: ReadingBlock, now_us: int) -> ReadingBlock:
        """Return the block with rising times, where a tag may occur more than once, its readings in order."""
        return ReadingBlock(tuple(self._lift_runs(column, now_us) for column in block.columns), block.texts)

    def _lift(self, column: Column, now_us: int) -> Column:
        index = column.tag - np.uint32(self._first_tag)
        last = self._last[index]
        is_behind = column.time_us <= last
        if is_behind.any():
            is_step = now_us < last - STEP_US
            times = np.where(is_behind & ~is_step, last + 1, column.time_us)
            column = Column(column.kind, column.tag, times, column.value, column.quality)
        self._last[index] = column.time_us
        return column

    def _lift_runs(self, column: Column, now_us: int) -> Column:
        """Lift the first reading of each tag, then the second ones, and so on: as many rounds as the longest run."""
        times = column.time_us.copy()
        left = np.arange(len(column))
        while len(left):
            _, first = np.unique(column.tag[left], return_index=True)
            rows: NDArray[np.intp] = left[first]
            times[rows] = self._lift(column.take(rows), now_us).time_us
            left = np.delete(left, first)
        return Column(column.kind, column.tag, times, column.value, column.quality)


def _at(column: Column, time_us: int) -> Column:
    return Column(column.kind, column.tag, np.full(len(column), time_us, np.int64), column.value, column.quality)
