"""Threads: blocking work in a bounded pool, where each thread holds resources of its own (a read-only connection)."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, Protocol, TypeVar

from cloud.errors import Unavailable


class Closeable(Protocol):
    """What a thread holds."""

    def close(self) -> None:
        """Let go of it."""


Held = TypeVar("Held", bound=Closeable)
Answer = TypeVar("Answer")


class Threads(Generic[Held]):
    """Runs work on what `make` made for the thread; more than `waiting` pieces of work at once are refused."""

    def __init__(self, make: Callable[[], Held], *, count: int, waiting: int = 256) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="reader")
        self._own = threading.local()
        self._made: list[Held] = []
        self._room = waiting

    async def run(self, work: Callable[[Held], Answer]) -> Answer:
        """Return what the work returns; raise what it raises, and Unavailable where too much is waiting already."""
        if self._room <= 0:
            raise Unavailable("too many requests are waiting for the store", code="TOO_BUSY")
        self._room -= 1
        try:
            context = copy_context()  # so that what is logged and written there knows the request
            return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, self._work, work)
        finally:
            self._room += 1

    def close(self) -> None:
        """Let work that began end, then let go of what the threads hold."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for held in self._made:
            held.close()
        self._made.clear()

    def _work(self, work: Callable[[Held], Answer]) -> Answer:
        held: Held | None = getattr(self._own, "held", None)
        if held is None:
            held = self._own.held = self._make()
            self._made.append(held)
        return work(held)
