"""POST /train, /detection/train, /models/retrain and GET /training/{job_id}: one queue in three documents' words."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import Admin, LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.domain.dataset import Dataset
from cloud.domain.identity import shown
from cloud.domain.job import Job, JobKind, JobState, Vocabulary
from cloud.domain.times import to_datetime, to_text, to_us
from cloud.errors import Invalid, NotFound
from cloud.jobs.queue import JOB
from cloud.learning.retrain_request import RetrainRequest
from cloud.learning.train_request import TrainRequest
from cloud.services import Services

router = APIRouter(tags=["training"])
FAILED = "TRAINING_FAILED"
_WAIT_S = 60.0
_LOOK_EVERY_S = 0.1
_JOB = "job_0197f3a25c1e7d409a6b001122334455"
STARTED = {"job_id": _JOB, "status": "started", "estimated_time": 30, "start_time": "2026-01-15T10:30:00Z"}
TRAINING = {
    "job_id": _JOB,
    "status": "completed",
    "progress": 100,
    "model_id": "bearings",
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
    "model_info": {"n_samples_trained": 8000, "n_features": 8, "algorithm": "whitening", "version": 3},
}
QUEUED = {"job_id": "0197f3a2-5c1e-7d40-9a6b-001122334455", "status": "queued", "estimated_duration_minutes": 15}


class TrainingParameters(BaseModel):
    """How it is trained; max_training_time in seconds, never over the configured limit."""

    model_config = ConfigDict(extra="forbid")

    test_split: Annotated[float, Field(gt=0, le=0.9)] = 0.2
    random_state: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
    max_training_time: Annotated[int, Field(ge=1, le=7 * 86_400)] | None = None


class TrainBody(BaseModel):
    """What is learned from which file; without a target column it is the dataset's own, else the last one."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    file_id: str
    model_type: Literal["auto", "classification", "regression", "anomaly", "forecast"] = "auto"
    training_params: TrainingParameters = TrainingParameters()
    target_column: str = ""
    features: list[str] = []
    group_column: str = ""
    algorithm: str = ""
    settings: dict[str, Any] = {}
    model_name: str = ""


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
    validation_split: Annotated[float, Field(gt=0, le=0.9)] = 0.2
    cross_validation: bool = False
    save_model: bool = True
    algorithm: str = ""
    hyperparameters: dict[str, Any] = {}


class DetectionTrained(BaseModel):
    """A detector that was fitted; what needs labels is null without them."""

    model_config = ConfigDict(protected_namespaces=())

    success: bool
    training_time_ms: int
    validation_metrics: dict[str, float | None]
    model_info: dict[str, Any]


class Waiting(BaseModel):
    """A job that is not done yet."""

    job_id: str
    status: str


