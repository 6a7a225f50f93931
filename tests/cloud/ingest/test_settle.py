"""The laws of settling: what is kept stays kept, what is acknowledged was kept or given up, marks never fall."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.intervals import Intervals, Range
from cloud.ingest.settle import (
    MAX_GENERATION,
    Settled,
    Verdict,
    generation_after_restore,
    is_slow,
    marks,
    raised_generation,
    still_dropped,
)
from protocols.delivery import MAX_RANGES

ranges = st.tuples(st.integers(1, 30), st.integers(0, 5)).map(lambda one: (one[0], one[0] + one[1]))
arrivals = st.lists(st.one_of(st.integers(1, 35), ranges), max_size=30)


def _play(steps: list[int | Range]) -> list[Settled]:
    states = [Settled()]
    for step in steps:
        last = states[-1]
        states.append(last.store(step) if isinstance(step, int) else last.drop(*step))
    return states


@given(arrivals)
def test_stored_and_dropped_never_share_a_batch(steps: list[int | Range]) -> None:
    for state in _play(steps):
        assert len(state.stored) + len(state.dropped) == len(state.settled)


@given(arrivals)
def test_a_stored_batch_beats_a_dropped_one_in_any_order(steps: list[int | Range]) -> None:
    state = _play(steps)[-1]
    assert all(step in state.stored for step in steps if isinstance(step, int))
    for step in steps:
        if not isinstance(step, int):
            assert not state.settled.gaps(*step)


@given(arrivals)
def test_marks_never_fall_and_cover_only_what_is_settled(steps: list[int | Range]) -> None:
    before = 0
    for state in _play(steps):
        said = marks(7, state, archived=12)
        assert said.c >= before
        assert said.a <= said.c
        assert all(said.covers(seq) == (seq in state.settled) for seq in range(1, 45))
        before = said.c


@given(st.integers(1, 99), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3)))
def test_a_key_that_is_kept_is_a_duplicate_unless_its_content_differs(seq: int, crc: int, known: int | None) -> None:
    kept = Settled().store(seq)
    assert kept.judge(seq, crc, known) is (Verdict.CONFLICT if known not in (None, crc) else Verdict.DUPLICATE)


def test_a_batch_that_was_declared_dropped_is_new_when_it_comes_after_all() -> None:
    assert Settled().drop(1, 9).judge(4, crc=1, known_crc=None) is Verdict.NEW


def test_an_ack_names_the_ranges_it_answers_even_when_there_are_too_many() -> None:
    scattered = Settled(Intervals.of(*((seq, seq) for seq in range(3, 3 * MAX_RANGES, 2))))
    last = scattered.stored.ranges[-1][0]
    said = marks(7, scattered, about=[last])
    assert len(said.sel) == MAX_RANGES
    assert said.covers(last)
    assert said.covers(3)
    assert not said.covers(4)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_hello_that_believes_more_raises_the_store_above_it(generation: int, believed: int) -> None:
    raised = raised_generation(generation, believed)
    assert raised >= generation
    assert raised > believed or raised == generation == believed


def test_no_hello_raises_the_generation_beyond_what_readers_know() -> None:
    assert raised_generation(5, MAX_GENERATION) == 5


@given(st.integers(0, 10**10), st.integers(0, 10**10), st.integers(1, 10**6))
def test_two_restores_of_one_backup_never_share_a_generation(backup: int, first_s: int, later_s: int) -> None:
    first = generation_after_restore(backup, first_s)
    second = generation_after_restore(backup, first_s + later_s)
    assert first > backup
    assert second > first or first == second == backup + 1 > first_s


def test_readings_of_a_dropped_range_that_reached_the_store_are_not_dropped() -> None:
    assert still_dropped(10, 4) == 6
    assert still_dropped(3, 4) == 0


def test_gateways_are_asked_for_less_above_half_of_what_may_wait() -> None:
    assert not is_slow(50, 100)
    assert is_slow(51, 100)
