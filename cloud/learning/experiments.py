"""Experiments: made by people, filled by the trainings that name them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.experiment import Experiment, Run
from cloud.domain.identity import new_id, parse_id
from cloud.domain.job import Job
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.learning.train_request import TrainRequest
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.experiments import add_experiment, add_run, find_experiment, list_experiments
from cloud.records.jobs import Outcome

EXPERIMENT = "experiment"
_NOT_FOUND = "EXPERIMENT_NOT_FOUND"


class Experiments:
    """The experiments of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._draw = draw

    def create(
        self, name: str, *, by: str, description: str = "", tags: Sequence[str] = (), metric: str = ""
    ) -> Experiment:
        """Return a new experiment without runs; raise Invalid that names the field, Unavailable."""
        now_us = self._clock.now_us()
        made = Experiment(
            id=new_id(now_us, self._draw(10)),
            name=name,
            description=description,
            tags=tuple(tags),
            metric=metric,
            created_at=to_datetime(now_us),
            created_by=by,
        ).check()
        with self._records.writing() as session:
            add_experiment(session, made)
            add_audit(session, AuditEntry(made.created_at, by, "experiment.add", made.id, {"name": name}))
        return made

    def list(self) -> Sequence[Experiment]:
        """Return all with their runs, the newest first; raise Unavailable."""
        with self._records.reading() as session:
            return list_experiments(session)

    def get(self, experiment_id: str) -> Experiment:
        """Return one with its runs by its id; raise NotFound, Unavailable."""
        identity = parse_id(EXPERIMENT, experiment_id, code=_NOT_FOUND)
        with self._records.reading() as session:
            found = find_experiment(session, identity)
        if found is None:
            raise NotFound(f"there is no experiment {experiment_id:.100}", code=_NOT_FOUND)
        return found


def attached(outcome: Outcome, request: TrainRequest, job: Job, clock: Clock) -> Outcome:
    """Return what a training made, which is kept as a run of its experiment too, in the same transaction."""
    if not request.experiment:
        return outcome

    def keep(session: Session) -> None:
        outcome.keep(session)
        ended_us = clock.now_us()
        add_run(session, _run(outcome, request, job, ended_us))

    return replace(outcome, keep=keep)


def _run(outcome: Outcome, request: TrainRequest, job: Job, ended_us: int) -> Run:
    result, ended_at = outcome.result, to_datetime(ended_us)
    metrics, version = result.get("metrics"), result.get("version")
    return Run(
        id=job.id,
        experiment_id=parse_id(EXPERIMENT, request.experiment, code=_NOT_FOUND),
        model=request.model,
        version=version if isinstance(version, int) else None,
        algorithm=f"{result.get('algorithm', '')}",
        task=f"{result.get('task', '')}",
        dataset_id=f"{result.get('dataset', '')}",
        parameters={
            **request.settings,
            "test_split": request.test_split,
            "seed": request.seed,
            "cross_validation": request.cross_validation,
        },
        metrics=dict(metrics) if isinstance(metrics, dict) else {},
        started_at=job.started_at or ended_at,
        ended_at=ended_at,
        by=job.requested_by,
    )
