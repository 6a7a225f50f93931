"""Figures: what ingest counts of itself, by outcome, for whoever shows it."""

from collections.abc import Iterator
from threading import Lock
from typing import NamedTuple


class Sample(NamedTuple):
    """One number: `name{outcome="..."} value`; gauges have an empty outcome."""

    name: str
    outcome: str
    value: float


class Figures:
    """Counters and gauges; any thread may count. Families are documented where they are counted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._gauges: dict[str, float] = {}

    def count(self, family: str, outcome: str, more: int = 1) -> None:
        """Add to a counter; adding 0 changes nothing."""
        if not more:
            return
        with self._lock:
            self._counts[family, outcome] = self._counts.get((family, outcome), 0) + more

    def show(self, gauge: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[gauge] = value

    def highest(self, gauge: str, value: float) -> None:
        """Raise a gauge to this value where it is lower."""
        self._gauges[gauge] = max(value, self._gauges.get(gauge, value))

    def add(self, gauge: str, more: float) -> None:
        """Add to a gauge; one thread only."""
        self._gauges[gauge] = self._gauges.get(gauge, 0.0) + more

    def counted(self, family: str, outcome: str) -> int:
        """Return a counter."""
        return self._counts.get((family, outcome), 0)

    def gauge(self, name: str) -> float:
        """Return a gauge, 0 where it was never shown."""
        return self._gauges.get(name, 0.0)

    def samples(self) -> Iterator[Sample]:
        """Return every counter and gauge."""
        with self._lock:
            counts, gauges = dict(self._counts), dict(self._gauges)
        yield from (Sample(f"{family}_total", outcome, value) for (family, outcome), value in sorted(counts.items()))
        yield from (Sample(name, "", value) for name, value in sorted(gauges.items()))