class RetrainBody(BaseModel):
    """Which model learns anew, from how many days; devices (`gateway/device`) and tags for one that is new."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_name: str
    training_days: Annotated[float, Field(gt=0, le=3650)] = 14
    devices: list[str] = []
    tags: list[str] = []
    algorithm: str = ""


class Queued(BaseModel):
    """A retraining that was asked for."""

    job_id: str
    status: str
    estimated_duration_minutes: int


@router.post("/train", status_code=202, responses=answers(STARTED, 401, 403, 404, 422, 503, good=202))
async def train(body: TrainBody, caller: LearningWriter, services: ServicesDep) -> Started:
    """Train a model on an uploaded file, as a job."""
    request = TrainRequest(
        dataset_id=body.file_id,
        model=body.model_name or await _model_name(services, body.file_id),
        task="" if body.model_type == "auto" else body.model_type,
        algorithm=body.algorithm,
        target=body.target_column,
        features=tuple(body.features),
        group=body.group_column,
        settings=body.settings,
        test_split=body.training_params.test_split,
        seed=body.training_params.random_state,
    )
    limit_s = body.training_params.max_training_time
    job = await services.threads.run(lambda _: services.trainings.train(request, by=caller.name, limit_s=limit_s))
    usual_s = await services.threads.run(lambda _: services.trainings.usual_s(JobKind.TRAIN))
    start = to_text(to_us(job.created_at))
    return Started(job_id=shown(JOB, job.id), status="started", estimated_time=round(usual_s), start_time=start)


@router.get(
    "/training/{job_id}",
    response_model_exclude_none=True,
    responses=answers(TRAINING, 401, 403, 404, 422, 503),
)
async def get_training(job_id: str, _caller: LearningReader, services: ServicesDep) -> TrainingView:
    """Show how far a training is; when it is done, its model and metrics."""
    job = await services.threads.run(lambda _: services.jobs.get(job_id))
    if job.kind is not JobKind.TRAIN:
        raise NotFound(f"job {job_id} is no training", code="JOB_NOT_FOUND")
    usual_s = await services.threads.run(lambda _: services.trainings.usual_s(JobKind.TRAIN))
    return _training_view(job, to_datetime(services.clock.now_us()), usual_s)


@router.post("/detection/train", response_model=None, responses=answers(DETECTION, 401, 403, 404, 422, 503))
async def train_detector(
    body: DetectionBody, response: Response, caller: LearningWriter, services: ServicesDep
) -> DetectionTrained | Waiting:
    """Fit a detector on a dataset; answers when it is done, or with 202 and the job after a minute."""
    request = TrainRequest(
        dataset_id=body.dataset_id,
        model=body.detector_id,
        task="anomaly",
        algorithm=body.algorithm,
        settings=body.hyperparameters,
        test_split=body.validation_split,
        cross_validation=body.cross_validation,
        save=body.save_model,
    )
    job = await services.threads.run(lambda _: services.trainings.train(request, by=caller.name))
    job = await _ended(services, job)
    if not job.state.is_final:
        response.status_code = 202
        return Waiting(job_id=shown(JOB, job.id), status=job.word(Vocabulary.TRAINING))
    return _detection_view(job)


@router.post("/models/retrain", status_code=202, responses=answers(QUEUED, 401, 403, 404, 422, 503, good=202))
async def retrain(body: RetrainBody, caller: Admin, services: ServicesDep) -> Queued:
    """Let a detector learn anew from stored readings; it serves only if it does no worse than the one before."""
    request = RetrainRequest(
        model=body.model_name,
        days=body.training_days,
        devices=tuple(body.devices),
        tags=tuple(body.tags),
        algorithm=body.algorithm,
    )
    job = await services.threads.run(lambda _: services.trainings.retrain(request, by=caller.name))
    usual_s = await services.threads.run(lambda _: services.trainings.usual_s(JobKind.RETRAIN))
    return Queued(
        job_id=str(UUID(job.id)),
        status=job.word(Vocabulary.RETRAINING),
        estimated_duration_minutes=max(1, round(usual_s / 60)),
    )


async def _model_name(services: Services, file_id: str) -> str:
    """Return a name for a model that nobody named, out of its dataset's."""
    dataset: Dataset = await services.threads.run(lambda _: services.trainings.dataset_of(file_id))
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in dataset.name.lower())
    return kept.strip("-")[:80] or f"model-{dataset.id[:8]}"


async def _ended(services: Services, job: Job) -> Job:
    """Return the job when it has ended, or as it is after a minute."""

    def look(_: object, identity: str = job.id) -> Job:
        return services.jobs.get(identity)

    end_s = services.clock.monotonic_s() + _WAIT_S
    while not job.state.is_final and services.clock.monotonic_s() < end_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        job = await services.threads.run(look)
    return job


def _training_view(job: Job, now: datetime, usual_s: float) -> TrainingView:
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
            model_id=f"{job.result.get('model')}",
            metrics=_metrics(job.result),
            training_time=view.elapsed_time,
            completed_at=job.ended_at,
        )
    if job.state.is_final:
        told = job.failure.message if job.failure is not None else f"cancelled by {job.cancelled_by}"
        return view.model_copy(update={"error": told, "code": FAILED})
    return view


def _metrics(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures by the document's names, and all others beside them."""
    figures: dict[str, Any] = dict(result.get("metrics") or {})
    if "f1_macro" in figures or "f1" in figures:
        figures["f1_score"] = figures.get("f1", figures.get("f1_macro"))
    if result.get("confusion_matrix") is not None:
        figures["confusion_matrix"] = result["confusion_matrix"]
    return figures


def _detection_view(job: Job) -> DetectionTrained:
    if job.state is not JobState.SUCCEEDED:
        told = job.failure.message if job.failure is not None else f"cancelled by {job.cancelled_by}"
        details = dict(job.failure.details) if job.failure is not None else {}
        raise Invalid(told, code=FAILED, details=details)
    result, figures = job.result, _metrics(job.result)
    named = {"precision": "precision", "recall": "recall", "f1_score": "f1_score", "auc_score": "auc_pr"}
    stand_ins = {name: value for name, value in figures.items() if isinstance(value, float)}
    return DetectionTrained(
        success=True,
        training_time_ms=round(1000 * job.elapsed_s(job.ended_at or job.created_at)),
        validation_metrics={**stand_ins, **{name: figures.get(key) for name, key in named.items()}},
        model_info={
            "n_samples_trained": result.get("rows"),
            "n_features": _count(result.get("features")),
            "algorithm": result.get("algorithm"),
            "version": result.get("version"),
        },
    )


def _count(told: object) -> int:
    return len(told) if isinstance(told, list) else 0
