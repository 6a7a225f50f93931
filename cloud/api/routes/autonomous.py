"""/autonomous: how much models may do by themselves, what they did, stopping it, and detection in one call."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import Admin, AnomalyFinder, LearningReader, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE, Number
from cloud.api.waiting import ended
from cloud.domain.autonomy import Level
from cloud.domain.identity import shown
from cloud.domain.job import JobState, Vocabulary
from cloud.errors import Invalid
from cloud.jobs.queue import JOB
from cloud.learning.autonomy import Run
from cloud.services import Services

router = Resource(prefix="/autonomous", tags=["autonomous"], dependencies=[limited("100/minute")])
_FAMILY = {"name": "pump", "level": "suggest", "is_own": False, "champion": 3}
_STATE = {"level": "suggest", "levels": ["off", "suggest", "supervised"], "families": [_FAMILY]}
_RUN = {
    "id": "0197f3a25c1e7d409a6b001122334455",
    "family": "pump",
    "cause": "drift",
    "at": "2026-01-15T10:30:00Z",
    "champion": 2,
    "challenger": 3,
    "is_promoted": True,
    "reasons": [],
    "figures": {"candidates": 3, "algorithm": "whitening"},
    "decision_request": "req_0197f3a25c1e7d409a6b001122334455",
    "decision": "open",
}
_STOPPED = {"level": "off", "cancelled_jobs": ["job_0197f3a25c1e7d409a6b001122334455"], "rolled_back": []}
_DETECTED = {
    "job_id": "job_0197f3a25c1e7d409a6b001122334455",
    "model_id": "auto-bearings",
    "version": 1,
    "profile": {"rows": 1000, "columns": 4, "categories": [], "missing_share": 0.0, "constant": [], "in_time": True},
    "algorithm": "whitening",
    "reason": "rows in order of time, numbers only",
    "passed_over": {},
    "anomaly_count": 9,
    "anomaly_rate": 0.009,
    "threshold": 0.5,
    "anomalies": [{"index": 412, "score": 0.97, "explanation": {"vibration": 0.8, "current": 0.2}}],
    "metrics": {"alarm_share": 0.01},
}


class FamilyAnswer(BaseModel):
    """One family; is_own: its level was said of it alone; champion: the version that serves."""

    name: str
    level: Level
    is_own: bool
    champion: int | None


class AutonomousAnswer(BaseModel):
    """The level of all families that have none of their own, and every family."""

    level: Level
    levels: list[Level]
    families: list[FamilyAnswer]


class LevelBody(BaseModel):
    """What a family may do; without a family: all that have no level of their own."""

    model_config = ConfigDict(extra="forbid")

    level: Level
    family: Annotated[str, Field(max_length=200)] = ""


class RunAnswer(BaseModel):
    """One time that a family learned by itself; decision: what people said, null where they were not asked."""

    id: str
    family: str
    cause: str
    at: datetime
    champion: int | None
    challenger: int | None
    is_promoted: bool
    reasons: list[str]
    figures: dict[str, Any]
    decision_request: str | None
    decision: str | None


class StoppedAnswer(BaseModel):
    """What was stopped."""

    level: Level
    cancelled_jobs: list[str]
    rolled_back: list[str]


class DetectBody(BaseModel):
    """Which rows to look at; contamination: the share that is expected to be strange."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: Annotated[str, Field(min_length=1, max_length=100)]
    contamination: Annotated[Number, Field(gt=0, le=0.5)] = 0.01
    most: Annotated[int, Field(ge=1, le=1000, description="The most anomalies that are explained."), WHOLE] = 20


class Profile(BaseModel):
    """What the rows are like."""

    rows: int
    columns: int
    categories: list[str]
    missing_share: float
    constant: list[str]
    in_time: bool


class Found(BaseModel):
    """One strange row; explanation: the share of each column, adding up to 1."""

    index: int
    score: float
    explanation: dict[str, float]


