"""Intervals behave as a set of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.intervals import Intervals, Range

ranges = st.tuples(st.integers(1, 40), st.integers(0, 6)).map(lambda one: (one[0], one[0] + one[1]))
changes = st.lists(st.tuples(st.booleans(), ranges), max_size=30)


def _numbers(one: Range) -> set[int]:
    return set(range(one[0], one[1] + 1))


def _members(intervals: Intervals) -> set[int]:
    return {seq for one in intervals.ranges for seq in _numbers(one)}


@given(changes)
def test_adding_and_removing_ranges_does_what_a_set_does(steps: list[tuple[bool, Range]]) -> None:
    intervals, model = Intervals(), set[int]()
    for is_added, one in steps:
        intervals = intervals.add(*one) if is_added else intervals.remove(*one)
        model = model | _numbers(one) if is_added else model - _numbers(one)
    assert _members(intervals) == model
    assert len(intervals) == len(model)
    assert all(before[1] + 1 < after[0] for before, after in zip(intervals.ranges, intervals.ranges[1:], strict=False))
    assert all((seq in intervals) == (seq in model) for seq in range(50))


@given(st.lists(ranges), st.lists(ranges))
def test_a_union_holds_what_either_holds(mine: list[Range], theirs: list[Range]) -> None:
    one, other = Intervals.of(*mine), Intervals.of(*theirs)
    assert _members(one.union(other)) == _members(one) | _members(other)


@given(st.lists(ranges), ranges)
def test_gaps_are_exactly_what_is_missing(held: list[Range], asked: Range) -> None:
    intervals = Intervals.of(*held)
    missing = {seq for one in intervals.gaps(*asked) for seq in _numbers(one)}
    assert missing == _numbers(asked) - _members(intervals)


@given(st.lists(ranges))
def test_the_head_is_the_end_of_the_unbroken_run_from_one(held: list[Range]) -> None:
    intervals = Intervals.of(*held)
    assert intervals.head + 1 not in intervals
    assert all(seq in intervals for seq in range(1, intervals.head + 1))


@given(st.lists(ranges), st.integers(1, 50))
def test_the_range_around_a_number_holds_it(held: list[Range], seq: int) -> None:
    found = Intervals.of(*held).around(seq)
    assert (found is not None) == (seq in Intervals.of(*held))
    assert found is None or found[0] <= seq <= found[1]
