"""FaultProxy: a TCP proxy on loopback whose conditions can be switched while it runs; each switch is logged."""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Self

from deploy.ports import free_port
from tests.faults.conditions import GOOD, Conditions
from tests.faults.lane import Lane, hurry, tear

_SWITCH_S = 10.0
Tell = Callable[[str], None]


class FaultProxy:
    """Listens on `port` for as long as the block lasts, in a thread; tell: hears of each switch.

    The seed draws jitter, flips and what else is drawn; which connection comes when is up to those that connect.
    """

    def __init__(self, target: int, *, seed: int, tell: Tell, name: str = "proxy") -> None:
        self.port = free_port()
        self.connections = 0
        self._target = target
        self._seed = seed
        self._tell = tell
        self._name = name
        self._conditions = GOOD
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def conditions(self) -> Conditions:
        """Return what goes on now."""
        return self._conditions

    def switch(self, conditions: Conditions) -> None:
        """Have new conditions from now on, for the connections that are open too."""
        self._tell(f"{self._name}: {conditions}")
        self._conditions = conditions
        self._ask(self._close() if conditions.refuses else self._listen())

    def tear_all(self) -> None:
        """Reset every connection."""
        self._tell(f"{self._name}: every connection is reset")
        self._ask(self._tear_all())

    def __enter__(self) -> Self:
        self._thread.start()
        self._ask(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._ask(self._close())
        self._ask(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SWITCH_S)
        self._loop.close()

    def _ask(self, work: Coroutine[Any, Any, None]) -> None:
        asked: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        asked.result(_SWITCH_S)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._tear_all()
        if server is not None:
            await server.wait_closed()

    async def _tear_all(self) -> None:
        for writer in tuple(self._open):
            tear(writer)

    async def _end_tasks(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            tear(writer)
            return
        both = {writer, far_writer}
        self._open |= both
        for one in both:
            hurry(one)
        carried = Carried(self)
        up = Lane(lambda: self._conditions.up, self._rng(number, "up"), carried.count)
        down = Lane(lambda: self._conditions.down, self._rng(number, "down"), carried.count)
        pair = [asyncio.create_task(up.carry(reader, far_writer)), asyncio.create_task(down.carry(far_reader, writer))]
        with suppress(asyncio.CancelledError):
            await asyncio.wait(pair, return_when=asyncio.FIRST_EXCEPTION)
        for task in pair:
            task.cancel()
        await asyncio.gather(*pair, return_exceptions=True)
        for one in both:
            tear(one)
        self._open -= both

    def _rng(self, number: int, way: str) -> random.Random:
        return random.Random(f"{self._seed} {self._name} {number} {way}")


class Carried:
    """Counts the bytes of one connection, until it is to be reset."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._bytes = 0

    def count(self, size: int) -> bool:
        """Add these bytes and return whether the connection is to be reset now."""
        self._bytes += size
        every = self._proxy.conditions.reset_every
        return bool(every) and self._bytes >= every
