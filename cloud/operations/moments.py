"""Moments: what costs much and many ask for is put together once for all who ask within a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar, cast

from cloud.ports import Clock
from cloud.records.database import Records

VITALS = "vitals"
"""The name under which lists of devices share what is known of their health."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Moment(Generic[Value]):
    value: Value
    changes: int
    at_s: float


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

    def shared(self, name: str, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, or returned a moment ago; any thread."""
        with self._lock:
            making = self._making.setdefault(name, Lock())
        changes = self._records.changes
        with making:
            kept = self._fresh(name, changes)
            if kept is None:
                begun = self._begin()
                kept = self._kept[name] = _Moment(make(), *begun)
            return cast("Value", kept.value)

    async def awaited(self, name: str, make: Callable[[], Awaitable[Value]]) -> Value:
        """Return what `make` returns, or returned a moment ago; on the event loop."""
        changes = self._records.changes
        async with self._awaiting.setdefault(name, asyncio.Lock()):
            kept = self._fresh(name, changes)
            if kept is None:
                begun = self._begin()
                kept = self._kept[name] = _Moment(await make(), *begun)
            return cast("Value", kept.value)

    def _begin(self) -> tuple[int, float]:
        return self._records.changes, self._clock.monotonic_s()

    def _fresh(self, name: str, changes: int) -> _Moment[object] | None:
        """Return what is kept where it is new enough, and made after so many changes."""
        kept = self._kept.get(name)
        is_fresh = kept is not None and kept.changes >= changes and self._clock.monotonic_s() - kept.at_s < self._age_s
        return kept if is_fresh else None
