"""Columns to JSON: exact, and as the slow way would write them."""

import json
import math
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloud.api.columns import times_json, values_json
from cloud.domain.times import to_us
from cloud.ports import Points
from protocols.reading import Kind, Quality

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 made aware


@given(st.lists(moments, max_size=20))
def test_times_are_written_as_python_would(at: list[datetime]) -> None:
    written = json.loads(times_json(np.array([to_us(one) for one in at], np.int64)))
    assert [datetime.fromisoformat(text) for text in written] == at
    assert all(len(text) == len("2026-01-15T10:30:00.000000Z") for text in written)


@given(st.lists(st.floats(width=64), max_size=30))
def test_floats_come_back_bit_for_bit_and_others_are_null(values: list[float]) -> None:
    n = len(values)
    points = Points(Kind.FLOAT, np.zeros(n, np.int64), np.array(values, np.float64), np.zeros(n, np.uint8))
    written = json.loads(values_json(points))
    for value, back in zip(values, written, strict=True):
        assert back == value if math.isfinite(value) else back is None


@given(st.lists(st.sampled_from(list(Quality)), max_size=20))
def test_a_reading_without_a_value_is_null_whatever_the_column_holds(codes: list[Quality]) -> None:
    n = len(codes)
    points = Points(Kind.INT, np.zeros(n, np.int64), np.arange(n), np.array(codes, np.uint8))
    assert json.loads(values_json(points)) == [at if code.has_value else None for at, code in enumerate(codes)]
