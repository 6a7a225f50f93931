"""Report by exception: hides changes within a deadband of the last reading that went on, for a bounded silence.

Laws: a change larger than the deadband is never hidden; a change of Quality is never hidden; a Tag whose readings keep
coming is never silent for longer than its maximum silence; a Tag without a deadband is not touched.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.reading import Column, Kind, ReadingBlock


@dataclass(frozen=True, slots=True)
class DeadbandRules:
    """What may be hidden, by tag index; each of shape (n_tags,).

    absolute: in the Tag's unit; relative: a share of the last value that went on; the wider of the two counts and both
    0 mean hide nothing. max_silence_us: 0 for no bound.
    """

    absolute: NDArray[np.float64]
    relative: NDArray[np.float64]
    max_silence_us: NDArray[np.int64]


class DeadbandGate:
    """Remembers per Tag what went on last: value (exact, by Kind), time and Quality; hidden: rows held back so far."""

    def __init__(self, rules: DeadbandRules) -> None:
        self._rules = rules
        self._is_on = (rules.absolute > 0) | (rules.relative > 0)
        self._is_any_on = bool(self._is_on.any())
        n_tags = len(rules.absolute)
        self._value: dict[Kind, NDArray[Any]] = {
            kind: np.zeros(n_tags, kind.dtype) for kind in Kind if kind is not Kind.TEXT
        }
        self._time_us = np.zeros(n_tags, np.int64)
        self._quality = np.zeros(n_tags, np.uint8)
        self._is_known = np.zeros(n_tags, np.bool_)
        self.hidden = 0

    def pass_on(self, block: ReadingBlock) -> ReadingBlock:
        """Return the rows that must go on, in their order."""
        if not self._is_any_on:
            return block
        passed = tuple(self._passed(column) for column in block.columns)
        kept = ReadingBlock(tuple(column for column in passed if len(column)), block.texts)
        self.hidden += len(block) - len(kept)
        return kept

    def _passed(self, column: Column) -> Column:
        if column.kind is Kind.TEXT or not self._is_on[column.tag].any():
            return column
        keep = np.zeros(len(column), np.bool_)
        for rows in rounds(column.tag):
            keep[rows] = self._judge(column, rows)
        return column if keep.all() else column.take(keep)

    def _judge(self, column: Column, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of these rows, no two of one Tag, go on; remember those."""
        tag, value, time_us = column.tag[rows], column.value[rows], column.time_us[rows]
        silent_us = time_us - self._time_us[tag]
        bound_us = self._rules.max_silence_us[tag]
        is_same_quality = self._is_known[tag] & (self._quality[tag] == column.quality[rows])
        is_recent = (silent_us >= 0) & ((bound_us == 0) | (silent_us < bound_us))
        keep: NDArray[np.bool_] = ~(
            self._is_on[tag] & is_same_quality & is_recent & self._is_close(column.kind, tag, value)
        )
        kept = tag[keep]
        self._value[column.kind][kept] = value[keep]
        self._time_us[kept] = time_us[keep]
        self._quality[kept] = column.quality[rows][keep]
        self._is_known[kept] = True
        return keep

    def _is_close(self, kind: Kind, tag: NDArray[np.uint32], value: NDArray[Any]) -> NDArray[np.bool_]:
        last = self._value[kind][tag]
        with np.errstate(invalid="ignore", over="ignore"):
            share = self._rules.relative[tag] * np.abs(last.astype(np.float64))
            limit = np.maximum(self._rules.absolute[tag], np.where(np.isfinite(share), share, 0.0))
            is_equal = (value == last) | ((value != value) & (last != last))  # noqa: PLR0124 - NaN of any dtype
            is_close: NDArray[np.bool_] = is_equal | (distance(kind, value, last) <= limit)
        return is_close


def distance(kind: Kind, left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """Return |left - right| of shape (n,), exact for 64-bit whole numbers up to the last rounding to a float."""
    if kind is Kind.FLOAT:
        return np.asarray(np.abs(left - right), np.float64)
    low, high = np.minimum(left, right), np.maximum(left, right)
    return np.asarray(high.astype(np.uint64) - low.astype(np.uint64), np.float64)


def rounds(tag: NDArray[np.uint32]) -> list[NDArray[np.intp]]:
    """Return row numbers in groups that hold each Tag once at most, a Tag's rows in their order."""
    if len(tag) < 2 or bool((tag[1:] > tag[:-1]).all()):
        return [np.arange(len(tag))]
    order = np.argsort(tag, kind="stable")
    is_first = np.concatenate(([True], tag[order][1:] != tag[order][:-1]))
    starts = np.flatnonzero(is_first)
    nth = np.arange(len(tag)) - np.repeat(starts, np.diff(np.append(starts, len(tag))))
    return [np.sort(order[nth == n]) for n in range(int(nth.max()) + 1)]
