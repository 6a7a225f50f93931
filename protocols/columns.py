"""ReadingBlock <-> bytes: the body of a data batch before it is compressed.

Readings of one tag are put one behind another (a poll of T tags repeated P times is a matrix and costs nothing to
transpose; anything else is sorted by tag), written as differences, floats as whole numbers where that is exact. Times
are written as runs of equal times, since one poll has one time. Decoding restores rows, order and bits.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols import decimals
from protocols.batch import MAX_READINGS
from protocols.errors import InvalidContent
from protocols.packing import Packed, PackedSeries, pack, pack_series, unpack, unpack_series
from protocols.reading import Column, Kind, Quality, ReadingBlock

MAX_TEXT_LENGTH = 4096
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_READINGS)]
Texts = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)], ...], msgspec.Meta(max_length=MAX_READINGS)
]
_UINT8, _UINT32, _INT64 = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.int64)
_KNOWN_QUALITY = np.isin(np.arange(256), list(Quality))


class PackedColumn(msgspec.Struct, frozen=True, array_like=True):
    """A Column on the wire.

    period: tags in one poll where each poll reads the same ones, else 0, and then `tag` holds every row's; runs: how
    often the time changes, plus one; forms: of floats, one a series, else empty; values: one a form that occurs.
    """

    kind: Kind
    count: Count
    period: Count
    tag: Packed
    runs: Count
    run_length: Packed
    run_time: PackedSeries
    quality: Packed
    forms: Packed
    values: tuple[PackedSeries, ...]


class PackedBlock(msgspec.Struct, frozen=True, array_like=True):
    """A ReadingBlock on the wire."""

    columns: Annotated[tuple[PackedColumn, ...], msgspec.Meta(max_length=len(Kind))]
    texts: Texts


class Grouping(NamedTuple):
    """How the rows of a column are put together by tag: an order, or a period; starts: where each tag begins."""

    total: int
    period: int
    order: NDArray[np.intp] | None
    starts: NDArray[np.intp]

    def group(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the rows with those of one tag one behind another."""
        if self.order is not None:
            return rows[self.order]
        return rows.reshape(-1, self.period).T.reshape(-1)

    def restore(self, grouped: NDArray[Any]) -> NDArray[Any]:
        """Return the rows in the order in which they were read."""
        if self.order is None:
            return grouped.reshape(self.period, -1).T.reshape(-1)
        rows = np.empty_like(grouped)
        rows[self.order] = grouped
        return rows


def encode(block: ReadingBlock) -> bytes:
    """Return the block as bytes; raise InvalidContent where it has more readings or longer texts than allowed."""
    if len(block) > MAX_READINGS:
        raise InvalidContent(f"a block of {len(block)} readings is over {MAX_READINGS}")
    longest = max(map(len, block.texts), default=0)
    if longest > MAX_TEXT_LENGTH or len(block.texts) > MAX_READINGS:
        raise InvalidContent(f"{len(block.texts)} texts of up to {longest} characters are over the bounds")
    with np.errstate(all="ignore"):
        packed = PackedBlock(tuple(_pack_column(column) for column in block.columns), block.texts)
    try:
        return msgspec.msgpack.encode(packed)
    except UnicodeEncodeError as error:
        raise InvalidContent(f"a text is not valid Unicode: {error}") from error


def decode(body: bytes) -> ReadingBlock:
    """Return the block, bit for bit; raise InvalidContent for anything that `encode` would not have written."""
    try:
        packed = msgspec.msgpack.decode(body, type=PackedBlock)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent(f"not a block of readings: {error}") from error
    count = sum(column.count for column in packed.columns)
    if count > MAX_READINGS:
        raise InvalidContent(f"a block of {count} readings is over {MAX_READINGS}")
    with np.errstate(all="ignore"):
        return ReadingBlock(tuple(_unpack_column(column) for column in packed.columns), packed.texts)


def _pack_column(column: Column) -> PackedColumn:
    period = _period(column.tag)
    groups = _grouping(column.tag[:period] if period else column.tag, len(column), period)
    forms, values = _pack_values(column, groups)
    runs, run_length, run_time = _pack_times(column.time_us)
    return PackedColumn(
        kind=column.kind,
        count=len(column),
        period=period,
        tag=pack(_steps(column.tag[:period] if period else column.tag)),
        runs=runs,
        run_length=run_length,
        run_time=run_time,
        quality=pack(column.quality),
        forms=forms,
        values=values,
    )


