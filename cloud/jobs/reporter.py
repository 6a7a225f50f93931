"""Reporter: a job's progress on its way into the records, a few times a second at most."""

from cloud.domain.job import Progress
from cloud.domain.times import to_datetime
from cloud.learning.algorithm import Cancelled
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.jobs import note_progress, tell_progress

_PAUSE_S = 0.5
_TOLD_EVERY_S = 0.5
"""How often live feeds are told at most, however many steps there are."""


class Reporter:
    """The Progress of one run."""

    def __init__(self, records: Records, clock: Clock, run: str) -> None:
        self._records = records
        self._clock = clock
        self._run = run
        self._next_s = 0.0
        self._told_next_s = 0.0
        self._step = ""

    def __call__(self, share: float, step: str) -> None:
        """Note it, at once where a new step begins; raise Cancelled where the run shall stop, or Unavailable."""
        now_s = self._clock.monotonic_s()
        if now_s < self._next_s and step == self._step:
            return
        self._next_s, self._step = now_s + _PAUSE_S, step
        with self._records.writing() as session:
            goes_on = note_progress(session, self._run, Progress(min(max(share, 0.0), 1.0), step))
            if goes_on and now_s >= self._told_next_s:
                tell_progress(session, self._run, to_datetime(self._clock.now_us()))
                self._told_next_s = now_s + _TOLD_EVERY_S
        if not goes_on:
            raise Cancelled("the run is over: it was cancelled, or given to another")
