"""Keeps a connection to the broker and a conversation on it, for ever: short waits with jitter between attempts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from edge_agent.errors import UplinkLost
from edge_agent.ports import Clock, Uplink

log = logging.getLogger(__name__)
_FIRST_S = 0.1
_LONGEST_S = 1.0
"""A broker that is back should have the first value within 2 s."""
_JITTER = 0.2


class Connection:
    """Connects `uplink` and runs `talk` on it until it is lost, again and again; random: 0 <= x < 1."""

    def __init__(
        self, *, uplink: Uplink, talk: Callable[[], Awaitable[None]], clock: Clock, random: Callable[[], float]
    ) -> None:
        self._uplink = uplink
        self._talk = talk
        self._clock = clock
        self._random = random
        self._was_told = False
        self.is_up = False
        self.connects = 0

    async def run(self) -> None:
        """Stay connected for ever; an outage is told of once when it begins and once when it ends."""
        wait_s = _FIRST_S
        while True:
            try:
                await self._uplink.connect()
                wait_s = _FIRST_S
                await self._hold()
            except UplinkLost as error:
                self._tell(error)
            finally:
                self.is_up = False
            await self._clock.sleep(wait_s * (1 + _JITTER * (2 * self._random() - 1)))
            wait_s = min(_LONGEST_S, wait_s * 2)

    async def _hold(self) -> None:
        self.is_up = True
        self.connects += 1
        if self._was_told:
            log.warning("the broker is back")
            self._was_told = False
        talk = asyncio.ensure_future(self._talk())
        lost = asyncio.ensure_future(self._uplink.lost())
        try:
            await asyncio.wait({talk, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talk, lost):
                task.cancel()
            await asyncio.wait({talk, lost})
            with suppress(UplinkLost):
                await self._uplink.close()
        if not talk.cancelled():
            talk.result()
        raise UplinkLost("the connection to the broker was lost")

    def _tell(self, error: UplinkLost) -> None:
        if not self._was_told:
            log.warning("no broker, readings wait in the buffer: %s", error)
        self._was_told = True
