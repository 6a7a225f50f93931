"""LoadWatch: turns what ingest and the queue of jobs count anyway into minutes of load, and learns what they can do.

The api processes tell of themselves (`api_load`): only they see their requests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cloud.domain.load import MINUTE_US, LoadBin, Service
from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.job_load import job_load
from cloud.records.load import add_load, learn_capacity

EVERY_S = 5.0
INSTANCE = "all"
_MESSAGES = ("lineside_ingest_batches_total", "lineside_ingest_messages_total")
_READINGS = "lineside_ingest_readings_total"
_LAG = "lineside_ingest_lag_seconds"
_LAGGING = "lineside_ingest_lagging_seconds"
_DONE_WHILE_LAGGING = "lineside_ingest_done_while_lagging"
_STORED = ("stored", "duplicate", "replaced", "rejected", "late")
_LONGEST_S = 60.0
"""What happened in a longer time without a look is not told: nobody knows in which minute."""
Counted = Mapping[tuple[str, str], float]
"""What a process counts of itself, by name and outcome."""


@dataclass(frozen=True, slots=True)
class _Totals:
    messages: float = 0.0
    readings: float = 0.0
    lagging_s: float = 0.0
    done_while_lagging: float = 0.0
    lag_s: float = 0.0

    @classmethod
    def of(cls, counted: Counted) -> "_Totals":
        """Return the totals of a process that takes readings in."""
        messages = sum(value for (name, _), value in counted.items() if name in _MESSAGES)
        readings = sum(value for (name, outcome), value in counted.items() if name == _READINGS and outcome in _STORED)
        lag = [counted.get((name, ""), 0.0) for name in (_LAGGING, _DONE_WHILE_LAGGING, _LAG)]
        return cls(messages, readings, *lag)

    def since(self, before: "_Totals") -> "_Totals":
        """Return what was added; all of it where the process began anew."""
        if self.messages < before.messages:
            return self
        return _Totals(
            self.messages - before.messages,
            self.readings - before.readings,
            max(0.0, self.lagging_s - before.lagging_s),
            max(0.0, self.done_while_lagging - before.done_while_lagging),
            self.lag_s,
        )


class LoadWatch:
    """Looks every few seconds. For one thread.

    ingest: what the ingest process counts, None while it is away; instances: how many share the work of a service;
    online: how many Devices sent something lately.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        *,
        ingest: Callable[[], Counted | None],
        instances: Callable[[Service], int],
        online: Callable[[], int],
    ) -> None:
        self._records = records
        self._clock = clock
        self._ingest = ingest
        self._instances = instances
        self._online = online
        self._before: _Totals | None = None
        self._looked_us = clock.now_us()
        self._minute = 0
        self._devices = 0

    def look(self) -> None:
        """Add what happened since the last look to the current minute; raise Unavailable."""
        now_us = self._clock.now_us()
        seconds, since_us = (now_us - self._looked_us) / 1e6, self._looked_us
        self._looked_us = now_us
        minute = now_us // MINUTE_US
        bins = [self._of_ingest(minute, seconds)]
        if 0 < seconds <= _LONGEST_S:
            bins.append(self._of_jobs(minute, since_us, now_us))
        with self._records.writing() as session:
            add_load(session, [one for one in bins if one is not None and 0 < seconds <= _LONGEST_S])
            if minute != self._minute:
                for service in Service:
                    learn_capacity(session, service, before=minute)
        self._minute = minute

    def _of_ingest(self, minute: int, seconds: float) -> LoadBin | None:
        counted = self._ingest()
        if counted is None:
            return None
        totals, before = _Totals.of(counted), self._before
        self._before = totals
        if minute != self._minute:
            self._devices = self._online()
        if before is None:
            return None
        more, shared_by = totals.since(before), max(1, self._instances(Service.INGEST))
        return LoadBin(
            Service.INGEST,
            minute,
            INSTANCE,
            messages=round(more.messages),
            readings=round(more.readings),
            seconds=seconds,
            lagging_s=min(more.lagging_s, seconds) * shared_by,
            done_while_lagging=round(more.done_while_lagging),
            lag_s=more.lag_s,
            online=self._devices,
        )

    def _of_jobs(self, minute: int, since_us: int, now_us: int) -> LoadBin:
        with self._records.reading() as session:
            load = job_load(session, to_datetime(since_us), to_datetime(now_us))
        seconds = (now_us - since_us) / 1e6
        found = LoadBin(Service.JOBS, minute, INSTANCE, messages=load.came, seconds=seconds)
        if load.waiting_since is None:
            return found
        waited_s = max(0.0, (to_datetime(now_us) - load.waiting_since).total_seconds())
        shared_by = max(1, self._instances(Service.JOBS))
        return replace(found, lagging_s=seconds * shared_by, done_while_lagging=load.ended, lag_s=waited_s)
