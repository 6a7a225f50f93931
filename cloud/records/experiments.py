"""ExperimentRow, RunRow: experiments and the trainings that belong to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.experiment import Experiment, Run
from cloud.records.base import Base, UtcDateTime


class ExperimentRow(Base):
    """One experiment."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    tags: Mapped[list[str]] = mapped_column(JSON)
    metric: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))


class RunRow(Base):
    """One training of an experiment; its id is the job's."""

    __tablename__ = "experiment_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id"), index=True)
    model: Mapped[str] = mapped_column(String(100))
    version: Mapped[int | None]
    algorithm: Mapped[str] = mapped_column(String(100))
    task: Mapped[str] = mapped_column(String(40))
    dataset_id: Mapped[str] = mapped_column(String(32))
    parameters: Mapped[dict[str, object]] = mapped_column(JSON)
    metrics: Mapped[dict[str, float]] = mapped_column(JSON)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(200))


def add_experiment(session: Session, experiment: Experiment) -> None:
    """Keep a new one, without runs."""
    session.add(
        ExperimentRow(
            id=experiment.id,
            name=experiment.name,
            description=experiment.description,
            tags=list(experiment.tags),
            metric=experiment.metric,
            created_at=experiment.created_at,
            created_by=experiment.created_by,
        )
    )


def find_experiment(session: Session, identity: str) -> Experiment | None:
    """Return one with its runs."""
    row = session.get(ExperimentRow, identity)
    return None if row is None else _experiment(row, _runs(session, identity).get(identity, ()))


def list_experiments(session: Session) -> Sequence[Experiment]:
    """Return all with their runs, the newest first."""
    runs = _runs(session)
    rows = session.scalars(select(ExperimentRow).order_by(ExperimentRow.id.desc()))
    return [_experiment(row, runs.get(row.id, ())) for row in rows]


def add_run(session: Session, run: Run) -> None:
    """Keep a run, in the transaction that ends its job; nothing where its experiment is gone."""
    if session.get(ExperimentRow, run.experiment_id) is None:
        return
    session.add(
        RunRow(
            id=run.id,
            experiment_id=run.experiment_id,
            model=run.model,
            version=run.version,
            algorithm=run.algorithm,
            task=run.task,
            dataset_id=run.dataset_id,
            parameters=dict(run.parameters),
            metrics=dict(run.metrics),
            started_at=run.started_at,
            ended_at=run.ended_at,
            by=run.by,
        )
    )


def _runs(session: Session, experiment: str = "") -> Mapping[str, Sequence[Run]]:
    query = select(RunRow).order_by(RunRow.ended_at, RunRow.id)
    if experiment:
        query = query.where(RunRow.experiment_id == experiment)
    found: dict[str, list[Run]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.experiment_id].append(_run(row))
    return found


def _experiment(row: ExperimentRow, runs: Sequence[Run]) -> Experiment:
    return Experiment(
        id=row.id,
        name=row.name,
        description=row.description,
        tags=tuple(row.tags),
        metric=row.metric,
        created_at=row.created_at,
        created_by=row.created_by,
        runs=tuple(runs),
    )


def _run(row: RunRow) -> Run:
    return Run(
        id=row.id,
        experiment_id=row.experiment_id,
        model=row.model,
        version=row.version,
        algorithm=row.algorithm,
        task=row.task,
        dataset_id=row.dataset_id,
        parameters=row.parameters,
        metrics=row.metrics,
        started_at=row.started_at,
        ended_at=row.ended_at,
        by=row.by,
    )
