"""/experiments: trainings that are compared with each other; a training joins one by `experiment_id`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.domain.algorithm_names import known_name
from cloud.domain.experiment import (
    MAX_DESCRIPTION,
    MAX_METRIC,
    MAX_NAME,
    MAX_TAG,
    MAX_TAGS,
    Experiment,
    Run,
    is_error,
)

router = Resource(prefix="/experiments", tags=["experiments"], dependencies=[limited("100/minute")])
_ID = "0197f3a2-5c1e-7d40-9a6b-001122334455"
_RUN = {
    "id": _ID,
    "model": "pump",
    "version": 3,
    "algorithm": "IsolationForest",
    "task": "anomaly",
    "dataset_id": _ID,
    "parameters": {"contamination": 0.02, "test_split": 0.2},
    "metrics": {"f1": 0.9, "precision": 0.92, "recall": 0.88},
    "started_at": "2026-01-15T10:30:00Z",
    "ended_at": "2026-01-15T10:30:12Z",
    "by": "key:3",
}
_BEST = {"best_algorithm": "IsolationForest", "best_f1_score": 0.9}
_BEST |= {"metric": "f1", "best_value": 0.9, "best_run_id": _ID, "best_model": "pump@3", "runs": 2}
EXAMPLE: dict[str, Any] = {
    "id": _ID,
    "name": "Bearings",
    "description": "Two algorithms on the same rows",
    "tags": ["bearings", "comparison"],
    "created_at": "2026-01-15T10:00:00Z",
    "metrics": _BEST,
}
_COMPARISON = {
    "experiment_id": _ID,
    "metric": "f1",
    "is_error": False,
    "best_run_id": _ID,
    "varied": ["contamination"],
    "runs": [_RUN | {"rank": 1, "value": 0.9}],
}
_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
_Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG)]
_Metric = Annotated[str, Field(max_length=MAX_METRIC, description="Compared by; empty: f1, else stability.")]


class NewExperiment(BaseModel):
    """What an experiment is called, and what its runs are compared by."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    tags: Annotated[list[_Tag], Field(max_length=MAX_TAGS)] = []
    metric: _Metric = ""


class BestAnswer(BaseModel):
    """The best of the attached runs; null where no run has the metric."""

    best_algorithm: str | None
    best_f1_score: float | None
    metric: str
    best_value: float | None
    best_run_id: str | None
    best_model: str | None
    runs: int


class ExperimentAnswer(BaseModel):
    """An experiment and its best run."""

    id: str
    name: str
    description: str
    tags: list[str]
    created_at: datetime
    metrics: BestAnswer


class RunAnswer(BaseModel):
    """One training of an experiment; its id is the job's."""

    id: str
    model: str
    version: int | None
    algorithm: str
    task: str
    dataset_id: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    started_at: datetime
    ended_at: datetime
    by: str


class ExperimentDetails(ExperimentAnswer):
    """An experiment with its runs, in order of their end."""

    runs: list[RunAnswer]


class RankedRun(RunAnswer):
    """A run and its place; value: null where it lacks the metric."""

    rank: int
    value: float | None


class ComparisonAnswer(BaseModel):
    """The runs, the best first; is_error: less is better; varied: the parameters in which they differ."""

    experiment_id: str
    metric: str
    is_error: bool
    best_run_id: str | None
    varied: list[str]
    runs: list[RankedRun]


@router.get("", responses=answers([EXAMPLE], 401, 403, 422, 429, 503))
async def list_experiments(
    request: Request,
    response: Response,
    _caller: LearningReader,
    services: ServicesDep,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Sequence[ExperimentAnswer]:
    """List the experiments, the newest first, each with its best run."""
    found = await services.threads.run(lambda _: services.experiments.list())
    return paged([_shown(one) for one in found], request, response, limit=limit, offset=offset)


@router.post("", status_code=201, responses=answers(EXAMPLE, 400, 401, 403, 422, 429, 503, good=201))
async def create_experiment(body: NewExperiment, caller: LearningWriter, services: ServicesDep) -> ExperimentAnswer:
    """Make an experiment; trainings join it by `experiment_id`."""
    made = await services.threads.run(
        lambda _: services.experiments.create(
            body.name, by=caller.name, description=body.description, tags=body.tags, metric=body.metric
        )
    )
    return _shown(made)


@router.get("/{experiment_id}", responses=answers(EXAMPLE | {"runs": [_RUN]}, 401, 403, 404, 422, 429, 503))
async def get_experiment(experiment_id: str, _caller: LearningReader, services: ServicesDep) -> ExperimentDetails:
    """Show an experiment with its runs."""
    found = await services.threads.run(lambda _: services.experiments.get(experiment_id))
    return ExperimentDetails(**_shown(found).model_dump(), runs=[_run(one) for one in found.runs])


@router.get("/{experiment_id}/compare", responses=answers(_COMPARISON, 401, 403, 404, 422, 429, 503))
async def compare_experiment(
    experiment_id: str,
    _caller: LearningReader,
    services: ServicesDep,
    metric: Annotated[_Metric, Query()] = "",
) -> ComparisonAnswer:
    """Rank the runs of an experiment by a metric, and say in which parameters they differ."""
    found = await services.threads.run(lambda _: services.experiments.get(experiment_id))
    by, best = found.compared_by(metric), found.best(metric)
    ranked = [
        RankedRun(**_run(run).model_dump(), rank=rank, value=value)
        for rank, (run, value) in enumerate(found.ranked(metric), 1)
    ]
    return ComparisonAnswer(
        experiment_id=str(UUID(found.id)),
        metric=by,
        is_error=is_error(by),
        best_run_id=None if best is None else str(UUID(best[0].id)),
        varied=_varied(found.runs),
        runs=ranked,
    )


def _varied(runs: Sequence[Run]) -> list[str]:
    names = sorted({name for run in runs for name in run.parameters})
    return [name for name in names if len({repr(run.parameters.get(name)) for run in runs}) > 1]


def _shown(experiment: Experiment) -> ExperimentAnswer:
    return ExperimentAnswer(
        id=str(UUID(experiment.id)),
        name=experiment.name,
        description=experiment.description,
        tags=list(experiment.tags),
        created_at=experiment.created_at,
        metrics=_best(experiment),
    )


def _best(experiment: Experiment) -> BestAnswer:
    metric, best = experiment.compared_by(), experiment.best()
    if best is None:
        return BestAnswer(
            best_algorithm=None,
            best_f1_score=None,
            metric=metric,
            best_value=None,
            best_run_id=None,
            best_model=None,
            runs=len(experiment.runs),
        )
    run, value = best
    return BestAnswer(
        best_algorithm=known_name(run.algorithm),
        best_f1_score=run.figure("f1"),
        metric=metric,
        best_value=value,
        best_run_id=str(UUID(run.id)),
        best_model=run.model if run.version is None else f"{run.model}@{run.version}",
        runs=len(experiment.runs),
    )


def _run(run: Run) -> RunAnswer:
    return RunAnswer(
        id=str(UUID(run.id)),
        model=run.model,
        version=run.version,
        algorithm=known_name(run.algorithm),
        task=run.task,
        dataset_id=str(UUID(run.dataset_id)) if run.dataset_id else "",
        parameters=dict(run.parameters),
        metrics=dict(run.metrics),
        started_at=run.started_at,
        ended_at=run.ended_at,
        by=run.by,
    )
