"""What becomes of each reading that arrives: stored, duplicate, replaced; pure but for looking up what is there."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Written
from cloud.storage.chunks.blocks import DamagedPart
from cloud.storage.chunks.parts import Parts
from cloud.storage.chunks.rows import Rows, is_repeat, stack
from cloud.storage.chunks.schema import GROUP
from cloud.storage.spans import WINDOW_US


def settle(rows: Rows, before: NDArray[np.int64], source: int, parts: Parts) -> Written:
    """Return how many of the rows, in order of series and time, are new, known or replace others.

    before: time of the newest reading of each row's series before these came; shape (n,).
    """
    repeat = is_repeat(rows)
    behind = (rows.time_us <= before) & ~repeat
    known = np.zeros(len(rows), np.bool_)
    same = np.zeros(len(rows), np.bool_)
    if repeat.any():
        places = np.flatnonzero(repeat)
        known[places] = True
        same[places] = (rows.bits[places] == rows.bits[places - 1]) & (rows.quality[places] == rows.quality[places - 1])
    if behind.any():
        places = np.flatnonzero(behind)
        known[places], same[places] = _find(rows.take(places), source, parts)
    new = int(len(rows) - known.sum())
    late = int((~known & behind & (rows.time_us // WINDOW_US < before // WINDOW_US)).sum()) if behind.any() else 0
    duplicate = int(same.sum())
    return Written(stored=new, duplicate=duplicate, replaced=len(rows) - new - duplicate, late=late)


def last_of_each(rows: Rows) -> Rows:
    """Return the last row of each series of rows in order."""
    return rows.take(rows.runs()[1:] - 1)


def _find(asked: Rows, source: int, parts: Parts) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows have another of their series and time in the store, and which of them equal the newest one."""
    known = np.zeros(len(asked), np.bool_)
    same = np.zeros(len(asked), np.bool_)
    for part in _overlapping(asked, source, parts):
        mine, theirs = _matches(asked, part)
        known[mine] = True
        same[mine] = (asked.bits[mine] == part.bits[theirs]) & (asked.quality[mine] == part.quality[theirs])
    return known, same


def _overlapping(asked: Rows, source: int, parts: Parts) -> Iterator[Rows]:
    """Yield what the store has near the rows, oldest first; what is damaged is passed over."""
    runs = asked.runs()
    for begin, end in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True):
        first, last = int(asked.time_us[begin]), int(asked.time_us[end - 1])
        for piece in parts.pieces(int(asked.series[begin]), first, last + 1):
            if piece.is_kept:
                yield from _sound(partial(parts.remembered_piece, piece))
    start_us, end_us = int(asked.time_us.min()), int(asked.time_us.max()) + 1
    for pool in np.unique(asked.series // GROUP).tolist():
        for _, open_it in parts.bundles(pool, start_us, end_us):
            yield from _sound(open_it)
    for _, open_it in parts.batches(source, start_us, end_us):
        yield from _sound(open_it)


def _sound(open_it: Callable[[], Rows]) -> Iterator[Rows]:
    try:
        yield open_it()
    except DamagedPart:
        return


def _matches(asked: Rows, part: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of equal series and time in both; both are in order and without equal rows."""
    low, high = int(asked.time_us.min()), int(asked.time_us.max())
    near = np.flatnonzero((part.time_us >= low) & (part.time_us <= high))
    joined = stack([part.take(near), asked])
    order = np.lexsort((joined.time_us, joined.series))  # stable: of two equal ones the part's is first
    repeat = np.flatnonzero(is_repeat(joined.take(order)))
    return order[repeat] - len(near), near[order[repeat - 1]]
