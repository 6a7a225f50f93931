"""One bus per serial line or host:port, shared by its units: one exchange at a time, and nobody waits for the dead.

Invariants: at most one request is on the wire; after an answer that was none of ours, or an exchange that was cut
short, the wire is closed before the next request, so that no late byte can be taken for another answer; a line that
cannot be opened is tried once per wait, however many units ask for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from edge_agent.drivers.backoff import Backoff, Jitter
from edge_agent.errors import DeviceGarbled, DeviceLost, DeviceRefused
from edge_agent.ports import Clock

FIRST_RETRY_S = 0.2
MOST_RETRY_S = 5.0
SILENCES_BEFORE_REOPENING = 2


class Wire(Protocol):
    """What carries the exchanges of a bus. Owes a time-out on every wait."""

    @property
    def is_open(self) -> bool:
        """Return whether an exchange can begin."""

    async def open(self) -> None:
        """Connect; raise DeviceLost where nothing answers."""

    def close(self) -> None:
        """Disconnect and forget what has come in; always safe to call."""


T = TypeVar("T")
WireT = TypeVar("WireT", bound=Wire)


@dataclass(slots=True)
class BusCounts:
    """What a bus has gone through since the start."""

    openings: int = 0
    refused: int = 0
    silent: int = 0
    garbled: int = 0


class Bus(Generic[WireT]):
    """Gives the units of one line their turns; pause_s: rest between two exchanges."""

    def __init__(self, wire: WireT, *, clock: Clock, jitter: Jitter, pause_s: float = 0.0) -> None:
        self.counts = BusCounts()
        self.pause_s = pause_s
        self.wire = wire
        self._clock = clock
        self._turn = asyncio.Lock()
        self._backoff = Backoff(FIRST_RETRY_S, MOST_RETRY_S, jitter)
        self._users = 0
        self._silences = 0
        self._ended_s = float("-inf")
        self._retry_at_s = float("-inf")
        self._why_closed = ""

    def join(self, pause_s: float = 0.0) -> None:
        """Count one more unit; the longest pause that any of them needs holds for all."""
        self._users += 1
        self.pause_s = max(self.pause_s, pause_s)

    def leave(self) -> None:
        """Count one unit less; the last one closes the wire."""
        self._users = max(0, self._users - 1)
        if not self._users:
            self.wire.close()

    async def open(self) -> None:
        """Have the wire open; raise DeviceLost where it cannot be."""
        async with self._turn:
            await self._ensure_open()

    async def exchange(self, ask: Callable[[WireT], Awaitable[T]]) -> T:
        """Return what `ask` gets from the wire when it is its turn; pass on the DeviceError it raises."""
        async with self._turn:
            if self.pause_s:
                await self._rest()
            await self._ensure_open()
            is_in_step = False
            try:
                answer = await ask(self.wire)
                is_in_step = self._note_answer()
            except (DeviceRefused, DeviceGarbled, DeviceLost) as error:
                is_in_step = self._note_failure(error)
                raise
            finally:
                self._ended_s = self._clock.monotonic_s()
                if not is_in_step:
                    self.wire.close()
            return answer

    def _note_answer(self) -> bool:
        self._silences = 0
        return True

    def _note_failure(self, error: DeviceRefused | DeviceGarbled | DeviceLost) -> bool:
        match error:
            case DeviceRefused():
                self.counts.refused += 1
                return self._note_answer()
            case DeviceGarbled():
                self.counts.garbled += 1
                return False
            case DeviceLost():
                self.counts.silent += 1
                self._silences += 1
                return self._silences % SILENCES_BEFORE_REOPENING != 0

    async def _rest(self) -> None:
        wait_s = self._ended_s + self.pause_s - self._clock.monotonic_s()
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    async def _ensure_open(self) -> None:
        if self.wire.is_open:
            return
        wait_s = self._retry_at_s - self._clock.monotonic_s()
        if wait_s > 0:
            raise DeviceLost(f"{self._why_closed}; next attempt in {wait_s:.1f} s")
        try:
            await self.wire.open()
        except DeviceLost as error:
            self._why_closed = str(error)
            self._retry_at_s = self._clock.monotonic_s() + self._backoff.next_s()
            raise
        self.counts.openings += 1
        self._backoff.reset()
