"""Triggers: which served detectors shall learn anew by themselves, and the way of what was promoted to the gateways."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.domain.job import Job, JobKind, JobLimits, JobState, NewJob
from cloud.domain.model import CHAMPION, Model, ModelVersion, Task
from cloud.domain.retraining import Cause, Retraining
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid
from cloud.learning.retrain_request import RetrainRequest, device_pair
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.drift import drifting
from cloud.records.jobs import list_jobs
from cloud.records.labels import list_labels
from cloud.records.models import list_models
from cloud.records.retrainings import list_retrainings, mark_handed_on, to_hand_on

LEAST_BETWEEN = timedelta(hours=1)
"""However much drifts: models do not learn anew more often by themselves."""
_log = logging.getLogger(__name__)
AddJob = Callable[[NewJob], Job]
Promote = Callable[[str, int], None]
"""Publishes a version of a model and begins its rollout; raises Invalid or Conflict where that can never be."""


@dataclass(frozen=True, slots=True)
class TriggerRules:
    """When models learn anew by themselves; every_days, new_labels None: never for this reason."""

    every_days: float | None
    on_drift: bool
    new_labels: int | None
    training_days: float


class Triggers:
    """Looks at all served detectors; add: puts a job into the queue."""

    def __init__(self, records: Records, clock: Clock, add: AddJob, rules: TriggerRules, limits: JobLimits) -> None:
        self._records = records
        self._clock = clock
        self._add = add
        self._rules = rules
        self._limits = limits

    def look(self) -> None:
        """Ask for the retrainings that are due; raise Unavailable."""
        with self._records.reading() as session:
            due = [(model, cause) for model in list_models(session) for cause in self._causes(session, model)[:1]]
            busy = {job.parameters.get("model") for job in _open_retrainings(session)}
        for model, cause in due:
            if model.name not in busy:
                request = RetrainRequest(model.name, cause, self._rules.training_days)
                self._add(NewJob(JobKind.RETRAIN, request.parameters(), self._limits, "schedule", priority=-1))
                _log.info("a model will learn anew", extra={"model": model.name, "cause": cause.value})

    def _causes(self, session: Session, model: Model) -> Sequence[Cause]:
        served = model.find(model.aliases.get(CHAMPION, 0))
        if model.task is not Task.ANOMALY or served is None or not served.has_package:
            return ()
        last = last_learned(session, served)
        now = to_datetime(self._clock.now_us())
        if now - last < LEAST_BETWEEN:
            return ()
        devices = {device_pair(one) for one in _devices(served)}
        rules, causes = self._rules, []
        if rules.on_drift and any((key.source, key.device) in devices for key in drifting(session)):
            causes.append(Cause.DRIFT)
        if rules.new_labels is not None and _count_labels(session, devices, last) >= rules.new_labels:
            causes.append(Cause.LABELS)
        if rules.every_days is not None and now - last >= timedelta(days=rules.every_days):
            causes.append(Cause.SCHEDULE)
        return causes


class HandingOn:
    """Brings what was promoted on its way; what was promoted before a newer version is left where it is."""

    def __init__(self, records: Records, promote: Promote) -> None:
        self._records = records
        self._promote = promote

    def look(self) -> None:
        """Hand on what waits; raise Unavailable, and it is tried again."""
        with self._records.reading() as session:
            waiting = to_hand_on(session)
        newest = {one.model: one for one in waiting}
        for one in waiting:
            if newest[one.model] is one:
                self._hand_on(one)
            with self._records.writing() as session:
                mark_handed_on(session, one.id)

    def _hand_on(self, one: Retraining) -> None:
        try:
            self._promote(one.model, one.challenger or 0)
        except (Invalid, Conflict) as error:
            _log.warning("a promoted model stays here: %s", error, extra={"model": one.model})


def last_learned(session: Session, served: ModelVersion) -> datetime:
    """Return when the model last tried to learn: its version's birth, or a retraining since."""
    retrained = (one.at for one in list_retrainings(session, model=served.model, limit=1))
    failed = (
        job.ended_at
        for job in list_jobs(session, kinds=[JobKind.RETRAIN], states=[JobState.FAILED], limit=100)
        if job.parameters.get("model") == served.model and job.ended_at is not None
    )
    return max((served.created_at, *retrained, *failed))


def _open_retrainings(session: Session) -> Sequence[Job]:
    return list_jobs(session, kinds=[JobKind.RETRAIN], states=[JobState.QUEUED, JobState.RUNNING])


def _devices(served: ModelVersion) -> Sequence[str]:
    told = served.lineage.get("devices")
    return [str(one) for one in told] if isinstance(told, list) else []


def _count_labels(session: Session, devices: set[tuple[str, str]], since: datetime) -> int:
    return sum(
        label.at > since for source, device in devices for label in list_labels(session, source=source, device=device)
    )
