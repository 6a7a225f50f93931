"""Times rise for each tag, whatever the clocks do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.polling.rising import STEP_US, Rising
from protocols.reading import Column, Kind, ReadingBlock

NOW_US = 1_700_000_000_000_000


def block(*rows: tuple[int, int]) -> ReadingBlock:
    tags, times = zip(*rows, strict=True)
    n = len(rows)
    columns = np.array(tags, np.uint32), np.array(times, np.int64), np.arange(n, dtype=np.float64)
    return ReadingBlock((Column(Kind.FLOAT, *columns, np.zeros(n, np.uint8)),))


def times(of: ReadingBlock) -> list[int]:
    found: list[int] = of.columns[0].time_us.tolist()
    return found


def test_times_that_rise_are_left_alone() -> None:
    rising = Rising(5, 2)
    given_block = block((5, NOW_US), (6, NOW_US + 3))
    assert rising.of_poll(given_block, NOW_US).is_identical(given_block)


def test_a_clock_that_stands_still_gives_rising_times() -> None:
    rising = Rising(0, 1)
    assert [times(rising.of_poll(block((0, NOW_US)), NOW_US)) for _ in range(3)] == [[NOW_US + i] for i in range(3)]


def test_a_clock_that_was_stepped_back_is_followed_and_rises_from_there() -> None:
    rising = Rising(0, 1)
    rising.of_poll(block((0, NOW_US)), NOW_US)
    back_us = NOW_US - 2 * STEP_US
    assert times(rising.of_poll(block((0, back_us)), back_us)) == [back_us]
    assert times(rising.of_poll(block((0, back_us)), back_us)) == [back_us + 1]


def test_an_old_source_time_does_not_pass_for_a_step_of_the_clock() -> None:
    rising = Rising(0, 1)
    rising.of_poll(block((0, NOW_US)), NOW_US)
    assert times(rising.of_changes(block((0, NOW_US - 10 * STEP_US)), NOW_US)) == [NOW_US + 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-500, 500)), min_size=1, max_size=40))
def test_of_changes_the_times_of_each_tag_rise_strictly_and_nothing_else_changes(rows: list[tuple[int, int]]) -> None:
    rising, last = Rising(0, 4), dict.fromkeys(range(4), 0)
    changes = block(*((tag, NOW_US + offset) for tag, offset in rows))
    lifted = rising.of_changes(changes, NOW_US)
    for (tag, offset), time_us in zip(rows, times(lifted), strict=True):
        assert time_us == max(NOW_US + offset, last[tag] + 1)
        last[tag] = time_us
    assert lifted.columns[0].value.tolist() == changes.columns[0].value.tolist()


@given(st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1), st.integers(-3 * STEP_US, 3 * STEP_US)), max_size=20))
def test_together_a_poll_has_one_time_that_rises_for_each_tag_but_for_steps(polls: list[tuple[set[int], int]]) -> None:
    rising, last = Rising(0, 4), dict.fromkeys(range(4), 0)
    for tags, offset in polls:
        now_us = NOW_US + offset
        (time_us,) = set(times(rising.together(block(*((tag, 5) for tag in tags)), now_us)))
        assert now_us <= time_us <= now_us + STEP_US + 1
        assert all(time_us > last[tag] or last[tag] > now_us + STEP_US for tag in tags)
        last |= dict.fromkeys(tags, time_us)
