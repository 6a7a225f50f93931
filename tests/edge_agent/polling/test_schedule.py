"""The laws of the grid: on time, at most once a point, nothing made up for."""

import math

from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.polling.schedule import Schedule

PERIODS = st.dictionaries(st.integers(0, 20), st.sampled_from([0.05, 0.1, 0.5, 1.0, 7.0]), min_size=1, max_size=8)
STEPS = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=50)


def test_everything_is_due_at_the_start_and_then_on_its_own_grid() -> None:
    schedule = Schedule({0: 1.0, 1: 0.5}, 10.0)
    assert set(schedule.take(10.0).tags) == {0, 1}
    assert schedule.next_s() == 10.5
    assert schedule.take(10.5) == ((1,), 0)
    assert set(schedule.take(11.0).tags) == {0, 1}


def test_what_went_by_is_counted_and_not_made_up_for() -> None:
    schedule = Schedule({0: 1.0}, 0.0)
    schedule.take(0.0)
    assert schedule.take(3.5) == ((0,), 2)
    assert schedule.next_s() == 4.0
    assert schedule.take(3.6) == ((), 0)


def test_a_period_of_zero_is_always_due_and_never_late() -> None:
    schedule = Schedule({0: 0.0}, 5.0)
    assert [schedule.take(now) for now in (5.0, 5.0, 99.0)] == [((0,), 0)] * 3
    assert schedule.next_s() <= 99.0


def test_nothing_to_poll_is_never_due() -> None:
    assert Schedule({}, 0.0).next_s() == math.inf
    assert Schedule({}, 0.0).take(1.0) == ((), 0)


@given(PERIODS, STEPS, st.floats(0, 1e6))
@example({0: 0.05}, [1.0, 2.9], 0.0)  # 3.9 / 0.05 is 78, but 78 * 0.05 is after 3.9
def test_each_tag_is_taken_or_counted_once_for_each_point_that_went_by(
    periods: dict[int, float], steps: list[float], start_s: float
) -> None:
    schedule = Schedule(periods, start_s)
    now_s, taken, skipped = start_s, dict.fromkeys(periods, 0), 0
    for step in [0.0, *steps]:
        now_s += step
        due = schedule.take(now_s)
        skipped += due.skipped
        assert len(set(due.tags)) == len(due.tags)
        for tag in due.tags:
            taken[tag] += 1
    groups = {period_s: taken[tag] for tag, period_s in periods.items()}
    points = sum(points_until(now_s, start_s, period_s) for period_s in groups)
    assert sum(groups.values()) + skipped == points


def points_until(now_s: float, start_s: float, period_s: float) -> int:
    count = 0
    while start_s + count * period_s <= now_s:
        count += 1
    return count


@given(PERIODS, STEPS)
def test_after_a_take_nothing_is_due_and_the_next_point_is_on_the_grid(
    periods: dict[int, float], steps: list[float]
) -> None:
    schedule, now_s = Schedule(periods, 0.0), 0.0
    for step in steps:
        now_s += step
        schedule.take(now_s)
        assert schedule.take(now_s) == ((), 0)
        next_s = schedule.next_s()
        assert next_s > now_s
        assert any(abs(next_s / period_s - round(next_s / period_s)) < 1e-6 for period_s in periods.values())
