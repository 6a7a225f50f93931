"""Cursors, completeness and runs of quality, as pure functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.history import Cursor, bucket_width_us, measure, outline, quality_runs
from cloud.errors import Invalid
from cloud.ports import Buckets
from protocols.reading import Quality

S = 1_000_000
numbers = st.integers(-(2**63), 2**63 - 1)


@given(numbers, numbers, numbers)
def test_a_cursor_survives_a_url(series: int, start: int, end: int) -> None:
    cursor = Cursor(series, start, end)
    assert Cursor.decode(cursor.encode()) == cursor
    assert cursor.encode().replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=50))
def test_any_other_text_is_refused_and_never_a_crash(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except Invalid:
        return
    assert isinstance(cursor.start_us, int)


@given(st.sets(st.integers(0, 99), max_size=100))
def test_present_and_missing_add_up_to_what_was_expected(there: set[int]) -> None:
    time_us = np.array(sorted(there), np.int64) * S
    found = measure(time_us, np.zeros(len(there), np.uint8), period_s=1.0, start_us=0, end_us=100 * S)
    assert found.expected == 100
    assert found.present + sum(gap.missing for gap in found.gaps) == 100
    assert found.share == pytest.approx(len(there) / 100)


def test_bad_readings_are_not_present_and_make_a_gap() -> None:
    quality = np.array([0, Quality.BAD, Quality.BAD, 0], np.uint8)
    found = measure(np.arange(4) * S, quality, period_s=1.0, start_us=0, end_us=4 * S)
    assert (found.present, found.gap_count, found.gaps[0].missing) == (2, 1, 2)


@given(st.lists(st.sampled_from([int(code) for code in Quality]), max_size=40))
def test_runs_name_exactly_the_readings_that_are_not_good(codes: list[int]) -> None:
    named: dict[int, Quality] = {}
    for run in quality_runs(np.array(codes, np.uint8)):
        named |= dict.fromkeys(range(run.first, run.last + 1), run.quality)
    assert named == {at: Quality(code) for at, code in enumerate(codes) if code != Quality.GOOD}


def test_an_unknown_reason_is_read_by_its_severity() -> None:
    runs = quality_runs(np.array([0x7F, 0xBF], np.uint8))
    assert [run.quality for run in runs] == [Quality.UNCERTAIN, Quality.BAD]


def test_an_outline_is_in_order_and_gives_one_point_where_the_extremes_agree() -> None:
    low, high = np.array([1.0, 5.0, 2.0]), np.array([4.0, 5.0, 3.0])
    buckets = Buckets(np.array([7, 10, 20]) * S, np.ones(3, np.int64), low, low, high)
    width = bucket_width_us(buckets, end_us=30 * S)
    times, values = outline(buckets, width_us=width, end_us=30 * S)
    assert width == 10 * S
    assert values.tolist() == [1.0, 4.0, 5.0, 2.0, 3.0]
    assert times.tolist() == sorted(times.tolist())
    assert times.max() < 30 * S
