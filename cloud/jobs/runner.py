"""Runner: the worker's side of the queue: begins what waits, watches what runs, says how what ended came out."""

import logging
import secrets
from collections.abc import Sequence

from cloud.domain.job import Failing, Failure, Job
from cloud.domain.times import to_datetime
from cloud.errors import Unavailable
from cloud.jobs.child import Child, begin
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.jobs import LEASE, claim_job, conclude, has_waiting, reap, renew_leases, requeue, unwanted_runs

EVERY_S = 0.2
_BEAT_S = LEASE.total_seconds() / 5
_log = logging.getLogger(__name__)
_GONE = Failure(Failing.WORKER_DIED, "the worker that ran it died")
_UNWANTED = Failure(Failing.KILLED, "stopped: it was cancelled, or its worker was silent for too long")


class Runner:
    """Runs at most `most` jobs at once, for one thread; settings: the cloud's settings as JSON."""

    def __init__(
        self, records: Records, clock: Clock, settings: str, *, most: int, command: Sequence[str] = ()
    ) -> None:
        """Command: instead of the process of a job."""
        self._records = records
        self._clock = clock
        self._settings = settings
        self._most = most
        self._command = command
        self._children: list[Child] = []
        self._next_beat_s = 0.0

    @property
    def running(self) -> Sequence[Job]:
        """Return the jobs that run here."""
        return [child.job for child in self._children]

    def look(self) -> None:
        """Do one round: end, watch, renew, begin; raise Unavailable where the records are away, and look again."""
        self._end_the_dead()
        self._stop_the_unwanted()
        self._beat()
        while len(self._children) < self._most and self._begin_one():
            pass

    def stop(self) -> None:
        """Kill all that runs here and put it back into the queue."""
        for child in self._children:
            child.kill(None).let_go()
        with self._records.writing() as session:
            for child in self._children:
                requeue(session, child.run)
                conclude(session, child.run, _UNWANTED, to_datetime(self._clock.now_us()))
        self._children.clear()

    def _end_the_dead(self) -> None:
        for child in list(self._children):
            failure = child.ended()
            if failure is None:
                continue
            with self._records.writing() as session:
                ended = conclude(session, child.run, failure, to_datetime(self._clock.now_us()))
            self._children.remove(child)
            if ended is not None:
                _log.warning("a job came to nothing", extra={"job": child.job.id, "reason": failure.message})

    def _stop_the_unwanted(self) -> None:
        if not self._children:
            return
        with self._records.reading() as session:
            unwanted = unwanted_runs(session, [child.run for child in self._children])
        now_s = self._clock.monotonic_s()
        for index, child in enumerate(self._children):
            verdict = _UNWANTED if child.run in unwanted else child.over_limit(now_s)
            if verdict is not None and child.verdict is None:
                self._children[index] = child.kill(verdict)

    def _beat(self) -> None:
        """Renew our leases, and end what workers left that are no more."""
        if self._clock.monotonic_s() < self._next_beat_s:
            return
        runs = [child.run for child in self._children]
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            renew_leases(session, runs, now)
            for job in reap(session, but=runs, failure=_GONE, at=now):
                _log.warning("a job was left by a worker that died", extra={"job": job.id, "state": job.state.value})
        self._next_beat_s = self._clock.monotonic_s() + _BEAT_S

    def _begin_one(self) -> bool:
        with self._records.reading() as session:
            if not has_waiting(session):
                return False
        run = secrets.token_hex(16)
        with self._records.writing() as session:
            job = claim_job(session, run, to_datetime(self._clock.now_us()))
        if job is None:
            return False
        try:
            self._children.append(begin(job, self._settings, self._clock.monotonic_s(), self._command))
        except OSError as error:
            with self._records.writing() as session:
                requeue(session, run)
            raise Unavailable(f"no process can be started for a job: {error}") from error
        return True
