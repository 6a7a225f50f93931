"""POST /train, /detection/train, /models/retrain and GET /training/{job_id}: one queue in three documents' words."""

from typing import Any
from uuid import UUID

from fastapi import Response

from cloud.api.deps import Admin, LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited, limited_as_documented
from cloud.api.once import idempotent
from cloud.api.resource import Resource
from cloud.api.training_views import (
    DETECTION,
    QUEUED,
    STARTED,
    TRAINING,
    WAITING,
    DetectionBody,
    DetectionTrained,
    Queued,
    RetrainBody,
    Started,
    TrainBody,
    TrainingView,
    Waiting,
    show_detection,
    show_training,
)
from cloud.api.waiting import ended
from cloud.domain.dataset import Dataset
from cloud.domain.identity import shown
from cloud.domain.job import JobKind, Vocabulary
from cloud.domain.times import to_datetime, to_text, to_us
from cloud.errors import NotFound
from cloud.jobs.queue import JOB
from cloud.learning.detectors import settings_of
from cloud.learning.retrain_request import RetrainRequest
from cloud.learning.train_request import NAMED_TASKS, TrainRequest
from cloud.services import Services

router = Resource(tags=["training"])
_STILL_AT_IT: dict[str, Any] = {
    "description": "Not done within a minute: the job goes on",
    "model": Waiting,
    "content": {"application/json": {"example": WAITING}},
}


@router.post(
    "/train",
    status_code=202,
    dependencies=[idempotent()],
    responses=answers(STARTED, 401, 403, 404, 422, 503, good=202),
)
async def train(body: TrainBody, caller: LearningWriter, services: ServicesDep) -> Started:
    """Train a model on an uploaded file, as a job."""
    usual = await services.threads.run(lambda _: services.trainings.usual())
    wanted = body.model_type or usual.model_type
    request = TrainRequest(
        dataset_id=body.file_id,
        model=body.model_name or await _model_name(services, body.file_id),
        task=NAMED_TASKS[wanted],
        algorithm=body.algorithm,
        target=body.target_column,
        features=tuple(body.features),
        group=body.group_column,
        settings=body.settings,
        test_split=body.training_params.test_split,
        seed=body.training_params.random_state,
        save=usual.saves if body.save_model is None else body.save_model,
        experiment=body.experiment_id,
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
    return show_training(job, to_datetime(services.clock.now_us()), usual_s)


@router.post(
    "/detection/train",
    response_model=None,
    dependencies=[idempotent(), limited_as_documented()],
    responses=answers(DETECTION, 401, 403, 404, 422, 503) | {202: _STILL_AT_IT},
)
async def train_detector(
    body: DetectionBody, response: Response, caller: LearningWriter, services: ServicesDep
) -> DetectionTrained | Waiting:
    """Fit a detector on a dataset; answers when it is done, or with 202 and the job after a minute."""
    request = await services.threads.run(lambda _: _fit_of(services, body))
    job = await services.threads.run(lambda _: services.trainings.train(request, by=caller.name))
    job = await ended(services, job)
    if not job.state.is_final:
        response.status_code = 202
        return Waiting(job_id=shown(JOB, job.id), status=job.word(Vocabulary.TRAINING))
    return show_detection(job)


@router.post(
    "/models/retrain",
    status_code=202,
    dependencies=[idempotent(), limited("20/minute")],
    responses=answers(QUEUED, 401, 403, 404, 422, 503, good=202),
)
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


def _fit_of(services: Services, body: DetectionBody) -> TrainRequest:
    detector = services.detectors.get(body.detector_id)
    algorithm, settings, seed = settings_of(detector)
    return TrainRequest(
        dataset_id=body.dataset_id,
        model=detector.model,
        task="anomaly",
        algorithm=algorithm,
        settings=settings,
        seed=seed,
        test_split=body.validation_split,
        cross_validation=body.cross_validation,
        save=body.save_model,
        experiment=body.experiment_id,
        detector=detector.id,
        detector_revision=detector.revision,
    )


async def _model_name(services: Services, file_id: str) -> str:
    """Return a name for a model that nobody named, out of its dataset's."""
    dataset: Dataset = await services.threads.run(lambda _: services.trainings.dataset_of(file_id))
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in dataset.name.lower())
    return kept.strip("-")[:80] or f"model-{dataset.id[:8]}"
