"""How much there was to do for jobs in a span of time, from the queue's own rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.domain.job import JobState
from cloud.records.job_row import JobRow


@dataclass(frozen=True, slots=True)
class JobLoad:
    """Jobs that came and that ended in a span; waiting_since: of the oldest in the queue at its end, if any."""

    came: int
    ended: int
    waiting_since: datetime | None


def job_load(session: Session, since: datetime, until: datetime) -> JobLoad:
    """Return what happened in since < time <= until."""
    came = select(func.count()).where(JobRow.created_at > since, JobRow.created_at <= until)
    ended = select(func.count()).where(JobRow.ended_at > since, JobRow.ended_at <= until)
    oldest = select(func.min(JobRow.created_at)).where(JobRow.state == JobState.QUEUED.value)
    return JobLoad(session.scalar(came) or 0, session.scalar(ended) or 0, session.scalar(oldest))
