"""Readings -> rows: one value of each channel at the asset's period, whether they come together or one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from edge_agent.ports import Row
from protocols.reading import Quality, ReadingBlock

GAP_ROWS, GAP_S = 5, 2.0
"""So many rows, but so long at least, without one: windows must not reach across."""
MOST_HELD = 60
"""The most rows that are made of values held, where a Device tells changes only."""
MOST_LAYOUTS = 32
HAS_VALUE = ~np.isin(np.arange(256), [code for code in Quality if not code.has_value])
NEVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What the rows of one Device are made of.

    tags: index of each channel in the gateway's table; period_s: from row to row; stale_s: how old the value of each
    channel may be, infinity where a Device tells changes only; awaited: channels that a row waits for (those polled
    once a row), none where rows follow the clock.
    """

    tags: tuple[int, ...]
    period_s: float
    stale_s: tuple[float, ...]
    awaited: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the readings of a column with these tags go: rows of the column, and the channels they are of.

    is_whole: every channel once and in order; has_twins: one more than once.
    """

    rows: NDArray[np.intp]
    channels: NDArray[np.intp]
    is_whole: bool
    has_twins: bool


@dataclass(frozen=True, slots=True)
class _Moment:
    """Readings to be taken over at once, of these channels, or of all in their order where None."""

    at_us: int
    channels: NDArray[np.intp] | None
    values: NDArray[np.float64]
    is_good: NDArray[np.bool_]
    time_us: NDArray[np.int64]


class Rows:
    """Keeps the last value of each channel, and says when a row is complete; no array is written to once it is made."""

    def __init__(self, plan: RowPlan) -> None:
        n = len(plan.tags)
        self._channel = {tag: channel for channel, tag in enumerate(plan.tags)}
        self._period_us = max(1, round(plan.period_s * 1e6))
        self._gap_us = max(GAP_ROWS * self._period_us, round(GAP_S * 1e6))
        self._stale_us = np.array([NEVER_US if s == inf else round(s * 1e6) for s in plan.stale_s], np.int64)
        self._awaited = np.array(plan.awaited, np.intp)
        self._values = np.full(n, np.nan)
        self._is_good = np.zeros(n, np.bool_)
        self._time_us = np.full(n, -NEVER_US, np.int64)
        self._is_fresh = np.zeros(n, np.bool_)
        self._last_us: int | None = None
        self._next_us: int | None = None
        self._layouts: dict[bytes, _Layout] = {}

    def take(self, block: ReadingBlock) -> list[Row]:
        """Return the rows that these readings complete, mostly none or one."""
        rows: list[Row] = []
        for moment in self._moments(block):
            if not len(self._awaited):
                rows += self._held_before(moment.at_us)
            self._take_over(moment)
            if len(self._awaited) and self._is_complete(moment):
                rows.append(self._row(moment.at_us))
        return rows

    def _take_over(self, moment: _Moment) -> None:
        if moment.channels is None:
            self._values, self._is_good, self._time_us = moment.values, moment.is_good, moment.time_us
            return
        self._values, self._is_good, self._time_us = self._values.copy(), self._is_good.copy(), self._time_us.copy()
        self._values[moment.channels] = moment.values
        self._is_good[moment.channels] = moment.is_good
        self._time_us[moment.channels] = moment.time_us

    def _is_complete(self, moment: _Moment) -> bool:
        """Return whether all that a row waits for has come since the last one."""
        if moment.channels is not None:
            self._is_fresh[moment.channels] = True
            if not self._is_fresh[self._awaited].all():
                return False
        self._is_fresh[:] = False
        return True

    def _held_before(self, at_us: int) -> Iterator[Row]:
        """Yield the rows that were due before this time, of the values as they were."""
        if self._next_us is None or not 0 <= at_us - self._next_us + self._period_us <= MOST_HELD * self._period_us:
            self._next_us = at_us + self._period_us
            return
        while self._next_us <= at_us:
            yield self._row(self._next_us)
            self._next_us += self._period_us

    def _row(self, at_us: int) -> Row:
        is_gap = self._last_us is None or not 0 < at_us - self._last_us <= self._gap_us
        self._last_us = at_us
        if len(self._awaited) == len(self._values):
            return Row(at_us, self._values, self._is_good, is_gap)
        return Row(at_us, self._values, self._is_good & (at_us - self._time_us <= self._stale_us), is_gap)

    def _moments(self, block: ReadingBlock) -> Iterator[_Moment]:
        for whole in block.columns:
            column = whole
            layout = self._layout(column.tag)
            if not len(layout.rows):
                continue
            rows, channels = layout.rows, layout.channels
            if len(rows) < len(column):
                column = column.take(rows)
            times, values = column.time_us, column.value.astype(np.float64, copy=False)
            is_good = column.quality < Quality.BAD
            if np.count_nonzero(is_good) < len(is_good):
                values = np.where(HAS_VALUE[column.quality], values, np.nan)
            if not layout.has_twins:
                yield _Moment(max(times.tolist()), None if layout.is_whole else channels, values, is_good, times)
                continue
            order = np.argsort(times, kind="stable")
            for part in np.split(order, np.flatnonzero(np.diff(times[order])) + 1):
                yield _Moment(int(times[part[0]]), channels[part], values[part], is_good[part], times[part])

    def _layout(self, tags: NDArray[np.uint32]) -> _Layout:
        key = tags.tobytes()
        layout = self._layouts.get(key)
        if layout is None:
            found = [(row, self._channel[tag]) for row, tag in enumerate(tags.tolist()) if tag in self._channel]
            channels = np.array([channel for _, channel in found], np.intp)
            rows = np.array([row for row, _ in found], np.intp)
            n = len(self._values)
            is_whole = len(channels) == n and bool((channels == np.arange(n)).all())
            layout = _Layout(rows, channels, is_whole, len(set(channels.tolist())) < len(channels))
            if len(self._layouts) < MOST_LAYOUTS:
                self._layouts[key] = layout
        return layout
