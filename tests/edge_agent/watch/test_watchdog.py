"""systemd hears that the agent is ready and that it makes progress, and hears nothing once something stands still."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.watch.watchdog import Notifier, Watchdog, feeding_period_s


class TurnClock:
    """Lets a loop turn a given number of times, then stops it."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    def now_us(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.turns -= 1
        if self.turns == 0:
            raise asyncio.CancelledError


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(0)
        yield listener


def heard(systemd: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(systemd.recv(100).decode())
        except BlockingIOError:
            return messages


def test_a_message_reaches_the_socket(systemd: socket.socket) -> None:
    Notifier(systemd.getsockname()).send("READY=1")
    assert heard(systemd) == ["READY=1"]


def test_nobody_listening_and_a_listener_gone_are_no_errors(tmp_path: Path) -> None:
    Notifier("").send("READY=1")
    Notifier(str(tmp_path / "gone")).send("READY=1")


async def test_progress_feeds_and_standing_still_does_not(systemd: socket.socket) -> None:
    states = iter(["", "", "the buffer", "the buffer", ""])
    watchdog = Watchdog(Notifier(systemd.getsockname()), TurnClock(5), lambda: next(states), 1.0)
    with pytest.raises(asyncio.CancelledError):
        await watchdog.run()
    assert heard(systemd) == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize(("asked", "expected"), [("20000000", 10.0), ("", 30.0), ("0", 30.0), ("soon", 30.0)])
def test_the_period_is_half_of_what_systemd_asks_for(asked: str, expected: float) -> None:
    assert feeding_period_s({"WATCHDOG_USEC": asked}) == expected
