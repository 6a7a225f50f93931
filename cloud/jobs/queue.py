"""Jobs: the queue as those see it who ask for work: put in, look, cancel."""

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from statistics import median

from cloud.domain.audit import AuditEntry
from cloud.domain.identity import new_id, parse_id
from cloud.domain.job import Job, JobKind, JobState, NewJob
from cloud.domain.times import to_datetime
from cloud.errors import NotFound, Unavailable
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.jobs import add_job, cancel_job, count_jobs, find_job, list_jobs, usual_seconds

JOB = "job"
"""The prefix of a job's id where it is shown."""
MOST_WAITING = 1_000
_REQUESTED = dict.fromkeys(JobKind, "job.request") | dict.fromkeys((JobKind.TRAIN, JobKind.RETRAIN), "training.request")
"""Under which action the audit keeps that a job was asked for."""


class Jobs:
    """The jobs of one installation; safe to use from several threads."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        draw: Callable[[int], str] = secrets.token_hex,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._most_waiting = most_waiting
        self._records = records
        self._clock = clock
        self._draw = draw

    def add(self, new: NewJob) -> Job:
        """Put a job into the queue; raise Unavailable where too many are waiting."""
        with self._records.writing() as session:
            if count_jobs(session, states=[JobState.QUEUED]) >= self._most_waiting:
                raise Unavailable(f"{self._most_waiting} jobs are waiting already", code="TOO_MANY_JOBS")
            now_us = self._clock.now_us()
            job = add_job(session, new_id(now_us, self._draw(10)), new, to_datetime(now_us))
            details = {"kind": new.kind.value, "model": new.parameters.get("model")}
            add_audit(session, AuditEntry(job.created_at, new.requested_by, _REQUESTED[new.kind], job.id, details))
            return job

    def get(self, job_id: str) -> Job:
        """Return one, by its id with or without prefix; raise NotFound."""
        identity = parse_id(JOB, job_id, code="JOB_NOT_FOUND")
        with self._records.reading() as session:
            return _found(find_job(session, identity), job_id)

    def list(
        self, *, kinds: Collection[JobKind] = (), states: Collection[JobState] = (), limit: int = 100, offset: int = 0
    ) -> tuple[Sequence[Job], int]:
        """Return some of the newest, and how many there are in all."""
        with self._records.reading() as session:
            found = list_jobs(session, kinds=kinds, states=states, limit=limit, offset=offset)
            return found, count_jobs(session, kinds=kinds, states=states)

    def cancel(self, job_id: str, *, by: str) -> Job:
        """Cancel a job; one that ended stays as it is, a running one is stopped within a second. Raise NotFound."""
        identity = parse_id(JOB, job_id, code="JOB_NOT_FOUND")
        now = self.now()
        with self._records.writing() as session:
            before = _found(find_job(session, identity), job_id)
            job = _found(cancel_job(session, identity, by=by, at=now), job_id)
            if not before.state.is_final:
                add_audit(session, AuditEntry(now, by, "job.cancel", identity, {"kind": job.kind.value}))
            return job

    def usual_s(self, kind: JobKind, *, default_s: float) -> float:
        """Return the median of how long the last five of a kind took."""
        with self._records.reading() as session:
            return median(usual_seconds(session, kind) or [default_s])

    def now(self) -> datetime:
        """Return what the queue's clock says."""
        return to_datetime(self._clock.now_us())


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound(f"there is no job {job_id}", code="JOB_NOT_FOUND")
    return job
