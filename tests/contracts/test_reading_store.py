"""What every reading store owes, in memory and in chunks, these fresh from the wire and merged to the last piece."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ports import ReadingStore, Series, Written
from cloud.storage.chunks.sizes import Sizes
from cloud.storage.spans import DAY_US, HOUR_US, WINDOW_US, bucket_width_us
from protocols.batch import Key
from protocols.reading import Column, Kind, Quality, ReadingBlock, join
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support import readings as made
from tests.support.cloud_clock import HandClock
from tests.support.readings import table, text_block
from tests.support.stores import (
    ALL_KINDS,
    START_US,
    all_points,
    arrival,
    assert_same_buckets,
    chunk_store,
    memory_store,
    merge_all,
    readings,
    write,
)  # fmt: skip

EAGER = Sizes(step_readings=4096, step_parts=1, piece=64, small_pieces=2, per_cell=3, per_hour=1)
"""Everything is due at once."""
SECOND = 1_000_000
block = partial(made.block, start_us=START_US)
column = partial(made.column, start_us=START_US)
FLOW = table("flow")


class Bench:
    """A store, its clock, and the shorthand of these tests."""

    def __init__(self, store: ReadingStore, clock: HandClock) -> None:
        self.store = store
        self.clock = clock

    def write(
        self, what: ReadingBlock, tags: TagTable = FLOW, *, source: str = "gw-1", key: Key | None = None
    ) -> Written:
        """Write one block, and merge what is due."""
        (written,) = write(self.store, arrival(what, tags, source=source, key=key))
        merge_all(self.store)
        return written

    def one(self) -> Series:
        """Return the only series."""
        (series,) = self.store.series()
        return series

    def values(self) -> list[float]:
        """Return all values of the only series."""
        return [float(value) for value in all_points(self.store, self.one()).value]


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Bench]:
    """Open a store of this kind."""
    clock = HandClock(START_US + 10 * DAY_US)
    if kind == "memory":
        yield Bench(memory_store(clock), clock)
        return
    store, database = chunk_store(folder / "readings.db", clock, EAGER if kind == "merged chunks" else Sizes())
    yield Bench(store, clock)
    store.close()
    database.close()


@pytest.fixture(params=["memory", "chunks", "merged chunks"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with opened(request.param, tmp_path) as bench:
        yield bench


def test_a_store_begins_empty(bench: Bench) -> None:
    assert (list(bench.store.series()), list(bench.store.devices()), bench.store.figures().readings) == ([], [], 0)
    assert bench.store.latest([]) == []


def test_series_and_devices_come_to_be_by_a_tag_table(bench: Bench) -> None:
    tags = TagTable(
        (DeviceInfo("pump-1", type="pump", location="hall 2"),), (TagInfo(0, "flow", Kind.FLOAT, "l/min", 0.5),)
    )
    bench.write(block([1.5]), tags)
    series = bench.one()
    assert (series.key, series.unit, series.period_s) == (("gw-1", "pump-1", "flow"), "l/min", 0.5)
    assert [(device.source, device.info) for device in bench.store.devices()] == [("gw-1", tags.devices[0])]


def test_a_newer_tag_table_renews_what_is_told_of_a_series(bench: Bench) -> None:
    older = TagTable((DeviceInfo("pump-1"),), (TagInfo(0, "flow", Kind.FLOAT, "l/s"),))
    newer = TagTable((DeviceInfo("pump-1", name="P1"),), (TagInfo(0, "flow", Kind.FLOAT, "l/h"),))
    bench.write(block([1.0]), older)
    bench.write(block([2.0], start_us=START_US + 1), newer)
    assert bench.one().unit == "l/h"
    assert bench.store.devices()[0].info.name == "P1"


def test_two_sources_keep_the_same_tag_apart(bench: Bench) -> None:
    bench.write(block([1.0]), source="gw-1")
    bench.write(block([2.0]), source="gw-2")
    assert [all_points(bench.store, one).value.tolist() for one in bench.store.series()] == [[1.0], [2.0]]
    assert [one.key.source for one in bench.store.series(source="gw-2")] == ["gw-2"]
    assert list(bench.store.series(device="pump-9")) == []


def test_a_tag_that_changes_its_kind_keeps_both_series(bench: Bench) -> None:
    bench.write(block([1.5]), table("flow"))
    bench.write(block([7], kind=Kind.INT, start_us=START_US + 1), table("flow", kind=Kind.INT))
    assert [(one.kind, all_points(bench.store, one).value.tolist()) for one in bench.store.series()] == [
        (Kind.FLOAT, [1.5]),
        (Kind.INT, [7]),
    ]


@pytest.mark.parametrize("key", [None, Key(1, 1)], ids=["direct", "keyed"])
def test_every_kind_comes_back_bit_for_bit(bench: Bench, key: Key | None) -> None:
    nan = np.array([0x7FF8DEADBEEF0001, 0xFFF0000000000001, 1 << 63, 0x7FF0000000000000], np.uint64).view(np.float64)
    what = join(
        [
            ReadingBlock((column([*nan, 0.1, 1e300], tag=0),)),
            ReadingBlock((column(np.array([-(1 << 63), (1 << 63) - 1, 0]), kind=Kind.INT, tag=1),)),
            ReadingBlock((column(np.array([(1 << 64) - 1, 0, 1 << 53], np.uint64), kind=Kind.UINT, tag=2),)),
            ReadingBlock((column([1, 0, 1], kind=Kind.BOOL, tag=3, quality=[0, Quality.BAD, Quality.STALE]),)),
            text_block(["auto", "", "Übergabe", "auto"], tag=4, start_us=START_US),
        ]
    )
    assert bench.write(what, ALL_KINDS, key=key) == Written(stored=len(what))
    for series, part in zip(bench.store.series(), what.columns, strict=True):
        points = all_points(bench.store, series)
        if series.kind == Kind.TEXT:
            assert [points.texts[index] for index in points.value] == ["auto", "", "Übergabe", "auto"]
        else:
            assert (points.value.dtype, points.value.tobytes()) == (part.value.dtype, part.value.tobytes())
        np.testing.assert_array_equal(points.time_us, part.time_us)
        np.testing.assert_array_equal(points.quality, part.quality)


def test_of_equal_times_the_newest_arrival_wins(bench: Bench) -> None:
    bench.write(block([1.0, 2.0, 3.0]))
    assert bench.write(block([9.0, 2.0, 4.0])) == Written(duplicate=1, replaced=2)
    assert bench.values() == [9.0, 2.0, 4.0]
    assert bench.store.figures().readings == 3


def test_of_equal_times_in_one_block_the_last_row_wins(bench: Bench) -> None:
    assert bench.write(block([1.0, 1.0, 2.0], step_us=0)) == Written(stored=1, duplicate=1, replaced=1)
    assert bench.values() == [2.0]


def test_another_quality_replaces_an_equal_value(bench: Bench) -> None:
    bench.write(block([1.0]))
    assert bench.write(ReadingBlock((column([1.0], quality=Quality.STALE),))).replaced == 1
    assert all_points(bench.store, bench.one()).quality.tolist() == [Quality.STALE]


def test_the_same_batch_again_is_all_duplicates(bench: Bench) -> None:
    bench.write(block([1.0, 2.0]), key=Key(5, 1))
    assert bench.write(block([1.0, 2.0]), key=Key(5, 1)) == Written(duplicate=2)


def test_readings_of_a_window_before_the_newest_are_late_and_stored(bench: Bench) -> None:
    bench.write(block([5.0], start_us=START_US + 2 * WINDOW_US))
    assert bench.write(block([1.0, 2.0])) == Written(stored=2, late=2)
    assert bench.write(block([4.0], start_us=START_US + 2 * WINDOW_US - 1)) == Written(stored=1, late=1)
    assert bench.values() == [1.0, 2.0, 4.0, 5.0]


def test_what_no_table_or_time_allows_is_rejected_and_the_rest_is_stored(bench: Bench) -> None:
    good = column([1.0, 2.0, 3.0, 4.0], tag=[0, 7, 0, 0])
    time_us = np.array([START_US, START_US, -1, 1 << 53])
    what = ReadingBlock((Column(Kind.FLOAT, good.tag, time_us, good.value, good.quality),))
    assert bench.write(what) == Written(stored=1, rejected=3)
    assert bench.write(block([1], kind=Kind.INT)) == Written(rejected=1)
    assert bench.values() == [1.0]


def test_a_transaction_that_fails_leaves_nothing(bench: Bench) -> None:
    bench.write(block([1.0]))
    with suppress(KeyError), bench.store.transaction():
        bench.store.write([arrival(block([2.0, 3.0, 4.0]), table("flow", "speed"), source="gw-9")])
        bench.store.write([arrival(block([7.0, 8.0]), FLOW)])
        raise KeyError
    assert bench.values() == [1.0]
    assert [points.value.tolist() for points in bench.store.latest(bench.store.series())] == [[1.0]]
    assert bench.write(block([5.0], start_us=START_US + SECOND)) == Written(stored=1)
    assert bench.store.figures().readings == 2


def test_readings_are_found_from_the_start_up_to_the_end_and_the_limit(bench: Bench) -> None:
    for first in range(0, 40, 10):
        bench.write(block(np.arange(first, first + 10), start_us=START_US + first * SECOND))

    def values(start: int, end: int, limit: int) -> list[float]:
        found = bench.store.points(
            bench.one(), start_us=START_US + start * SECOND, end_us=START_US + end * SECOND, limit=limit
        )
        return [float(value) for value in found.value]

    assert values(3, 6, 100) == [3, 4, 5]
    assert values(8, 40, 5) == [8, 9, 10, 11, 12]
    assert values(8, 13, 5) == [8, 9, 10, 11, 12]
    assert (values(5, 5, 9), values(6, 5, 9), values(0, 40, 0), values(41, 99, 9)) == ([], [], [], [])


def test_the_latest_reading_is_the_one_with_the_highest_time(bench: Bench) -> None:
    bench.write(block([5.0], start_us=START_US + 100 * SECOND), table("flow", "speed"))
    bench.write(block([1.0, 2.0]), table("flow", "speed"))
    flow, speed = bench.store.latest(bench.store.series())
    assert readings(flow) == [(START_US + 100 * SECOND, np.float64(5.0).tobytes(), 0)]
    assert readings(speed) == []
    bench.write(block([6.0], start_us=START_US + 100 * SECOND), table("flow", "speed"))
    assert bench.store.latest(bench.store.series())[0].value.tolist() == [6.0]


def test_the_mark_is_another_after_each_write_that_changed_a_reading_and_stays_when_it_is_merged(bench: Bench) -> None:
    marks = [bench.store.mark()]
    for value in (1.0, 2.0, 1.0):
        bench.write(block([value]))
        marks.append(bench.store.mark())
    bench.write(block([1.0]))
    while bench.store.maintain(deadline_s=1.0):
        pass
    assert len(set(marks)) == 4
    assert bench.store.mark() == marks[-1]


@given(st.integers(0, 1 << 52), st.integers(1, 1 << 50), st.integers(1, 5000))
def test_buckets_are_never_more_than_asked_for(start_us: int, length_us: int, count: int) -> None:
    width = bucket_width_us(start_us, start_us + length_us, count)
    assert (start_us + length_us - 1) // width - start_us // width + 1 <= count


def test_buckets_lie_in_the_range_and_hold_each_reading_once(bench: Bench) -> None:
    bench.write(block(np.arange(100.0), step_us=60 * SECOND))
    start_us, end_us = START_US + 90 * SECOND, START_US + 5400 * SECOND
    for count in (1, 2, 5, 50, 1000):
        buckets = bench.store.buckets(bench.one(), start_us=start_us, end_us=end_us, count=count)
        assert len(buckets.start_us) <= count
        assert start_us <= buckets.start_us.min() <= buckets.start_us.max() < end_us
        assert (np.diff(buckets.start_us) > 0).all()
        assert (buckets.count.sum(), buckets.total.sum()) == (88, sum(range(2, 90)))
        assert (buckets.minimum.min(), buckets.maximum.max()) == (2, 89)
        assert (buckets.count > 0).all()


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_a_range_beyond_all_times_is_answered_in_buckets_too(bench: Bench, count: int) -> None:
    bench.write(block([1.0, 2.0]))
    buckets = bench.store.buckets(bench.one(), start_us=-(1 << 56), end_us=1 << 58, count=count)
    assert (len(buckets.start_us), buckets.count.sum(), buckets.total.sum()) == (1, 2, 3.0)


def test_buckets_count_neither_bad_readings_nor_those_that_are_not_finite(bench: Bench) -> None:
    values = [1.0, float("nan"), float("inf"), 4.0, 100.0, -7.0]
    bench.write(ReadingBlock((column(values, quality=[0, 0, 0, Quality.UNCERTAIN, Quality.BAD, Quality.DEVICE_LOST]),)))
    buckets = bench.store.buckets(bench.one(), start_us=START_US, end_us=START_US + 3600 * SECOND, count=1)
    assert (buckets.count[0], buckets.total[0], buckets.minimum[0], buckets.maximum[0]) == (2, 5.0, 1.0, 4.0)


def test_bools_are_summed_as_0_and_1_and_texts_not_at_all(bench: Bench) -> None:
    what = join(
        [ReadingBlock((column([1, 0, 1], kind=Kind.BOOL, tag=3),)), text_block(["on"], tag=4, start_us=START_US)]
    )
    bench.write(what, ALL_KINDS)
    *_, of_bool, of_text = (
        bench.store.buckets(one, start_us=START_US, end_us=START_US + HOUR_US, count=1) for one in bench.store.series()
    )
    assert (of_bool.count.tolist(), of_bool.total.tolist()) == ([3], [2.0])
    assert len(of_text.start_us) == 0


def test_late_data_leaves_rollups_equal_to_a_recomputation(bench: Bench) -> None:
    rng = np.random.default_rng(3)
    late = np.sort(rng.permutation(2000)[:300])
    times = START_US + 30 * SECOND * np.arange(2000)
    values = np.round(rng.normal(50, 5, 2000), 1)
    on_time = np.setdiff1d(np.arange(2000), late)
    for rows in (*np.array_split(on_time, 9), late[:150], late[150:], late[:20]):
        n = len(rows)
        part = Column(Kind.FLOAT, np.zeros(n, np.uint32), times[rows], values[rows], np.zeros(n, np.uint8))
        bench.write(ReadingBlock((part,)))
    hours = times // HOUR_US * HOUR_US
    (rolled,) = bench.store.hourly([bench.one()], start_us=START_US, end_us=START_US + 20 * HOUR_US)
    np.testing.assert_array_equal(rolled.start_us, np.unique(hours))
    for index, hour in enumerate(rolled.start_us):
        mine = values[hours == hour]
        assert (rolled.count[index], rolled.minimum[index], rolled.maximum[index]) == (
            len(mine),
            mine.min(),
            mine.max(),
        )
        assert rolled.total[index] == pytest.approx(mine.sum(), rel=1e-12)


def test_hours_are_whole_and_answered_in_the_order_asked(bench: Bench) -> None:
    what = join([block([1.0] * 8, step_us=HOUR_US // 2), block([3.0] * 8, tag=1, step_us=HOUR_US // 2)])
    bench.write(what, table("flow", "speed"))
    flow, speed = bench.store.series()
    fast, slow = bench.store.hourly([speed, flow], start_us=START_US + 1, end_us=START_US + 2 * HOUR_US + 1)
    assert (fast.total.tolist(), slow.total.tolist()) == ([6.0, 6.0], [2.0, 2.0])
    assert slow.start_us.tolist() == [START_US + HOUR_US, START_US + 2 * HOUR_US]


def test_retention_gives_up_whole_windows_and_keeps_their_rollup(bench: Bench) -> None:
    both = [block(np.arange(400.0), tag=tag, step_us=HOUR_US // 2) for tag in (0, 1)]
    bench.write(join(both), table("flow", "speed"))
    flow, speed = bench.store.series()
    before = bench.store.hourly([flow], start_us=START_US, end_us=START_US + 10 * DAY_US)
    bench.store.set_retention(flow, days=5)
    merge_all(bench.store)
    assert all_points(bench.store, flow).time_us[0] == START_US + WINDOW_US
    assert bench.store.figures().readings == 800 - 144
    assert len(all_points(bench.store, speed).value) == 400
    after = bench.store.hourly([flow], start_us=START_US, end_us=START_US + 10 * DAY_US)
    assert_same_buckets(after[0], before[0])
    assert bench.store.latest([flow])[0].value.tolist() == [399.0]


def test_retention_reaches_a_few_old_readings_that_nothing_else_would_merge(bench: Bench) -> None:
    bench.write(block([1.0]))
    bench.store.set_retention(bench.one(), days=1)
    bench.clock.move(40 * 86_400)
    merge_all(bench.store)
    assert bench.values() == []


def test_retention_can_be_lifted(bench: Bench) -> None:
    bench.write(block([1.0]))
    bench.store.set_retention(bench.one(), days=1)
    bench.store.set_retention(bench.one(), days=None)
    bench.clock.move(40 * 86_400)
    merge_all(bench.store)
    assert bench.values() == [1.0]
