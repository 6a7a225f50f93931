"""The queue of jobs, and who runs which; every change of a job's state is one conditional statement here.

A run has a token. Whoever reports for a run whose token is no longer the row's is too late, and nothing changes: so a
job runs once, whatever died meanwhile, and its result appears in the same transaction as its success.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from cloud.domain.job import Failure, Job, JobKind, JobState, NewJob, Progress
from cloud.domain.job_news import news_of
from cloud.records.job_row import TEXT, JobRow, job_of
from cloud.records.notices import add_notice

LEASE = timedelta(seconds=15)
"""How long a worker may be silent before its jobs are taken from it."""


def _nothing(_session: Session) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job made; keep: writes it into the records, in the transaction that ends the job."""

    result: dict[str, object] = field(default_factory=dict)
    keep: Callable[[Session], None] = _nothing


def add_job(session: Session, identity: str, new: NewJob, at: datetime) -> Job:
    """Put a job into the queue."""
    row = JobRow(
        id=identity,
        kind=new.kind.value,
        state=JobState.QUEUED.value,
        priority=new.priority,
        parameters=dict(new.parameters),
        requested_by=new.requested_by,
        limit_s=new.limits.seconds,
        memory_mib=new.limits.memory_mib,
        attempts=new.limits.attempts,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return _told(session, row, at)


def find_job(session: Session, identity: str) -> Job | None:
    """Return one job."""
    row = session.get(JobRow, identity)
    return None if row is None else job_of(row)


def list_jobs(
    session: Session,
    *,
    kinds: Collection[JobKind] = (),
    states: Collection[JobState] = (),
    limit: int = 1000,
    offset: int = 0,
) -> Sequence[Job]:
    """Return the newest first, of some kinds and states or of all."""
    query = select(JobRow).order_by(JobRow.id.desc()).limit(limit).offset(offset)
    query = query.where(JobRow.kind.in_([one.value for one in kinds])) if kinds else query
    query = query.where(JobRow.state.in_([one.value for one in states])) if states else query
    return [job_of(row) for row in session.scalars(query)]


def datasets_of_jobs(session: Session) -> set[str]:
    """Return what jobs that wait or run name as their dataset, as their parameters have it and as its inner id."""
    waiting = select(JobRow.parameters).where(JobRow.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]))
    named = {str(parameters.get("dataset_id", "")) for parameters in session.scalars(waiting)}
    return named | {text.rpartition("_")[2].replace("-", "") for text in named}


def count_jobs(session: Session, *, kinds: Collection[JobKind] = (), states: Collection[JobState] = ()) -> int:
    """Return how many there are of some kinds and states."""
    query = select(func.count()).select_from(JobRow)
    query = query.where(JobRow.kind.in_([one.value for one in kinds])) if kinds else query
    query = query.where(JobRow.state.in_([one.value for one in states])) if states else query
    return session.scalar(query) or 0


def has_waiting(session: Session) -> bool:
    """Return whether there is anything to claim, without taking the lock that a claim takes."""
    return session.scalar(select(JobRow.id).where(JobRow.state == JobState.QUEUED.value).limit(1)) is not None