class Detected(BaseModel):
    """What was found; passed_over: algorithms that do not suit the rows, and why."""

    job_id: str
    model_id: str
    version: int
    profile: Profile
    algorithm: str
    reason: str
    passed_over: dict[str, str]
    anomaly_count: int
    anomaly_rate: float
    threshold: float
    anomalies: list[Found]
    metrics: dict[str, float]


class Waiting(BaseModel):
    """It takes longer than a request: `GET /jobs/{job_id}` has the result."""

    job_id: str
    status: str


@router.get("", responses=answers(_STATE, 401, 403, 429, 503))
async def get_autonomous(_caller: LearningReader, services: ServicesDep) -> AutonomousAnswer:
    """Show how much models may do by themselves."""
    return await services.threads.run(lambda _: _state(services))


@router.put("", responses=answers(_STATE, 401, 403, 404, 422, 429, 503))
async def put_autonomous(body: LevelBody, caller: Admin, services: ServicesDep) -> AutonomousAnswer:
    """Set how much a family, or every family, may do by itself; never more than learning and asking."""

    def allow() -> AutonomousAnswer:
        services.autonomous.allow(body.level, family=body.family, by=caller.name)
        return _state(services)

    return await services.threads.run(lambda _: allow())


@router.post("/stop", responses=answers(_STOPPED, 401, 403, 429, 503))
async def stop_autonomous(caller: Admin, services: ServicesDep) -> StoppedAnswer:
    """Stop everything that models do by themselves, and send back what they brought to gateways."""
    stopped = await services.threads.run(lambda _: services.autonomous.stop(by=caller.name))
    jobs = [shown(JOB, job) for job in stopped.jobs]
    return StoppedAnswer(level=Level.OFF, cancelled_jobs=jobs, rolled_back=list(stopped.rollouts))


@router.get("/runs", responses=answers([_RUN], 401, 403, 422, 429, 503))
async def list_runs(
    request: Request,
    response: Response,
    _caller: LearningReader,
    services: ServicesDep,
    family: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Sequence[RunAnswer]:
    """List what families learned by themselves, the newest first."""
    found, total = await services.threads.run(
        lambda _: services.autonomous.runs(family=family, limit=limit, offset=offset)
    )
    tell_pages(total, request, response, limit=limit, offset=offset)
    return [_run(one) for one in found]


@router.post("/detect", response_model=None, responses=answers(_DETECTED, 401, 403, 404, 422, 429, 503))
async def detect_in_dataset(
    body: DetectBody, response: Response, caller: AnomalyFinder, services: ServicesDep
) -> Detected | Waiting:
    """Look at a dataset, choose an algorithm, learn, score and explain; answers 202 with the job after a minute."""
    job = await services.threads.run(
        lambda _: services.trainings.detect(
            body.dataset_id, contamination=body.contamination, most=body.most, by=caller.name
        )
    )
    job = await ended(services, job)
    if not job.state.is_final:
        response.status_code = 202
        return Waiting(job_id=shown(JOB, job.id), status=job.word(Vocabulary.TRAINING))
    if job.state is not JobState.SUCCEEDED:
        raise Invalid(job.failure.message if job.failure else "it was cancelled", code="TRAINING_FAILED")
    return Detected.model_validate({"job_id": shown(JOB, job.id), **job.result})


def _state(services: Services) -> AutonomousAnswer:
    families = [
        FamilyAnswer(name=one.name, level=one.level, is_own=one.is_own, champion=one.champion)
        for one in services.autonomous.families()
    ]
    return AutonomousAnswer(level=services.autonomous.level(), levels=list(Level), families=families)


def _run(one: Run) -> RunAnswer:
    learned, asked = one.retraining, one.asked
    return RunAnswer(
        id=learned.id,
        family=learned.model,
        cause=learned.cause.value,
        at=learned.at,
        champion=learned.champion,
        challenger=learned.challenger,
        is_promoted=learned.is_promoted,
        reasons=list(learned.reasons),
        figures=dict(learned.figures),
        decision_request=None if asked is None else asked.id,
        decision=None if asked is None else asked.state.value,
    )
