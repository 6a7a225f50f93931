"""What every Clock owes: microseconds UTC, seconds that never go back, a wait that is one."""

import time
from collections.abc import Callable

import pytest

from cloud.clock import SystemClock as CloudClock
from cloud.ports import Clock
from edge_agent.ports import Clock as WaitingClock
from edge_agent.wiring.site import SystemClock as AgentClock
from firmware_sim.clock import SystemClock as PlantClock
from tests.support.cloud_clock import HandClock as CloudHandClock
from tests.support.drivers import HandClock

REAL: dict[str, Callable[[], Clock]] = {"agent": AgentClock, "cloud": CloudClock, "plant": PlantClock}
CLOCKS = REAL | {"by hand": HandClock, "by hand for the cloud": CloudHandClock}
WAITING: dict[str, Callable[[], WaitingClock]] = {"agent": AgentClock, "plant": PlantClock}


@pytest.mark.parametrize("name", CLOCKS)
def test_the_wall_clock_counts_microseconds_since_1970(name: str) -> None:
    assert 1_600_000_000_000_000 < CLOCKS[name]().now_us() < 4_000_000_000_000_000


@pytest.mark.parametrize("name", REAL)
def test_a_real_wall_clock_is_the_machines(name: str) -> None:
    before_us = time.time_ns() // 1000
    assert before_us <= REAL[name]().now_us() <= time.time_ns() // 1000


@pytest.mark.parametrize("name", CLOCKS)
def test_monotonic_seconds_never_go_back(name: str) -> None:
    clock = CLOCKS[name]()
    seen = [clock.monotonic_s() for _ in range(100)]
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", WAITING)
async def test_a_wait_lasts_as_long_as_was_asked(name: str) -> None:
    clock = WAITING[name]()
    began_s = clock.monotonic_s()
    await clock.sleep(0.02)
    assert clock.monotonic_s() - began_s >= 0.019


async def test_waiting_by_hand_ends_when_the_hand_moves() -> None:
    clock = HandClock()
    began_s, began_us = clock.monotonic_s(), clock.now_us()
    await clock.sleep(0)
    await clock.move(2.5)
    assert clock.monotonic_s() - began_s == 2.5
    assert clock.now_us() - began_us == 2_500_000
