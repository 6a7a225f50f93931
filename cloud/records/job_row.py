"""JobRow: how a job lies in the records."""

from datetime import datetime

from sqlalchemy import JSON, Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cloud.domain.job import Failing, Failure, Job, JobKind, JobLimits, JobState, Progress
from cloud.records.base import Base, UtcDateTime

TEXT = 2_000
"""The longest text that is kept."""


class JobRow(Base):
    """One job."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_priority", "state", "priority"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(20))
    priority: Mapped[int]
    parameters: Mapped[dict[str, object]] = mapped_column(JSON)
    requested_by: Mapped[str] = mapped_column(String(200))
    limit_s: Mapped[float] = mapped_column(Float)
    memory_mib: Mapped[int]
    attempts: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_by: Mapped[str] = mapped_column(String(200), default="")
    share: Mapped[float] = mapped_column(Float, default=0.0)
    step: Mapped[str] = mapped_column(String(200), default="")
    message: Mapped[str] = mapped_column(String(TEXT), default="")
    result: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    failure: Mapped[dict[str, object] | None] = mapped_column(JSON)


def job_of(row: JobRow) -> Job:
    """Return the job that a row holds."""
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        parameters=row.parameters,
        limits=JobLimits(row.limit_s, row.memory_mib, row.attempts),
        priority=row.priority,
        requested_by=row.requested_by,
        created_at=row.created_at,
        progress=Progress(row.share, row.step, row.message),
        run=row.run,
        attempt=row.attempt,
        started_at=row.started_at,
        ended_at=row.ended_at,
        cancelled_by=row.cancelled_by,
        result=row.result or {},
        failure=None if row.failure is None else _failure(row.failure),
    )


def _failure(told: dict[str, object]) -> Failure:
    details = told.get("details")
    return Failure(
        Failing(str(told["reason"])),
        str(told["message"]),
        str(told.get("code", "")),
        details if isinstance(details, dict) else {},
    )