def _unpack_column(packed: PackedColumn) -> Column:
    count, period = packed.count, packed.period
    if period and (count < period or count % period):
        raise InvalidContent(f"{count} readings are not polls of {period}")
    names = np.cumsum(unpack(packed.tag, period or count, _UINT32), dtype=np.uint32)
    groups = _grouping(names, count, period)
    quality = unpack(packed.quality, count, _UINT8)
    if not _KNOWN_QUALITY[quality].all():
        raise InvalidContent("a reading has a quality that does not exist")
    value = groups.restore(_unpack_values(packed, groups))
    if packed.kind == Kind.BOOL and count and value.max() > 1:
        raise InvalidContent(f"{value.max()} is no bool")
    tag = np.tile(names, count // period) if period else names
    return Column(packed.kind, tag, _unpack_times(packed), value, quality)


def _period(tag: NDArray[np.uint32]) -> int:
    """Return how many tags one poll has where all polls have the same, else 0."""
    if not len(tag):
        return 0
    again = tag[1:] == tag[0]
    period = int(again.argmax()) + 1 if again.any() else len(tag)
    if len(tag) % period:
        return 0
    return period if bool((tag[period:] == tag[:-period]).all()) else 0


def _grouping(names: NDArray[np.uint32], count: int, period: int) -> Grouping:
    if period:
        return Grouping(count, period, None, np.arange(0, count, count // period))
    # numpy sorts 16-bit keys by radix, several times as fast as wider ones
    keys = names.astype(np.uint16) if count and names.max() < 1 << 16 else names
    order = np.argsort(keys, kind="stable")
    grouped = keys[order]
    starts = np.flatnonzero(np.concatenate(([True] if count else [], grouped[1:] != grouped[:-1])))
    return Grouping(count, 0, order, starts)


def _steps(numbers: NDArray[np.uint32]) -> NDArray[np.int32]:
    steps = numbers.copy()
    steps[1:] -= numbers[:-1]
    return steps.view(np.int32)


def _pack_times(time_us: NDArray[np.int64]) -> tuple[int, Packed, PackedSeries]:
    begins = np.flatnonzero(time_us[1:] != time_us[:-1]) + 1
    begins = np.concatenate(([0] if len(time_us) else [], begins)).astype(np.intp)
    lengths = np.diff(begins, append=len(time_us))
    return len(begins), pack(lengths), pack_series(time_us[begins], _first(len(begins)))


def _unpack_times(packed: PackedColumn) -> NDArray[np.int64]:
    lengths = unpack(packed.run_length, packed.runs, _INT64)
    if packed.runs and not 0 < lengths.min() <= lengths.max() <= packed.count:
        raise InvalidContent("a run of equal times is empty or longer than the column")
    if lengths.sum() != packed.count:
        raise InvalidContent(f"the times of {lengths.sum()} readings are given, not of {packed.count}")
    return np.repeat(unpack_series(packed.run_time, packed.runs, _first(packed.runs), _INT64), lengths)


def _first(count: int) -> NDArray[np.intp]:
    return np.zeros(min(count, 1), dtype=np.intp)


def _pack_values(column: Column, groups: Grouping) -> tuple[Packed, tuple[PackedSeries, ...]]:
    grouped = groups.group(column.value)
    if column.kind != Kind.FLOAT:
        return Packed(0, 0, b""), (pack_series(grouped, groups.starts),)
    chosen = decimals.choose(grouped, groups.starts) if len(grouped) else np.empty(0, np.uint8)
    parts = [
        pack_series(decimals.narrow(grouped[rows], form), starts) for form, rows, starts in _by_form(chosen, groups)
    ]
    return pack(chosen), tuple(parts)


def _unpack_values(packed: PackedColumn, groups: Grouping) -> NDArray[Any]:
    if packed.kind != Kind.FLOAT:
        if len(packed.values) != 1:
            raise InvalidContent(f"a {packed.kind.name} column has one run of values, not {len(packed.values)}")
        return unpack_series(packed.values[0], packed.count, groups.starts, packed.kind.dtype)
    forms = list(_by_form(unpack(packed.forms, len(groups.starts), _UINT8), groups))
    if len(forms) != len(packed.values):
        raise InvalidContent(f"a column with {len(forms)} forms of floats has {len(packed.values)} runs of values")
    grouped = np.empty(packed.count, dtype=np.float64)
    for (form, rows, starts), series in zip(forms, packed.values, strict=True):
        numbers = unpack_series(series, len(grouped[rows]), starts, decimals.form_dtype(form))
        grouped[rows] = decimals.widen(numbers, form)
    return grouped


class _FormRows(NamedTuple):
    form: int
    rows: Any  # a slice where all rows have the form, else a mask of shape (n,)
    starts: NDArray[np.intp]


def _by_form(chosen: NDArray[np.uint8], groups: Grouping) -> list[_FormRows]:
    present = [int(form) for form in np.unique(chosen)]
    if len(present) == 1:
        return [_FormRows(present[0], slice(None), groups.starts)]
    lengths = np.diff(groups.starts, append=groups.total)
    parts = []
    for form in present:
        mine = chosen == form
        starts = np.cumsum(lengths[mine]) - lengths[mine]
        parts.append(_FormRows(form, np.repeat(mine, lengths), starts))
    return parts
