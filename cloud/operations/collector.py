"""Collector: figures of this machine and of this installation; every view of the system takes them from here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psutil

from cloud.domain.job import JobKind, JobState
from cloud.operations.health import Health
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.jobs import count_jobs
from cloud.records.models import count_models
from cloud.records.statements import StatementFigures

_SMOOTHING = 0.05
_TRAININGS = (JobKind.TRAIN, JobKind.RETRAIN, JobKind.AUTONOMOUS)
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_LOOKS_EVERY_S = 1.0
"""The share of a busy processor needs an interval; who asks sooner is told the same again."""
_MEASURES_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Shares in percent: of all cores since the last look, of memory, of the data's disk; bytes of data and process."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    process_bytes: int
    storage_bytes: int


class Collector:
    """Looks when it is asked; safe to use from several threads. data: the directory whose disk counts."""

    def __init__(self, records: Records, clock: Clock, data: Path) -> None:
        self._records = records
        self._clock = clock
        self._data = data
        self._lock = Lock()
        self._response_ms: float | None = None
        self._seen: Machine | None = None
        self._seen_s = self._measured_s = clock.monotonic_s()
        self._storage_bytes = -1
        psutil.cpu_percent(None)  # the first look begins the interval that the next one ends

    def took(self, seconds: float) -> None:
        """Note how long an answer of the API took."""
        with self._lock:
            before = 1000 * seconds if self._response_ms is None else self._response_ms
            self._response_ms = before + _SMOOTHING * (1000 * seconds - before)

    @property
    def response_ms(self) -> float:
        """Return how long answers of this process take lately, 0 before the first one."""
        return round(self._response_ms or 0.0, 3)

    def look(self) -> Machine:
        """Return the figures of the machine; blocks."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._seen is None or now_s - self._seen_s >= _LOOKS_EVERY_S:
                self._seen, self._seen_s = self._machine(now_s), now_s
            return self._seen

    def counts(self) -> Mapping[str, int]:
        """Return how many models, unfinished jobs and running trainings there are; raise Unavailable."""
        with self._records.reading() as session:
            return {
                "total_models": count_models(session),
                "active_jobs": count_jobs(session, states=_UNFINISHED),
                "active_training_jobs": count_jobs(session, kinds=_TRAININGS, states=[JobState.RUNNING]),
            }

    def slowest(self, most: int) -> Sequence[StatementFigures]:
        """Return the statements on the records that take longest on average, the slowest first."""
        return self._records.statements.slowest(most)

    async def live(
        self,
        run: Callable[[Callable[[], Mapping[str, object]]], Awaitable[Mapping[str, object]]],
        examine: Callable[[], Awaitable[Health]],
    ) -> Mapping[str, object]:
        """Return the figures that live feeds tell; run: does blocking work in a thread. Raise Unavailable."""
        plain = await run(self._plain)
        health = await examine()
        return {**plain, "system_health": health.status.value, "api_response_time_ms": self.response_ms}

    def _plain(self) -> Mapping[str, object]:
        machine, counts = self.look(), self.counts()
        return {
            "cpu_percent": machine.cpu_percent,
            "memory_percent": machine.memory_percent,
            "disk_percent": machine.disk_percent,
            "total_models": counts["total_models"],
            "active_training_jobs": counts["active_training_jobs"],
        }

    def _machine(self, now_s: float) -> Machine:
        if self._storage_bytes < 0 or now_s - self._measured_s >= _MEASURES_EVERY_S:
            self._storage_bytes, self._measured_s = _size_of(self._data), now_s
        return Machine(
            cpu_percent=float(psutil.cpu_percent(None)),
            memory_percent=float(psutil.virtual_memory().percent),
            disk_percent=float(psutil.disk_usage(str(self._data)).percent),
            process_bytes=int(psutil.Process().memory_info().rss),
            storage_bytes=self._storage_bytes,
        )


def _size_of(directory: Path) -> int:
    """Return the bytes of all files; those that go while we look do not count."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() and not path.is_symlink() else 0
        except OSError:
            continue
    return total
