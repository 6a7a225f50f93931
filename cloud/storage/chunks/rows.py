"""Rows: readings of many series as parallel arrays, the form in which they move between the levels of the store.

A value is its 64 bits, whatever its kind: a float's own, an integer's, a bool as 0 or 1, a text as its id. So equal
bits mean equal values, NaN payloads and the sign of zero included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from protocols.reading import Kind

Ids = NDArray[np.int32]
Bits = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Readings as arrays of shape (n,): id of the series, time, bits of the value, quality."""

    series: Ids
    time_us: NDArray[np.int64]
    bits: Bits
    quality: NDArray[np.uint8]

    @classmethod
    def none(cls) -> Self:
        """Return no rows."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint8))

    @classmethod
    def of_one(cls, series: int, time_us: NDArray[np.int64], bits: Bits, quality: NDArray[np.uint8]) -> Self:
        """Return the readings of one series."""
        return cls(np.full(len(time_us), series, np.int32), time_us, bits, quality)

    def __len__(self) -> int:
        return len(self.series)

    def take(self, keep: Any) -> Self:  # noqa: ANN401  # a slice, a mask or an index array
        """Return the rows that a slice, a boolean mask or an index array names."""
        return type(self)(self.series[keep], self.time_us[keep], self.bits[keep], self.quality[keep])

    def between(self, start_us: int, end_us: int) -> Self:
        """Return the rows with start_us <= time < end_us, in their order."""
        return self.take((self.time_us >= start_us) & (self.time_us < end_us))

    def cut(self, start_us: int, end_us: int) -> Self:
        """Return the rows with start_us <= time < end_us of one series in order of time."""
        return self.take(slice(*np.searchsorted(self.time_us, (start_us, end_us))))

    def of(self, series: int) -> Self:
        """Return the rows of one series from rows in order of series."""
        return self.take(slice(*np.searchsorted(self.series, (series, series + 1))))

    def runs(self) -> NDArray[np.intp]:
        """Return where each series begins in rows in order of series, and their end: shape (n_series + 1,)."""
        if not len(self):
            return np.zeros(1, np.intp)
        inner = np.flatnonzero(self.series[1:] != self.series[:-1]) + 1
        return np.concatenate(([0], inner, [len(self)])).astype(np.intp)

    def is_ordered(self) -> bool:
        """Return whether the rows are in order of series, and of time in each, without an equal pair."""
        step = np.diff(self.series)
        return not bool(((step < 0) | ((step == 0) & (np.diff(self.time_us) <= 0))).any())


def stack(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts, one behind another."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Rows.none()
    return Rows(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.bits for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )


def ordered(rows: Rows) -> Rows:
    """Return the rows in order of series and time; equal ones keep their order."""
    if rows.is_ordered():
        return rows
    # numpy sorts 16-bit keys by radix, several times as fast as wider ones
    low = int(rows.series.min())
    narrow = int(rows.series.max()) - low < 1 << 16
    keys = (rows.series - low).astype(np.uint16) if narrow else rows.series
    by_series = rows.take(np.argsort(keys, kind="stable"))
    falls = (np.diff(by_series.series) == 0) & (np.diff(by_series.time_us) < 0)
    return by_series if not falls.any() else rows.take(np.lexsort((rows.time_us, rows.series)))


def is_repeat(rows: Rows) -> NDArray[np.bool_]:
    """Return which rows, in order, have the series and time of the row before."""
    repeat = np.zeros(len(rows), np.bool_)
    repeat[1:] = (rows.series[1:] == rows.series[:-1]) & (rows.time_us[1:] == rows.time_us[:-1])
    return repeat


def newest(rows: Rows) -> Rows:
    """Return rows given in order of arrival in order of series and time, the newest arrival of equal ones only."""
    if not len(rows):
        return rows
    sorted_rows = ordered(rows)
    repeat = is_repeat(sorted_rows)
    if not repeat.any():
        return sorted_rows
    return sorted_rows.take(~np.concatenate((repeat[1:], [False])))


def to_bits(kind: Kind, value: NDArray[Any]) -> Bits:
    """Return the bits of a value column of this kind; texts must be ids already."""
    if kind in (Kind.FLOAT, Kind.INT, Kind.UINT):
        return np.ascontiguousarray(value).view(np.uint64)
    return value.astype(np.uint64)


def from_bits(kind: Kind, bits: Bits) -> NDArray[Any]:
    """Return the value column of this kind; texts are still ids."""
    if kind in (Kind.FLOAT, Kind.INT, Kind.UINT):
        return bits.view(kind.dtype)
    return bits.astype(kind.dtype)


def to_floats(kind: Kind, bits: Bits) -> NDArray[np.float64]:
    """Return values as rollups see them: numbers as floats, bools as 0 and 1, texts as NaN."""
    if kind == Kind.TEXT:
        return np.full(len(bits), np.nan)
    return from_bits(kind, bits).astype(np.float64, copy=False)
