"""Steps of the wall clock are told from the passing of time; an unset clock goes on from the last persisted time."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.delivery.clock_watch import BUILT_US, STEP_US, ClockWatch

NOW_US = BUILT_US + 10**12


def test_time_that_passes_is_no_step() -> None:
    watch = ClockWatch()
    moments = [watch.look(wall_us=NOW_US + at * 10**6, monotonic_s=5.0 + at) for at in range(100)]
    assert {(m.segment, m.stepped_us) for m in moments} == {(0, 0)}


@given(st.integers(-(10**12), 10**11))
def test_a_step_over_a_second_opens_a_segment_and_a_smaller_one_does_not(step_us: int) -> None:
    watch = ClockWatch()
    watch.look(wall_us=NOW_US, monotonic_s=5.0)
    moment = watch.look(wall_us=NOW_US + 10**6 + step_us, monotonic_s=6.0)
    is_step = abs(step_us) > STEP_US
    assert (moment.segment, moment.stepped_us) == ((1, step_us) if is_step else (0, 0))


def test_a_slow_drift_never_is_a_step() -> None:
    watch = ClockWatch()
    for at in range(1000):
        moment = watch.look(wall_us=NOW_US + at * 1_000_500, monotonic_s=float(at))
    assert moment.segment == 0


def test_an_unset_clock_goes_on_from_the_last_persisted_time() -> None:
    watch = ClockWatch(last_us=NOW_US)
    first = watch.look(wall_us=0, monotonic_s=3.0)
    later = watch.look(wall_us=7_000_000, monotonic_s=10.0)
    assert (first.is_set, first.at_us) == (False, NOW_US)
    assert later.at_us == NOW_US + 7_000_000
    assert later.shift_us(7_000_000) == NOW_US


def test_without_a_persisted_time_the_build_date_is_the_floor() -> None:
    assert ClockWatch().look(wall_us=0, monotonic_s=1.0).at_us == BUILT_US


def test_a_clock_that_gets_set_steps_into_a_new_segment() -> None:
    watch = ClockWatch(last_us=NOW_US)
    watch.look(wall_us=0, monotonic_s=3.0)
    moment = watch.look(wall_us=NOW_US + 10**9, monotonic_s=4.0)
    assert (moment.is_set, moment.segment, moment.at_us) == (True, 1, NOW_US + 10**9)
    assert moment.shift_us(NOW_US) == 0
