"""The deadband's laws, on random walks and at the edges of 64-bit numbers."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.gates.deadband import DeadbandGate, DeadbandRules, rounds
from protocols.reading import Column, Kind, Quality, ReadingBlock


def gate(*, absolute: float = 0.0, percent: float = 0.0, silence_s: float = 0.0, n_tags: int = 1) -> DeadbandGate:
    rules = DeadbandRules(
        np.full(n_tags, absolute), np.full(n_tags, percent / 100), np.full(n_tags, int(silence_s * 1e6), np.int64)
    )
    return DeadbandGate(rules)


def column(
    kind: Kind, values: list[Any], *, times_s: list[float] | None = None, qualities: list[int] | None = None
) -> Column:
    n = len(values)
    return Column(
        kind,
        np.zeros(n, np.uint32),
        (np.array(times_s if times_s is not None else range(n), np.float64) * 1e6).astype(np.int64),
        np.array(values, kind.dtype),
        np.array(qualities if qualities is not None else [0] * n, np.uint8),
    )


def sent(gate: DeadbandGate, given_column: Column) -> list[Any]:
    kept = gate.pass_on(ReadingBlock((given_column,))).column(given_column.kind)
    return [] if kept is None else kept.value.tolist()


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    absolute=st.floats(0.01, 100),
    percent=st.sampled_from([0.0, 1.0, 50.0]),
    cuts=st.sets(st.integers(1, 39)),
)
def test_a_change_larger_than_the_deadband_is_never_hidden(
    values: list[float], absolute: float, percent: float, cuts: set[int]
) -> None:
    under_test = gate(absolute=absolute, percent=percent)
    last: float | None = None
    edges = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    for start, end in pairwise(edges):
        went_on = sent(under_test, column(Kind.FLOAT, values[start:end], times_s=list(range(start, end))))
        for value in values[start:end]:
            is_sent = (
                bool(went_on)
                and went_on[0] == value
                and (last is None or abs(value - last) > max(absolute, percent / 100 * abs(last)))
            )
            if is_sent:
                last = went_on.pop(0)
            assert last is not None
            assert abs(value - last) <= max(absolute, percent / 100 * abs(last))
        assert went_on == []


def test_a_change_equal_to_the_deadband_is_hidden_and_a_larger_one_is_not() -> None:
    assert sent(gate(absolute=1.0), column(Kind.FLOAT, [5.0, 6.0, 4.0, 6.5])) == [5.0, 6.5]


def test_a_percentage_is_of_the_last_value_that_went_on() -> None:
    assert sent(gate(percent=10), column(Kind.FLOAT, [100.0, 109.0, 111.0, 121.0, 123.0])) == [100.0, 111.0, 123.0]


def test_the_silence_is_bounded() -> None:
    steady = column(Kind.FLOAT, [1.0] * 6, times_s=[0, 1, 2, 3, 4, 5])
    kept = gate(absolute=1.0, silence_s=2).pass_on(ReadingBlock((steady,))).columns[0]
    assert kept.time_us.tolist() == [0, 2_000_000, 4_000_000]


def test_a_change_of_quality_goes_on_both_ways() -> None:
    qualities = [Quality.GOOD, Quality.GOOD, Quality.OUT_OF_RANGE, Quality.OUT_OF_RANGE, Quality.GOOD]
    kept = gate(absolute=9.0).pass_on(ReadingBlock((column(Kind.FLOAT, [1.0] * 5, qualities=list(qualities)),)))
    assert kept.columns[0].quality.tolist() == [Quality.GOOD, Quality.OUT_OF_RANGE, Quality.GOOD]


def test_a_clock_that_went_back_hides_nothing() -> None:
    assert sent(gate(absolute=1.0), column(Kind.FLOAT, [1.0, 1.1], times_s=[100, 3])) == [1.0, 1.1]


def test_not_a_number_and_infinity_go_on_once() -> None:
    values = [1.0, np.nan, np.nan, np.inf, np.inf, 1.0]
    kept = sent(gate(absolute=1.0), column(Kind.FLOAT, values))
    assert np.array_equal(kept, [1.0, np.nan, np.inf, 1.0], equal_nan=True)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (Kind.UINT, [2**60, 2**60 + 1, 2**60 + 3], [2**60, 2**60 + 3]),
        (Kind.INT, [-(2**63), 2**63 - 1, 2**63 - 2], [-(2**63), 2**63 - 1]),
        (Kind.BOOL, [0, 1, 1, 0], [0]),
    ],
)
def test_whole_numbers_are_compared_exactly(kind: Kind, values: list[int], expected: list[int]) -> None:
    assert sent(gate(absolute=2.0), column(kind, values)) == expected


def test_a_tag_without_a_deadband_is_not_touched() -> None:
    under_test = DeadbandGate(DeadbandRules(np.array([0.0, 9.0]), np.zeros(2), np.zeros(2, np.int64)))
    tag = np.array([0, 1, 0, 1, 0, 1], np.uint32)
    both = Column(Kind.FLOAT, tag, np.arange(6, dtype=np.int64), np.ones(6), np.zeros(6, np.uint8))
    kept = under_test.pass_on(ReadingBlock((both,))).columns[0]
    assert kept.tag.tolist() == [0, 1, 0, 0]
    assert under_test.hidden == 2


@given(tags=st.lists(st.integers(0, 5), max_size=30))
def test_rounds_hold_every_row_once_and_a_tag_once_each(tags: list[int]) -> None:
    groups = rounds(np.array(tags, np.uint32))
    assert sorted(row for group in groups for row in group.tolist()) == list(range(len(tags)))
    for group in groups:
        assert len({tags[row] for row in group.tolist()}) == len(group)
    for tag in set(tags):
        met = [row for group in groups for row in group.tolist() if tags[row] == tag]
        assert met == sorted(met)
