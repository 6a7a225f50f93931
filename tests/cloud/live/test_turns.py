"""When a client's turn comes: its rate holds, one that came late holds up nothing, and none is lost."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cloud.live.turns import Turns

TICK_S = 0.02


def told_of(turns: Turns, changes: Sequence[bool]) -> list[int]:
    """Return the ticks at which device 1 was told, where it changed at some of them and then never again."""
    told = []
    for tick, is_change in enumerate([*changes, *[False] * 600]):
        if is_change:
            turns.changed([1])
        if turns.take(tick * TICK_S, 10):
            told.append(tick)
    return told


@given(st.lists(st.booleans(), max_size=100), st.sampled_from([0.1, 0.5, 1.0, 10.0]))
def test_a_rate_holds_on_average_and_the_last_change_is_told(changes: list[bool], interval_s: float) -> None:
    turns = Turns()
    turns.follow({1: interval_s})
    told = told_of(turns, changes)
    for first in range(len(told)):
        for last in range(first, len(told)):
            seconds = (told[last] - told[first]) * TICK_S
            assert last - first + 1 <= seconds / interval_s + 2 + 1e-6
    last_change = max((tick for tick, is_change in enumerate(changes) if is_change), default=0)
    assert told[0] == 0
    assert told[-1] >= last_change


def test_one_that_came_late_does_not_hold_up_those_that_are_in_time() -> None:
    turns = Turns()
    turns.follow({1: 0.1})
    told = []
    for at_s in (0.0, 0.1, 0.2, 0.38, 0.4, 0.5, 0.6):
        turns.changed([1])
        told += [at_s] if turns.take(at_s, 10) else []
    assert told == [0.0, 0.1, 0.2, 0.38, 0.4, 0.5, 0.6]


def test_a_device_is_told_when_it_is_followed_and_then_when_it_changes() -> None:
    turns = Turns()
    turns.follow({1: 1.0, 2: 1.0})
    assert list(turns.take(0.0, 10)) == [1, 2]
    assert list(turns.take(5.0, 10)) == []
    turns.changed([2, 3])
    assert list(turns.take(6.0, 10)) == [2]
    turns.follow({1: 1.0, 3: 1.0})
    assert list(turns.take(7.0, 10)) == [3]


def test_who_waited_longest_comes_first_where_there_is_no_room_for_all() -> None:
    turns = Turns()
    turns.follow(dict.fromkeys(range(5), 1.0))
    assert list(turns.take(0.0, 2)) == [0, 1]
    turns.changed([0])
    assert list(turns.take(1.0, 0)) == []
    assert list(turns.take(1.0, 3)) == [2, 3, 4]
    assert list(turns.take(1.0, 3)) == [0]


def test_a_rate_that_was_raised_holds_at_once() -> None:
    turns = Turns()
    turns.follow({1: 10.0})
    for at_s in (0.0, 0.1):
        turns.changed([1])
        assert turns.take(at_s, 10)
    turns.changed([1])
    assert not turns.take(0.2, 10)
    turns.follow({1: 0.1})
    assert list(turns.take(20.0, 10)) == [1]
