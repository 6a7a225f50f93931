"""HealthTurns: when Devices are judged."""

from collections.abc import Sequence

import pytest

from cloud.analysis.health.turns import HealthTurns
from cloud.domain.device_status import Presence
from cloud.errors import Unavailable
from tests.support.cloud_clock import HandClock

THERE, GONE = Presence(there=frozenset({"gw-1"})), Presence(gone=frozenset({"gw-1"}))


class Round:
    """What is told of the gateways at each second from now on, and at which seconds Devices were judged."""

    def __init__(self, told: Sequence[Presence]) -> None:
        self.clock = HandClock()
        self.told = told
        self.looked: list[int] = []
        self.second = 0
        self.turns = HealthTurns(lambda: self.looked.append(self.second), lambda: self.told[self.second], self.clock)

    def run(self) -> Sequence[int]:
        """Ask once a second."""
        for second in range(len(self.told)):
            self.second = second
            self.turns.take()
            self.clock.move(1)
        return self.looked


def test_devices_are_judged_at_once_and_then_each_minute() -> None:
    assert Round([THERE] * 130).run() == [0, 60, 120]


def test_a_gateway_that_is_gone_or_back_is_judged_by_within_seconds() -> None:
    assert Round([THERE] * 10 + [GONE] * 20 + [THERE] * 20).run() == [0, 16, 36]


def test_a_gateway_that_starts_anew_is_no_reason_to_judge() -> None:
    assert Round([THERE] * 10 + [GONE] * 4 + [THERE] * 30).run() == [0]


def test_a_clock_that_was_set_back_keeps_nobody_from_judging() -> None:
    asked = Round([THERE])
    asked.turns.take()
    asked.clock.move(-3600)
    asked.turns.take()
    assert len(asked.looked) == 2


def test_a_round_that_failed_is_done_again() -> None:
    tries: list[int] = []

    def look() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable("the disk is full")

    turns = HealthTurns(look, lambda: THERE, HandClock())
    with pytest.raises(Unavailable):
        turns.take()
    turns.take()
    turns.take()
    assert len(tries) == 2