def claim_job(session: Session, run: str, at: datetime) -> Job | None:
    """Return the next job, now running under this token; None where nothing waits."""
    query = (
        select(JobRow)
        .where(JobRow.state == JobState.QUEUED.value)
        .order_by(JobRow.priority.desc(), JobRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query)
    if row is None:
        return None
    row.state, row.run, row.lease_until = JobState.RUNNING.value, run, at + LEASE
    row.started_at, row.attempt = at, row.attempt + 1
    row.share, row.step, row.message = 0.0, "", ""
    session.flush()
    return _told(session, row, at)


def renew_leases(session: Session, runs: Collection[str], at: datetime) -> None:
    """Say that these runs go on."""
    ours = (JobRow.run.in_(runs), JobRow.state == JobState.RUNNING.value)
    session.execute(update(JobRow).where(*ours).values(lease_until=at + LEASE))


def unwanted_runs(session: Session, runs: Collection[str]) -> set[str]:
    """Return which of these runs shall stop: somebody cancelled the job, or it is no longer theirs."""
    going = (JobRow.run.in_(runs), JobRow.state == JobState.RUNNING.value, JobRow.cancelled_by == "")
    return set(runs) - set(session.scalars(select(JobRow.run).where(*going)))


def note_progress(session: Session, run: str, progress: Progress) -> bool:
    """Write how far a run is, never backwards; return False where it shall stop."""
    share = case((JobRow.share > progress.share, JobRow.share), else_=progress.share)
    ours = (JobRow.run == run, JobRow.state == JobState.RUNNING.value, JobRow.cancelled_by == "")
    told = {"share": share, "step": progress.step[:200], "message": progress.message[:TEXT]}
    changed = session.execute(update(JobRow).where(*ours).values(**told).returning(JobRow.id))
    return changed.first() is not None


def tell_progress(session: Session, run: str, at: datetime) -> None:
    """Let live feeds know how far a run is."""
    row = session.scalar(select(JobRow).where(JobRow.run == run))
    if row is not None:
        _told(session, row, at)


def succeed(session: Session, run: str, outcome: Outcome, at: datetime) -> bool:
    """Keep what a run made and end its job, together; return False, with nothing kept, where it is too late."""
    row = _running(session, run)
    if row is None or row.cancelled_by:
        return False
    outcome.keep(session)
    row.result, row.share = outcome.result, 1.0
    _told(session, row, at)
    _end(row, JobState.SUCCEEDED, at)
    _told(session, row, at)
    return True


def conclude(session: Session, run: str, failure: Failure, at: datetime) -> Job | None:
    """End a run that came to nothing: cancelled where somebody asked for it, else failed; None where it had ended."""
    row = _running(session, run)
    if row is None:
        return None
    _fail(row, failure, at)
    return _told(session, row, at)


def requeue(session: Session, run: str) -> bool:
    """Put a run's job back into the queue, as if it had never begun; return False where it had ended."""
    row = _running(session, run)
    if row is None or row.cancelled_by:
        return False
    row.state, row.run, row.lease_until, row.started_at = JobState.QUEUED.value, "", None, None
    row.attempt -= 1
    return True


def reap(session: Session, *, but: Collection[str], failure: Failure, at: datetime) -> Sequence[Job]:
    """End all runs whose lease is over but those named, or begin them again where attempts are left."""
    over = (JobRow.state == JobState.RUNNING.value, JobRow.lease_until <= at, JobRow.run.not_in(but))
    rows = session.scalars(select(JobRow).where(*over).with_for_update(skip_locked=True)).all()
    for row in rows:
        if row.attempt < row.attempts and not row.cancelled_by:
            row.state, row.run, row.lease_until, row.started_at = JobState.QUEUED.value, "", None, None
        else:
            _fail(row, failure, at)
    return [_told(session, row, at) for row in rows]


def cancel_job(session: Session, identity: str, *, by: str, at: datetime) -> Job | None:
    """Cancel a job that waits, ask a running one to stop, leave one that ended alone; None where there is none."""
    row = session.get(JobRow, identity, with_for_update=True)
    if row is None:
        return None
    state = JobState(row.state)
    if not state.is_final and not row.cancelled_by:
        row.cancelled_by = by
    if state is JobState.QUEUED:
        _end(row, JobState.CANCELLED, at)
        return _told(session, row, at)
    return job_of(row)


def forget_jobs(session: Session, *, before: datetime) -> int:
    """Delete jobs that ended before; return how many."""
    rows = session.scalars(select(JobRow).where(JobRow.ended_at < before)).all()
    for row in rows:
        session.delete(row)
    return len(rows)


def usual_seconds(session: Session, kind: JobKind, *, last: int = 5) -> Sequence[float]:
    """Return how long the last jobs of a kind that succeeded took."""
    rows = list_jobs(session, kinds=[kind], states=[JobState.SUCCEEDED], limit=last)
    return [job.elapsed_s(job.ended_at) for job in rows if job.ended_at is not None]


def _running(session: Session, run: str) -> JobRow | None:
    query = select(JobRow).where(JobRow.run == run, JobRow.state == JobState.RUNNING.value).with_for_update()
    return session.scalar(query)


def _told(session: Session, row: JobRow, at: datetime) -> Job:
    """Return the job, and let live feeds and webhooks know of it in this transaction."""
    job = job_of(row)
    usual = usual_seconds(session, job.kind) if not job.state.is_final and job.progress.share < 0.1 else ()
    for new in news_of(job, at, usual_s=median(usual) if usual else None):
        add_notice(session, new)
    return job


def _end(row: JobRow, state: JobState, at: datetime) -> None:
    row.state, row.run, row.lease_until, row.ended_at = state.value, "", None, at


def _fail(row: JobRow, failure: Failure, at: datetime) -> None:
    if row.cancelled_by:
        _end(row, JobState.CANCELLED, at)
        return
    _end(row, JobState.FAILED, at)
    row.failure = {
        "reason": failure.reason.value,
        "message": failure.message[:TEXT],
        "code": failure.code,
        "details": dict(failure.details),
    }
