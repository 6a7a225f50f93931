"""Moments: what costs much and many ask for is put together once for all who ask within a moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar, cast

from cloud.errors import CloudError
from cloud.ports import Clock
from cloud.records.database import Records

VITALS = "vitals"
"""The name under which lists of devices share what is known of their health."""
Value = TypeVar("Value")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Moment(Generic[Value]):
    """value: made in took_s from at_s on, after so many changes."""

    value: Value
    changes: int
    at_s: float
    took_s: float


class Moments:
    """Keeps one answer a name for so long, and not beyond a change of the records by this process.

    age_s: how old an answer may be; 0: nobody shares. What other processes change is seen when the moment is over. What
    `make` raises nobody shares. A name belongs to one type, and to either threads or the event loop.
    """

    def __init__(self, records: Records, clock: Clock, *, age_s: float) -> None:
        self._records = records
        self._clock = clock
        self._age_s = age_s
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._awaiting: dict[str, asyncio.Lock] = {}
        self._kept: dict[str, _Moment[object]] = {}
        self._ahead: dict[str, asyncio.Task[None]] = {}

    def shared(self, name: str, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, or returned a moment ago; any thread."""
        with self._lock:
            making = self._making.setdefault(name, Lock())
        changes = self._records.changes
        with making:
            kept = self._fresh(name, changes)
            if kept is None:
                begun = self._begin()
                kept = self._keep(name, make(), *begun)
            return cast("Value", kept.value)

    async def awaited(self, name: str, make: Callable[[], Awaitable[Value]]) -> Value:
        """Return what `make` returns, or returned a moment ago; on the event loop.

        Towards the end of a moment the next one is made beside: those who ask often never wait for it.
        """
        changes = self._records.changes
        kept = self._fresh(name, changes)
        if kept is None:
            kept = await self._waited(name, make, changes)
        elif self._is_late(kept) and name not in self._ahead:
            self._ahead[name] = asyncio.create_task(self._make_ahead(name, make), name=f"{name}, ahead")
        return cast("Value", kept.value)

    async def _waited(self, name: str, make: Callable[[], Awaitable[object]], changes: int) -> _Moment[object]:
        async with self._awaiting.setdefault(name, asyncio.Lock()):
            return self._fresh(name, changes) or await self._made(name, make)

    async def _made(self, name: str, make: Callable[[], Awaitable[object]]) -> _Moment[object]:
        begun = self._begin()
        return self._keep(name, await make(), *begun)

    async def _make_ahead(self, name: str, make: Callable[[], Awaitable[object]]) -> None:
        """Make the next moment; where that fails, who asks after this one makes it, and is told."""
        try:
            async with self._awaiting.setdefault(name, asyncio.Lock()):
                await self._made(name, make)
        except CloudError as error:
            _log.debug("%s: not made ahead: %s", name, error)
        finally:
            del self._ahead[name]

    def _begin(self) -> tuple[int, float]:
        return self._records.changes, self._clock.monotonic_s()

    def _keep(self, name: str, value: object, changes: int, at_s: float) -> _Moment[object]:
        kept = self._kept[name] = _Moment(value, changes, at_s, self._clock.monotonic_s() - at_s)
        return kept

    def _is_late(self, kept: _Moment[object]) -> bool:
        """Return whether less is left than twice what making it took: at least a quarter, at most half of a moment."""
        left_s = kept.at_s + self._age_s - self._clock.monotonic_s()
        return left_s <= min(max(2 * kept.took_s, self._age_s / 4), self._age_s / 2)

    def _fresh(self, name: str, changes: int) -> _Moment[object] | None:
        """Return what is kept where it is new enough, and made after so many changes."""
        kept = self._kept.get(name)
        is_fresh = kept is not None and kept.changes >= changes and self._clock.monotonic_s() - kept.at_s < self._age_s
        return kept if is_fresh else None
