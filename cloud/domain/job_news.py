"""What live feeds and webhooks are told of a job: how far it is, that it ended, and that a model was trained anew."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from cloud.domain.identity import shown
from cloud.domain.job import Job, JobKind, JobState, Vocabulary
from cloud.domain.notice import NewNotice, NoticeKind

_JOB = "job"
_TRAININGS = frozenset({JobKind.TRAIN, JobKind.RETRAIN, JobKind.AUTONOMOUS})
_LIVE_WORDS: Mapping[JobState, str] = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "training",
    JobState.SUCCEEDED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
}
"""A training's states as the document of the live feed calls them."""
_ACCURACIES = ("accuracy", "balanced_accuracy", "f1", "f1_macro", "r2")
"""Figures that answer for a live accuracy, the nearest one first."""


def duration_text(seconds: float) -> str:
    """Return a duration as people read it: `45s`, `2m 15s`, `1h 5m`."""
    whole = max(0, math.ceil(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    return f"{minutes // 60}h {minutes % 60}m"


def news_of(job: Job, at: datetime, *, usual_s: float | None = None) -> Sequence[NewNotice]:
    """Return what there is to tell of a job as it is at a time; usual_s: how long its kind takes, where known."""
    if job.kind not in _TRAININGS:
        return [NewNotice(NoticeKind.TASK_UPDATE, at, shown(_JOB, job.id), _task(job))]
    told = NewNotice(NoticeKind.TRAINING_PROGRESS, at, shown(_JOB, job.id), _training(job, at, usual_s))
    if job.kind is JobKind.RETRAIN and job.state is JobState.SUCCEEDED:
        return [told, NewNotice(NoticeKind.MODEL_RETRAINED, at, shown(_JOB, job.id), _retrained(job))]
    return [told]


def percent_of(job: Job) -> int:
    """Return how much of a job is done, 0 to 100; all of it only where it is."""
    return 100 if job.progress.share >= 1 else min(99, int(100 * job.progress.share))


def _training(job: Job, at: datetime, usual_s: float | None) -> dict[str, object]:
    percent = percent_of(job)
    stage = job.progress.step or job.state.value
    return {
        "job_id": shown(_JOB, job.id),
        "kind": job.kind.value,
        "status": _LIVE_WORDS[job.state],
        "progress": percent,
        "current_stage": stage,
        "message": _why(job) or f"{stage} - {percent}% complete",
        "live_accuracy": _accuracy(job),
        "estimated_remaining": _remaining(job, at, usual_s),
        "attempt": job.attempt,
    }


def _task(job: Job) -> dict[str, object]:
    return {
        "task_id": shown(_JOB, job.id),
        "kind": job.kind.value,
        "status": job.word(Vocabulary.TASKS),
        "progress": percent_of(job),
        "current_stage": job.progress.step or job.state.value,
        "message": _why(job),
    }


def _retrained(job: Job) -> dict[str, object]:
    plain = {name: value for name, value in job.result.items() if isinstance(value, str | int | float | bool)}
    return {"job_id": shown(_JOB, job.id), "model_name": job.result.get("model", ""), "status": "success", **plain}


def _why(job: Job) -> str:
    if job.state is JobState.CANCELLED:
        return f"cancelled by {job.cancelled_by}"
    return job.failure.message if job.failure is not None else ""


def _accuracy(job: Job) -> float | None:
    """Return the accuracy measured on held-out rows, None before anything was measured."""
    figures = job.result.get("metrics")
    if not isinstance(figures, Mapping):
        return None
    found = (figures.get(name) for name in _ACCURACIES)
    return next((float(one) for one in found if isinstance(one, int | float) and math.isfinite(one)), None)


def _remaining(job: Job, at: datetime, usual_s: float | None) -> str | None:
    if job.progress.share < 0.1 and usual_s is None and not job.state.is_final:
        return None
    return duration_text(job.remaining_s(at, usual_s=usual_s or 0.0))
