"""Reading stores for the tests: both kinds, small sizes that merge early, arrivals, and what to compare."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from cloud.ports import Arrival, Buckets, Clock, Points, ReadingStore, Series, Written
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.sizes import Sizes
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.memory import MemoryStore
from cloud.storage.spans import WINDOW_US
from protocols.batch import Key
from protocols.codec import seal_data
from protocols.reading import Column, Kind, Quality, ReadingBlock, join
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.cloud_clock import HandClock

SMALL = Sizes(step_readings=24, step_parts=3, piece=8, small_pieces=3, per_cell=3, per_hour=1)
"""Merges after a few readings, so that short tests see every level."""
START_US = 6558 * WINDOW_US
"""The beginning of a window, in November 2023, where the readings of these tests lie."""
ALL_KINDS = TagTable(
    (DeviceInfo("press-1", type="press"), DeviceInfo("press-2")),
    tuple(TagInfo(index % 2, f"tag-{index}", kind) for index, kind in enumerate(Kind)),
)
Opened = Callable[[], ReadingStore]


def chunk_store(path: Path, clock: Clock | None = None, sizes: Sizes = SMALL) -> tuple[ChunkStore, Database]:
    """Return a store over a new or known file, and its database, which the caller closes."""
    database = Database(path, minimum_free=0)
    return ChunkStore(database, clock or HandClock(), sizes), database


def memory_store(clock: Clock | None = None) -> MemoryStore:
    """Return the model."""
    return MemoryStore(clock or HandClock())


def arrival(
    block: ReadingBlock, table: TagTable = ALL_KINDS, *, source: str = "gw-1", key: Key | None = None
) -> Arrival:
    """Return a block as it comes: with its own body under a key, or direct without one."""
    body = b"" if key is None else seal_data(block, segment=0, table=table.hash).body
    return Arrival(source, table, block, key, body)


def write(store: ReadingStore, *arrivals: Arrival) -> Sequence[Written]:
    """Write in one transaction."""
    with store.transaction():
        return store.write(arrivals)


def merge_all(store: ReadingStore) -> None:
    """Merge until nothing is due."""
    while store.maintain(deadline_s=60):
        pass


def all_points(store: ReadingStore, series: Series) -> Points:
    """Return everything there is of a series."""
    return store.points(series, start_us=0, end_us=1 << 53, limit=1 << 40)


def readings(points: Points) -> list[tuple[int, object, int]]:
    """Return points as comparable rows: time, text or bits, quality."""
    texts = [points.texts[index] for index in points.value.tolist()] if points.kind == Kind.TEXT else None
    values = texts or [value.tobytes() for value in points.value]
    return list(zip(points.time_us.tolist(), values, points.quality.tolist(), strict=True))


def assert_same_buckets(one: Buckets, other: Buckets) -> None:
    """Compare bit for bit, but for sums, whose rounding depends on the order of addition."""
    for name in ("start_us", "count", "minimum", "maximum"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.maximum(np.abs(other.minimum), np.abs(other.maximum)) * other.count
        close = np.abs(one.total - other.total) <= 1e-9 * scale
    assert close[np.isfinite(scale)].all()


def assert_same_answers(one: ReadingStore, other: ReadingStore) -> None:
    """Ask both everything, and over several ranges, limits and counts."""
    assert [(s.id, s.key, s.kind) for s in one.series()] == [(s.id, s.key, s.kind) for s in other.series()]
    assert one.devices() == other.devices()
    every = one.series()
    for mine, theirs in zip(one.latest(every), other.latest(every), strict=True):
        assert readings(mine) == readings(theirs)
    assert one.figures().readings == other.figures().readings
    lowest, highest = START_US - WINDOW_US, START_US + 3 * WINDOW_US
    for series in every:
        assert readings(all_points(one, series)) == readings(all_points(other, series))
        for start, end, limit in ((START_US + 7_000_000, highest, 3), (lowest, START_US + 10_000_000, 1), (0, 1, 5)):
            mine = one.points(series, start_us=start, end_us=end, limit=limit)
            assert readings(mine) == readings(other.points(series, start_us=start, end_us=end, limit=limit))
        for start, end, count in (
            (lowest, highest, 100), (START_US + 1, highest - 1, 7), (START_US, START_US + 90_000_000, 9),
            (0, 1 << 53, 1),
        ):  # fmt: skip
            buckets = one.buckets(series, start_us=start, end_us=end, count=count)
            assert_same_buckets(buckets, other.buckets(series, start_us=start, end_us=end, count=count))
    hours = (one.hourly(every, start_us=lowest, end_us=highest), other.hourly(every, start_us=lowest, end_us=highest))
    for of_one, of_other in zip(*hours, strict=True):
        assert_same_buckets(of_one, of_other)


_VALUES = {
    Kind.FLOAT: st.integers(-50, 50).map(lambda tenths: tenths / 10) | st.floats(),
    Kind.INT: st.integers(-3, 3) | st.integers(-(1 << 63), (1 << 63) - 1),
    Kind.UINT: st.integers(0, 3) | st.integers(0, (1 << 64) - 1),
    Kind.BOOL: st.integers(0, 1),
    Kind.TEXT: st.integers(0, 2),
}


@st.composite
def small_blocks(draw: st.DrawFn) -> ReadingBlock:
    """Return a few readings of ALL_KINDS, often at equal times, out of order, in several windows; some are unsound."""
    texts = tuple(draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=3), min_size=3, max_size=3)))
    return join(
        [ReadingBlock((draw(_column(kind)),), texts) for kind in draw(st.sets(st.sampled_from(Kind), min_size=1))]
    )


@st.composite
def _column(draw: st.DrawFn, kind: Kind) -> Column:
    n = draw(st.integers(1, 12))
    window = draw(st.sampled_from([0, 0, 0, 1, 2]))
    first = START_US + window * WINDOW_US + 1_000_000 * draw(st.integers(0, 40))
    step = draw(st.sampled_from([1_000_000, 1_000_000, 0, 400_000_000, -1_000_000]))
    times = first + step * np.arange(n, dtype=np.int64)
    if draw(st.integers(0, 19)) == 0:
        times[0] = draw(st.sampled_from([-1, 1 << 53, 0]))
    tag = np.full(n, int(kind), np.uint32)
    if draw(st.integers(0, 19)) == 0:
        tag[-1] = draw(st.integers(0, 9))
    value = np.array(draw(st.lists(_VALUES[kind], min_size=n, max_size=n)), kind.dtype)
    quality = draw(st.lists(st.sampled_from([Quality.GOOD] * 3 + [Quality.BAD, Quality.STALE]), min_size=n, max_size=n))
    return Column(kind, tag, times, value, np.array(quality, np.uint8))
