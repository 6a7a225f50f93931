"""Job: work that takes longer than a request; its states, its words in each document, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """How far a job is; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Return whether nothing will change any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class JobKind(StrEnum):
    """What can be done as a job; `cloud/jobs/kinds.py` says how."""

    TRAIN = "train"
    RETRAIN = "retrain"
    DRAW_DATASET = "draw_dataset"
    REPORT = "report"
    EXPORT = "export"
    AUTONOMOUS = "autonomous"


class Failing(StrEnum):
    """Why a job failed."""

    REFUSED = "refused"
    """It said itself what is wrong with what it was given."""
    CRASHED = "crashed"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    KILLED = "killed"
    WORKER_DIED = "worker_died"


class Vocabulary(StrEnum):
    """The three documents that name the states of a job, each in its own words."""

    TRAINING = "training"
    RETRAINING = "retraining"
    TASKS = "tasks"


_ORDER = (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
WORDS: Mapping[Vocabulary, Mapping[JobState, str]] = {
    Vocabulary.TRAINING: dict(zip(_ORDER, ("queued", "in_progress", "completed", "failed", "failed"), strict=True)),
    Vocabulary.RETRAINING: dict(zip(_ORDER, ("queued", "running", "completed", "failed", "failed"), strict=True)),
    Vocabulary.TASKS: dict(zip(_ORDER, ("PENDING", "STARTED", "SUCCESS", "FAILURE", "FAILURE"), strict=True)),
}
"""None of the documents knows a cancelled job: there it failed, and the reason says that somebody cancelled it."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What one job may take; attempts: how often it is begun again where its worker died."""

    seconds: float
    memory_mib: int
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is asked for; a higher priority is begun first, equal ones in order of arrival."""

    kind: JobKind
    parameters: Mapping[str, object]
    limits: JobLimits
    requested_by: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is; share: 0 to 1 and never going down."""

    share: float = 0.0
    step: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed; code: the specific one for the API, details: facts such as the field."""

    reason: Failing
    message: str
    code: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it is now; run: the token of its present run, empty where it is not running."""

    id: str
    kind: JobKind
    state: JobState
    parameters: Mapping[str, object]
    limits: JobLimits
    priority: int
    requested_by: str
    created_at: datetime
    progress: Progress = Progress()
    run: str = ""
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancelled_by: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None

    def word(self, vocabulary: Vocabulary) -> str:
        """Return the state as a document calls it."""
        return WORDS[vocabulary][self.state]

    def elapsed_s(self, now: datetime) -> float:
        """Return for how long it has been running, or ran."""
        if self.started_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or now) - self.started_at).total_seconds())

    def remaining_s(self, now: datetime, *, usual_s: float) -> float:
        """Return how long it will go on: by its share once that says something, else by what is usual."""
        if self.state.is_final:
            return 0.0
        elapsed_s = self.elapsed_s(now)
        if self.progress.share >= 0.1:
            return elapsed_s * (1 - self.progress.share) / self.progress.share
        return max(0.0, usual_s - elapsed_s)
