"""Who guesses passwords waits; who knows one does not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.access.guard import Guard, Tried
from cloud.domain.session import FORGOTTEN_AFTER, Attempts, Patience
from cloud.domain.times import to_datetime
from cloud.errors import Limited
from cloud.records.database import Records
from tests.support.cloud_clock import HandClock

NAMES, ADDRESSES = Patience(3, 60.0), Patience(6, 900.0)
ALICE = Tried("alice", "10.0.0.1")


def attempt(records: Records, clock: HandClock, tried: Tried = ALICE) -> float:
    """Count one failure and return how long it has to wait instead where it may not try."""
    with records.writing() as db:
        try:
            Guard(NAMES, ADDRESSES).begin(db, tried, to_datetime(clock.now_us()))
        except Limited as limited:
            return limited.retry_after_s
    return 0.0


def test_some_failures_are_free_and_then_each_wait_is_twice_the_one_before(records: Records) -> None:
    clock, waits = HandClock(), []
    for _ in range(11):
        wait_s = attempt(records, clock)
        if wait_s:
            waits.append(wait_s)
            clock.move(wait_s)
            attempt(records, clock)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_a_name_in_other_letters_and_an_address_of_the_same_network_are_the_same(records: Records) -> None:
    clock = HandClock()
    for index in range(3):
        attempt(records, clock, Tried("Alice", f"2001:db8::{index}"))
    assert attempt(records, clock, Tried("aLICE", "10.9.9.9")) > 0
    for index in range(3):
        attempt(records, clock, Tried(f"other-{index}", f"2001:db8::ff{index}"))
    assert attempt(records, clock, Tried("nobody", "2001:db8::1234")) > 0
    assert attempt(records, clock, Tried("nobody", "2001:db8:0:1::1")) == 0


def test_the_right_password_forgives_the_name_and_one_attempt_of_the_address(records: Records) -> None:
    clock, guard = HandClock(), Guard(NAMES, ADDRESSES)
    for _ in range(3):
        attempt(records, clock)
    clock.move(60)
    attempt(records, clock)
    with records.writing() as db:
        guard.forgive(db, ALICE)
    assert [attempt(records, clock) for _ in range(3)] == [0, 0, 0]
    assert attempt(records, clock, Tried("bob", ALICE.address)) > 0


def test_failures_are_forgotten_after_a_pause(records: Records) -> None:
    clock = HandClock()
    for _ in range(4):
        attempt(records, clock)
    clock.move(FORGOTTEN_AFTER.total_seconds() + 1)
    assert [attempt(records, clock) for _ in range(3)] == [0, 0, 0]


@given(st.integers(1, 20), st.floats(1, 1e6), st.integers(0, 10_000))
def test_waits_never_shrink_with_failures_and_never_exceed_the_longest(
    free: int, longest_s: float, failures: int
) -> None:
    patience = Patience(free, longest_s)
    waits = [patience.wait_s(count) for count in (failures, failures + 1)]
    assert all(before <= after <= longest_s for before, after in pairwise(waits))
    assert (waits[0] == 0) == (failures < free)


@pytest.mark.parametrize(("passed_s", "left_s"), [(0, 2.0), (1.5, 0.5), (2, 0), (10_000, 0)])
def test_a_wait_counts_from_the_last_failure(passed_s: float, left_s: float) -> None:
    clock = HandClock()
    known = Attempts(4, to_datetime(clock.now_us()))
    clock.move(passed_s)
    assert known.left_s(to_datetime(clock.now_us()), NAMES) == pytest.approx(left_s)
