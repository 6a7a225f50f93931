"""Moments: what costs much and many ask for is put together once for all who ask within a moment."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cloud.ports import Clock
from cloud.records.database import Records


@dataclass(frozen=True, slots=True)
class _Moment:
    value: bytes
    changes: int
    at_s: float


class Moments:
    """Keeps one answer a name for so long, and not beyond a change of the records by this process; any thread.

    age_s: how old an answer may be; 0: nobody shares. What other processes change is seen when the moment is over.
    """

    def __init__(self, records: Records, clock: Clock, *, age_s: float) -> None:
        self._records = records
        self._clock = clock
        self._age_s = age_s
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._kept: dict[str, _Moment] = {}

    def shared(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what `make` returns, or returned a moment ago; raises what it raises, which nobody shares."""
        with self._lock:
            making = self._making.setdefault(name, Lock())
        changes = self._records.changes
        with making:
            now_s = self._clock.monotonic_s()
            kept = self._kept.get(name)
            if kept is not None and kept.changes >= changes and now_s - kept.at_s < self._age_s:
                return kept.value
            changes = self._records.changes
            value = make()
            self._kept[name] = _Moment(value, changes, now_s)
            return value
