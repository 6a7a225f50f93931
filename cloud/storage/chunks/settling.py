"""What becomes of each reading that arrives: stored, duplicate, replaced; pure but for looking up what is there."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

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
    """Return which rows have another of their series and time in the store, and which of them equal the newest one.

    The rows are in order and no two of them are equal.
    """
    known = np.zeros(len(asked), np.bool_)
    same = np.zeros(len(asked), np.bool_)
    there = stack([near for near in _near(asked, source, parts) if len(near)])
    if not len(there):
        return known, same
    joined = stack([there, asked])
    order = np.lexsort((joined.time_us, joined.series))  # stable: of equal ones the newest is last, the asked behind it
    repeat = np.flatnonzero(is_repeat(joined.take(order)))
    repeat = repeat[order[repeat] >= len(there)]
    mine, theirs = order[repeat] - len(there), order[repeat - 1]
    known[mine] = True
    same[mine] = (asked.bits[mine] == there.bits[theirs]) & (asked.quality[mine] == there.quality[theirs])
    return known, same


def _near(asked: Rows, source: int, parts: Parts) -> Iterator[Rows]:
    """Yield what the store has in the time of the rows, oldest first; what is damaged is passed over."""
    start_us, end_us = int(asked.time_us.min()), int(asked.time_us.max()) + 1
    series = asked.series[asked.runs()[:-1]]
    for piece in parts.pieces_of(series.tolist(), start_us, end_us):
        if piece.is_kept:
            yield from (rows.cut(start_us, end_us) for rows in _sound(partial(parts.remembered_piece, piece)))
    loose = [parts.bundles(pool, start_us, end_us) for pool in np.unique(series // GROUP).tolist()]
    for _, open_it in chain(*loose, parts.batches(source, start_us, end_us)):
        yield from (rows.between(start_us, end_us) for rows in _sound(open_it))


def _sound(open_it: Callable[[], Rows]) -> Iterator[Rows]:
    try:
        yield open_it()
    except DamagedPart:
        return
