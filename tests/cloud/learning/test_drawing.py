"""Rows out of stored readings: the last value of each Tag, held while it may be believed, and never made up."""

import numpy as np
import pytest

from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.errors import Invalid, NotFound
from cloud.learning.drawing import Wish, draw_rows
from cloud.storage.memory import MemoryStore
from protocols.reading import Kind, Quality
from tests.support.cloud import arrival
from tests.support.cloud_clock import START_US, HandClock
from tests.support.plant_rows import SECOND_US, TAGS, healthy, store_rows
from tests.support.stores import write

PUMP = ("gw-1", "pump-1")


def wish(n: int, **more: object) -> Wish:
    told = {"devices": (PUMP,), "start_us": START_US - 1, "end_us": START_US - 1 + n * SECOND_US} | more
    return Wish(**told)  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryStore:
    """Give an empty store."""
    return MemoryStore(HandClock())


def test_rows_are_the_readings_where_all_tags_come_together(store: MemoryStore) -> None:
    rows = healthy(500, seed=1)
    store_rows(store, rows, start_us=START_US)
    drawn = draw_rows(store, wish(500))
    assert (drawn.tags, drawn.period_s, len(drawn)) == (TAGS, 1.0, 500)
    np.testing.assert_array_equal(drawn.values, rows)
    assert drawn.time_us[0] == START_US - 1 + SECOND_US


def test_more_readings_than_are_read_at_once_give_the_same_rows(store: MemoryStore) -> None:
    store_rows(store, healthy(300, seed=1), start_us=START_US)
    whole = draw_rows(store, wish(100, end_us=START_US + 300 * SECOND_US, period_s=7.0))
    paged = draw_rows(store, wish(100, end_us=START_US + 300 * SECOND_US, period_s=7.0, page=10))
    np.testing.assert_array_equal(whole.values, paged.values)
    assert len(whole) == 42


def test_a_value_is_held_for_three_periods_of_its_tag_and_then_missing(store: MemoryStore) -> None:
    write(store, arrival(time_us=[START_US, START_US + 8 * SECOND_US], value=[1, 2], period_s=1.0))
    write(store, arrival(tag="slow", time_us=[START_US], value=[5], period_s=0.0))
    drawn = draw_rows(store, wish(10, tags=("flow", "slow"), period_s=1.0))
    np.testing.assert_array_equal(drawn.values[:, 0], [1, 1, 1, *[np.nan] * 5, 2, 2])
    np.testing.assert_array_equal(drawn.values[:, 1], [5] * 10)
    assert len(drawn.complete()) == 5


def test_a_bad_reading_ends_a_value_and_an_uncertain_one_does_not(store: MemoryStore) -> None:
    times = [START_US + i * SECOND_US for i in range(4)]
    codes = [Quality.GOOD, Quality.BAD, Quality.UNCERTAIN, Quality.GOOD]
    write(store, arrival(time_us=times, value=[1, 2, 3, float("nan")], quality=codes))
    drawn = draw_rows(store, wish(4))
    assert drawn.values[:, 0].tolist() == [1, 3]


def test_what_gateways_judge_is_nothing_to_learn_from(store: MemoryStore) -> None:
    store_rows(store, healthy(10, seed=1)[:, :2], start_us=START_US, tags=("flow", "anomaly_score"))
    assert draw_rows(store, wish(10)).tags == ("flow",)


def test_counters_are_nothing_that_gateways_judge_unless_they_are_named(store: MemoryStore) -> None:
    store_rows(store, healthy(10, seed=1)[:, :1], start_us=START_US, tags=("flow",))
    times = [START_US + i * SECOND_US for i in range(10)]
    write(store, arrival(tag="starts", kind=Kind.INT, time_us=times, value=range(10)))
    assert set(draw_rows(store, wish(10)).tags) == {"flow", "starts"}
    assert draw_rows(store, wish(10, only_floats=True)).tags == ("flow",)
    assert draw_rows(store, wish(10, only_floats=True, tags=("starts",))).tags == ("starts",)


def test_several_devices_are_drawn_with_the_tags_that_they_share(store: MemoryStore) -> None:
    store_rows(store, healthy(10, seed=1)[:, :2], start_us=START_US, tags=("flow", "pressure"))
    store_rows(store, healthy(10, seed=2)[:, :2], start_us=START_US, device="pump-2", tags=("pressure", "speed"))
    drawn = draw_rows(store, wish(10, devices=(PUMP, ("gw-1", "pump-2"))))
    assert (drawn.tags, np.bincount(drawn.device).tolist()) == (("pressure",), [10, 10])


def test_rows_of_a_label_are_told_by_device_and_verdict(store: MemoryStore) -> None:
    store_rows(store, healthy(10, seed=1), start_us=START_US)
    drawn = draw_rows(store, wish(10))
    begin, at = int(drawn.time_us[2]), to_datetime(START_US)
    fault = Label(1, *PUMP, begin, begin + 3 * SECOND_US, Verdict.TRUE_FAULT, "anna", at)
    other = Label(2, "gw-2", "pump-1", begin, begin + 3 * SECOND_US, Verdict.TRUE_FAULT, "anna", at)
    assert np.flatnonzero(drawn.within([fault, other], Verdict.TRUE_FAULT)).tolist() == [2, 3, 4]
    assert not drawn.within([fault], Verdict.FALSE_ALARM).any()
    assert np.flatnonzero(drawn.within([fault], Verdict.TRUE_FAULT, after_us=2 * SECOND_US)).tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("more", "error", "told"),
    [
        ({"devices": (("gw-1", "nobody"),)}, NotFound, "nobody"),
        ({"tags": ("flow", "colour")}, Invalid, "tags: pump-1 has no numbers called colour"),
        ({"end_us": START_US - 2}, Invalid, "end: must be after start"),
        ({"max_rows": 5}, Invalid, "period_s: 10 rows of 1 s are over 5"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_its_field(
    store: MemoryStore, more: dict[str, object], error: type[Exception], told: str
) -> None:
    store_rows(store, healthy(10, seed=1), start_us=START_US)
    with pytest.raises(error, match=told):
        draw_rows(store, wish(10, **more))
