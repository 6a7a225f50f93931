"""Circuit: whether a target that failed again and again is left alone for a while; Nygard, Release It!, 2007."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(seconds=30)


class CircuitState(StrEnum):
    """Whether a target is tried."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One attempt finds out whether it is back."""

    @property
    def gauge(self) -> float:
        """Return the number that the metric shows: 0 closed, 1 open, 0.5 half open."""
        return {CircuitState.CLOSED: 0.0, CircuitState.OPEN: 1.0, CircuitState.HALF_OPEN: 0.5}[self]


@dataclass(frozen=True, slots=True)
class Circuit:
    """One target's; failures: in a row; open_until: when it may be tried again; while a probe goes on, when it ends."""

    target: str
    failures: int = 0
    open_until: datetime | None = None

    def state(self, at: datetime) -> CircuitState:
        """Return its state at a time."""
        if self.open_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if at < self.open_until else CircuitState.HALF_OPEN

    def probing(self, at: datetime, longest: timedelta) -> Self:
        """Return it with one probe under way, which holds back all others until it ended."""
        return replace(self, open_until=at + longest)

    def failed(self, at: datetime) -> Self:
        """Return it after one more failure."""
        failures = self.failures + 1
        opens = failures >= FAILURES_TO_OPEN
        return replace(self, failures=failures, open_until=at + OPEN_FOR if opens else self.open_until)

    def succeeded(self) -> Self:
        """Return it after a success: closed."""
        return replace(self, failures=0, open_until=None)
