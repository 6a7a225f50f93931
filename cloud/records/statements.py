"""Statements: which statements on the records take how long, for whoever has to make the cloud faster."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, event

_MOST = 500
_BEGUN = "lineside_begun"


@dataclass(frozen=True, slots=True)
class StatementFigures:
    """One statement without its values; seconds: of all runs together."""

    text: str
    count: int
    seconds: float
    longest_s: float

    @property
    def mean_s(self) -> float:
        """Return how long one run takes on average."""
        return self.seconds / self.count


class Statements:
    """Listens to an engine; any thread. Bounded: what comes after the first five hundred statements is not counted."""

    def __init__(self, engine: Engine) -> None:
        self._lock = Lock()
        self._kept: dict[str, StatementFigures] = {}
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)

    def slowest(self, most: int) -> Sequence[StatementFigures]:
        """Return the statements that take longest on average, the slowest first."""
        with self._lock:
            kept = tuple(self._kept.values())
        return sorted(kept, key=lambda one: one.mean_s, reverse=True)[:most]

    def _begin(self, connection: Connection, *_: object) -> None:
        connection.info[_BEGUN] = perf_counter()

    def _end(self, connection: Connection, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 the driver's own
        seconds = perf_counter() - connection.info.get(_BEGUN, perf_counter())
        with self._lock:
            found = self._kept.get(statement)
            if found is not None:
                longest_s = max(found.longest_s, seconds)
                self._kept[statement] = StatementFigures(statement, found.count + 1, found.seconds + seconds, longest_s)
            elif len(self._kept) < _MOST:
                self._kept[statement] = StatementFigures(statement, 1, seconds, seconds)
