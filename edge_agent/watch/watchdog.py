"""Tells systemd that the agent is ready, that it makes progress, and that it stops; silent where nobody listens."""

import logging
import socket
from collections.abc import Callable, Mapping

from edge_agent.ports import Clock

logger = logging.getLogger(__name__)
LONGEST_PAUSE_S = 30.0


class Notifier:
    """The datagrams of sd_notify(3), to the socket that systemd names; the empty name means nobody listens."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def send(self, message: str) -> None:
        """Send a line such as `READY=1`; a listener that went away is no reason to stop."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto(message.encode(), self._address)
            except OSError as error:
                logger.warning("systemd was not told %s: %s", message, error)


class Watchdog:
    """Feeds systemd's watchdog for as long as `stuck` names nothing that stands still."""

    def __init__(self, notifier: Notifier, clock: Clock, stuck: Callable[[], str], period_s: float) -> None:
        self._notifier = notifier
        self._clock = clock
        self._stuck = stuck
        self._period_s = period_s

    async def run(self) -> None:
        """Look and feed until cancelled; say it once when something stands still, and once when it moves again."""
        was_stuck = ""
        while True:
            now_stuck = self._stuck()
            if now_stuck != was_stuck:
                logger.error("no progress: %s", now_stuck) if now_stuck else logger.info("progress again")
                was_stuck = now_stuck
            if not now_stuck:
                self._notifier.send("WATCHDOG=1")
            await self._clock.sleep(self._period_s)


def feeding_period_s(environment: Mapping[str, str]) -> float:
    """Return half of what WATCHDOG_USEC asks for, or the longest pause where it asks for nothing."""
    asked = environment.get("WATCHDOG_USEC", "")
    return min(int(asked) / 2e6, LONGEST_PAUSE_S) if asked.isdecimal() and int(asked) > 0 else LONGEST_PAUSE_S
