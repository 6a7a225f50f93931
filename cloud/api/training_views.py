"""How trainings look in the API: the bodies that ask for them, and how far they are, in each document's words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import WHOLE, Number, Truth
from cloud.domain.algorithm_names import known_name
from cloud.domain.identity import shown
from cloud.domain.job import Job, JobState, Vocabulary
from cloud.errors import Invalid
from cloud.jobs.queue import JOB

FAILED = "TRAINING_FAILED"
_JOB = "job_0197f3a25c1e7d409a6b001122334455"
STARTED = {"job_id": _JOB, "status": "started", "estimated_time": 30, "start_time": "2026-01-15T10:30:00Z"}
TRAINING = {
    "job_id": _JOB,
    "status": "completed",
    "progress": 100,
    "model_id": "model_5d1c0f7a9be24e10",
    "metrics": {
        "accuracy": 0.97,
        "precision": 0.9,
        "recall": 0.87,
        "f1_score": 0.88,
        "confusion_matrix": [[90, 2], [1, 7]],
    },
    "training_time": 12,
    "completed_at": "2026-01-15T10:30:12Z",
}
DETECTION = {
    "success": True,
    "training_time_ms": 850,
    "validation_metrics": {"precision": None, "recall": None, "f1_score": None, "auc_score": None, "over_share": 0.01},
    "model_info": {"n_samples_trained": 8000, "n_features": 8, "algorithm": "IsolationForest", "version": 3},
}
WAITING = {"job_id": _JOB, "status": "in_progress"}
QUEUED = {"job_id": "0197f3a2-5c1e-7d40-9a6b-001122334455", "status": "queued", "estimated_duration_minutes": 15}


class TrainingParameters(BaseModel):
    """How it is trained; max_training_time in seconds, at most what is configured."""

    model_config = ConfigDict(extra="forbid")

    test_split: Annotated[Number, Field(gt=0, le=0.9)] = 0.2
    random_state: Annotated[int, Field(ge=0, lt=1 << 31), WHOLE] = 0
    max_training_time: Annotated[int, Field(ge=1, le=7 * 86_400), WHOLE] | None = None


class TrainBody(BaseModel):
    """What is learned from which file; without a target column it is the dataset's own, else the last one.

    model_type, save_model, max_training_time: without them the settings say.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    file_id: str
    model_type: Literal["auto", "classification", "regression", "anomaly", "forecast"] | None = None
    training_params: TrainingParameters = TrainingParameters()
    target_column: str = ""
    features: list[str] = []
    group_column: str = ""
    algorithm: str = ""
    settings: dict[str, Any] = {}
    model_name: str = ""
    save_model: Truth | None = None
    experiment_id: Annotated[str, Field(max_length=100)] = ""


class Started(BaseModel):
    """A training that was asked for."""

    job_id: str
    status: str
    estimated_time: int
    start_time: str


class TrainingView(BaseModel):
    """How far a training is, or how it came out."""

    model_config = ConfigDict(protected_namespaces=())

    job_id: str
    status: str
    progress: int
    current_step: str | None = None
    elapsed_time: int | None = None
    estimated_remaining: int | None = None
    model_id: str | None = None
    metrics: dict[str, Any] | None = None
    training_time: int | None = None
    completed_at: datetime | None = None
    error: str | None = None
    code: str | None = None


class DetectionBody(BaseModel):
    """Which detector is fitted on which dataset."""

    model_config = ConfigDict(extra="forbid")

    detector_id: str
    dataset_id: str
    validation_split: Annotated[Number, Field(gt=0, le=0.9)] = 0.2
    cross_validation: Truth = False
    save_model: Truth = True
    experiment_id: Annotated[str, Field(max_length=100)] = ""


class DetectionTrained(BaseModel):
    """A detector that was fitted; what needs labels is null without them."""

    model_config = ConfigDict(protected_namespaces=())

    success: bool
    training_time_ms: int
    validation_metrics: dict[str, Any]
    model_info: dict[str, Any]


class Waiting(BaseModel):
    """A job that is not done yet."""

    job_id: str
    status: str


class RetrainBody(BaseModel):
    """Which model learns anew, from how many days; devices (`gateway/device`) and tags for one that is new."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_name: str
    training_days: Annotated[Number, Field(gt=0, le=3650)] = 14
    devices: list[str] = []
    tags: list[str] = []
    algorithm: str = ""


class Queued(BaseModel):
    """A retraining that was asked for."""

    job_id: str
    status: str
    estimated_duration_minutes: int


def show_training(job: Job, now: datetime, usual_s: float) -> TrainingView:
    """Return a training as it is shown while it runs, and when it is done."""
    view = TrainingView(
        job_id=shown(JOB, job.id),
        status=job.word(Vocabulary.TRAINING),
        progress=int(100 * job.progress.share),
        current_step=job.progress.step,
        elapsed_time=int(job.elapsed_s(now)),
        estimated_remaining=int(job.remaining_s(now, usual_s=usual_s)),
    )
    if job.state is JobState.SUCCEEDED:
        return TrainingView(
            job_id=view.job_id,
            status=view.status,
            progress=100,
            model_id=_model_of(job),
            metrics=_metrics(job.result),
            training_time=view.elapsed_time,
            completed_at=job.ended_at,
        )
    if job.state.is_final:
        told = job.failure.message if job.failure is not None else f"cancelled by {job.cancelled_by}"
        return view.model_copy(update={"error": told, "code": FAILED})
    return view


def _model_of(job: Job) -> str | None:
    """Return the id of the model that was made, its name where a job of before did not keep it; None for none."""
    if job.parameters.get("save") is False:
        return None
    return f"{job.result.get('model_id') or job.result.get('model')}"


def _metrics(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures by the document's names, and all others beside them."""
    figures: dict[str, Any] = dict(result.get("metrics") or {})
    if "f1_macro" in figures or "f1" in figures:
        figures["f1_score"] = figures.get("f1", figures.get("f1_macro"))
        figures |= {name: figures.get(name) for name in ("precision", "recall")}
    if result.get("confusion_matrix") is not None:
        figures["confusion_matrix"] = result["confusion_matrix"]
    return figures


def show_detection(job: Job) -> DetectionTrained:
    """Return a detector's training that has ended; raise Invalid where it failed."""
    if job.state is not JobState.SUCCEEDED:
        told = job.failure.message if job.failure is not None else f"cancelled by {job.cancelled_by}"
        details = dict(job.failure.details) if job.failure is not None else {}
        raise Invalid(told, code=FAILED, details=details)
    result, figures = job.result, _metrics(job.result)
    named = {"precision": "precision", "recall": "recall", "f1_score": "f1_score", "auc_score": "auc_roc"}
    named |= {name: name for name in ("score_separation", "stability", "expected_alarms_per_day")}
    stand_ins = {
        name: value for name, value in figures.items() if isinstance(value, float) and not name.startswith("cross_")
    }
    return DetectionTrained(
        success=True,
        training_time_ms=round(1000 * job.elapsed_s(job.ended_at or job.created_at)),
        validation_metrics={
            **stand_ins,
            **{name: figures.get(key) for name, key in named.items()},
            **({"cv": result["cv"]} if result.get("cv") is not None else {}),
        },
        model_info={
            "n_samples_trained": result.get("rows"),
            "n_features": _count(result.get("features")),
            "algorithm": known_name(f"{result.get('algorithm', '')}"),
            "version": result.get("version"),
        },
    )


def _count(told: object) -> int:
    return len(told) if isinstance(told, list) else 0
