"""Builders and hypothesis strategies for readings, tag tables and what else flows."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable

START_US = 1_700_000_000_000_000
"""When the readings made here begin."""
_ALL_BITS = (1 << 64) - 1


def column(  # each has a default; a test names the one it is about
    value: Sequence[float] | NDArray[np.generic],
    *,
    kind: Kind = Kind.FLOAT,
    tag: int | Sequence[int] = 0,
    start_us: int = START_US,
    step_us: int = 1_000_000,
    quality: int | Sequence[int] = Quality.GOOD,
) -> Column:
    """Return a column with these values, `step_us` apart from `start_us` on."""
    n = len(value)
    return Column(
        kind,
        np.broadcast_to(np.asarray(tag, dtype=np.uint32), n).copy(),
        start_us + step_us * np.arange(n, dtype=np.int64),
        np.asarray(value).astype(kind.dtype),
        np.broadcast_to(np.asarray(quality, dtype=np.uint8), n).copy(),
    )


def block(
    value: Sequence[float] | NDArray[np.generic],
    *,
    kind: Kind = Kind.FLOAT,
    tag: int | Sequence[int] = 0,
    start_us: int = START_US,
    step_us: int = 1_000_000,
) -> ReadingBlock:
    """Return a block of one column, as `column` makes it."""
    return ReadingBlock((column(value, kind=kind, tag=tag, start_us=start_us, step_us=step_us),))


def polls(
    values: NDArray[np.generic], *, kind: Kind = Kind.FLOAT, period_us: int = 100_000, start_us: int = START_US
) -> ReadingBlock:
    """Return polls of the tags 0..T-1, values of shape (polls, T); the readings of one poll share its time."""
    count, tags = values.shape
    return ReadingBlock(
        (
            Column(
                kind,
                np.tile(np.arange(tags, dtype=np.uint32), count),
                np.repeat(start_us + period_us * np.arange(count, dtype=np.int64), tags),
                np.ascontiguousarray(values).reshape(-1).astype(kind.dtype),
                np.zeros(count * tags, dtype=np.uint8),
            ),
        )
    )


def text_block(texts: Sequence[str], *, tag: int = 0, start_us: int = START_US) -> ReadingBlock:
    """Return readings of one text tag, a second apart."""
    table = tuple(dict.fromkeys(texts))
    rows = column([table.index(text) for text in texts], kind=Kind.TEXT, tag=tag, start_us=start_us)
    return ReadingBlock((rows,), table)


def table(*names: str, device: str = "pump-1", kind: Kind = Kind.FLOAT, period_s: float = 1.0) -> TagTable:
    """Return the table of one device with tags of these names."""
    return TagTable((DeviceInfo(device),), tuple(TagInfo(0, name, kind, period_s=period_s) for name in names))


def _bits(kind: Kind, texts: int) -> st.SearchStrategy[int]:
    """Values as bits: every NaN, both zeros and all extremes come up; few distinct ones too."""
    match kind:
        case Kind.TEXT:
            return st.integers(0, texts - 1)
        case Kind.BOOL:
            return st.integers(0, 1)
        case Kind.FLOAT:
            doubles = st.floats(allow_nan=True, width=64) | st.floats(width=32) | st.integers(-500, 500).map(_tenth)
            return doubles.map(lambda value: int(np.float64(value).view(np.uint64))) | st.integers(0, (1 << 64) - 1)
        case Kind.INT | Kind.UINT:
            return st.integers(0, (1 << 64) - 1) | st.integers(0, 300)


def _tenth(number: int) -> float:
    return number / 10


@st.composite
def columns(draw: st.DrawFn, kind: Kind, *, texts: int = 1, max_size: int = 40) -> Column:
    """Return any column: polls of the same tags, or tags as they come; any time, any bits, any quality."""
    if draw(st.booleans()):
        names = draw(st.lists(st.integers(0, (1 << 32) - 1) | st.integers(0, 5), min_size=1, max_size=6))
        tags = names * draw(st.integers(1, 6))
    else:
        tags = draw(st.lists(st.integers(0, (1 << 32) - 1) | st.integers(0, 5), max_size=max_size))
    n = len(tags)
    bits = _rows(draw, _bits(kind, texts), n, of_any_bits=kind.dtype.itemsize == 8)
    times = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(START_US, START_US + 10_000_000)
    return Column(
        kind,
        np.array(tags, dtype=np.uint32),
        _rows(draw, times, n, of_any_bits=True).view(np.int64),
        bits.view(kind.dtype) if kind.dtype.itemsize == 8 else bits.astype(kind.dtype),
        _rows(draw, st.sampled_from([int(quality) for quality in Quality]), n).astype(np.uint8),
    )


def _rows(draw: st.DrawFn, each: st.SearchStrategy[int], n: int, *, of_any_bits: bool = False) -> NDArray[np.uint64]:
    """Return n values that are few ones in any order, or any bits; drawn at once, because each draw costs 50 us."""
    if of_any_bits and draw(st.booleans()):
        return np.frombuffer(draw(st.binary(min_size=8 * n, max_size=8 * n)), dtype=np.uint64)
    few = draw(st.lists(each, min_size=1, max_size=6))
    picked = draw(st.binary(min_size=n, max_size=n))
    return np.array([few[pick % len(few)] & _ALL_BITS for pick in picked], dtype=np.uint64)


@st.composite
def blocks(draw: st.DrawFn, *, max_size: int = 40) -> ReadingBlock:
    """Return any block: empty ones, all kinds, texts that nobody uses."""
    texts = tuple(draw(st.lists(st.text(max_size=12), min_size=1, max_size=4, unique=True)))
    kinds = sorted(draw(st.sets(st.sampled_from(list(Kind)))))
    return ReadingBlock(tuple(draw(columns(kind, texts=len(texts), max_size=max_size)) for kind in kinds), texts)


def tables() -> st.SearchStrategy[TagTable]:
    """Return any valid tag table."""
    name = st.text(min_size=1, max_size=20)
    device = st.builds(DeviceInfo, id=name, type=st.text(max_size=8), name=st.text(max_size=8))
    tag = st.builds(
        TagInfo,
        device=st.just(0),
        name=name,
        kind=st.sampled_from(Kind),
        unit=st.text(max_size=5),
        period_s=st.floats(0, 1e6),
        is_primary=st.booleans(),
    )
    devices = st.lists(device, min_size=1, max_size=3).map(tuple)
    return st.builds(TagTable, devices=devices, tags=st.lists(tag, max_size=5).map(tuple))
