"""JobView: one job as our own resource shows it; the documents' views of the same job are in their routes."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from cloud.domain.identity import shown
from cloud.domain.job import Job
from cloud.domain.times import to_datetime
from cloud.jobs.queue import JOB
from cloud.ports import Clock

JOB_EXAMPLE = {
    "id": "job_0197f3a25c1e7d409a6b001122334455",
    "kind": "train",
    "state": "running",
    "progress": 0.4,
    "step": "learning",
    "message": "",
    "created_at": "2026-01-15T10:30:00Z",
    "started_at": "2026-01-15T10:30:01Z",
    "ended_at": None,
    "elapsed_s": 12.5,
    "limit_s": 300.0,
    "memory_mib": 2048,
    "priority": 0,
    "parameters": {"dataset_id": "0197f3a25c1e7d409a6b001122334455", "model": "pump"},
    "requested_by": "anna",
    "cancelled_by": "",
    "result": {},
    "error": None,
}
_MEASURED = frozenset({"requests"})
"""What a report carries of the API's own traffic: no part of what was asked."""


class JobError(BaseModel):
    """Why a job failed."""

    reason: str
    code: str
    message: str
    details: dict[str, Any]


class JobView(BaseModel):
    """One job; progress is 0 to 1; parameters: what was asked for, so that it can be asked again."""

    id: str
    kind: str
    state: str
    progress: float
    step: str
    message: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    elapsed_s: float
    limit_s: float
    memory_mib: int
    priority: int
    parameters: dict[str, Any]
    requested_by: str
    cancelled_by: str
    result: dict[str, Any]
    error: JobError | None


def show_job(job: Job, clock: Clock) -> JobView:
    """Return a job as it is shown."""
    failure = job.failure
    return JobView(
        id=shown(JOB, job.id),
        kind=job.kind.value,
        state=job.state.value,
        progress=job.progress.share,
        step=job.progress.step,
        message=job.progress.message,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        elapsed_s=job.elapsed_s(to_datetime(clock.now_us())),
        limit_s=job.limits.seconds,
        memory_mib=job.limits.memory_mib,
        priority=job.priority,
        parameters={name: value for name, value in job.parameters.items() if name not in _MEASURED},
        requested_by=job.requested_by,
        cancelled_by=job.cancelled_by,
        result=dict(job.result),
        error=None
        if failure is None
        else JobError(
            reason=failure.reason.value,
            code=failure.code or "JOB_FAILED",
            message=failure.message,
            details=dict(failure.details),
        ),
    )
