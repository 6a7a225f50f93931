"""Triggers: which served detectors shall learn anew by themselves, each as far as its family may."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.domain.autonomy import Level, is_drifting
from cloud.domain.decision import DecisionKind, DecisionRequest, NewDecisionRequest, RequestState
from cloud.domain.job import Job, JobKind, JobLimits, JobState, NewJob
from cloud.domain.model import CHAMPION, Model, ModelVersion, Task
from cloud.domain.retraining import Cause
from cloud.domain.times import to_datetime
from cloud.learning.retrain_request import RIVALS, RetrainRequest, device_pair
from cloud.ports import Clock, SeriesKey
from cloud.records.autonomy import level_of
from cloud.records.database import Records
from cloud.records.decisions import add_request, newest_request
from cloud.records.drift import drifting
from cloud.records.jobs import list_jobs
from cloud.records.labels import list_labels
from cloud.records.models import list_models
from cloud.records.retrainings import list_retrainings

LEAST_BETWEEN = timedelta(hours=1)
"""However much drifts: models do not learn anew more often by themselves."""
_WHY: Mapping[Cause, str] = {
    Cause.SCHEDULE: "it is old",
    Cause.DRIFT: "its series drift",
    Cause.LABELS: "there are new labels",
    Cause.REQUEST: "it was asked for",
}
_log = logging.getLogger(__name__)
AddJob = Callable[[NewJob], Job]
ASKED_FOR = timedelta(days=7)
"""How long people have to answer, and how long they are left alone after a no."""
BY = "schedule"


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
            if model.name not in busy and self._may(model, cause):
                request = RetrainRequest(model.name, cause, self._rules.training_days, rivals=RIVALS)
                self._add(NewJob(JobKind.RETRAIN, request.parameters(), self._limits, BY, priority=-1))
                _log.info("a model will learn anew", extra={"model": model.name, "cause": cause.value})

    def _may(self, model: Model, cause: Cause) -> bool:
        """Return whether a family may learn now; where it has to be asked for, ask."""
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            if level_of(session, model.name) is Level.SUPERVISED:
                return True
            subject = f"retrain:{model.name}"
            asked = newest_request(session, DecisionKind.RECOMMENDATION, subject)
            if asked is None or _is_over(asked, _last_of(session, model), now):
                add_request(session, _question(model, cause, subject, now))
                return False
            return asked.state is RequestState.APPROVED

    def _causes(self, session: Session, model: Model) -> Sequence[Cause]:
        served = model.find(model.aliases.get(CHAMPION, 0))
        if model.task is not Task.ANOMALY or served is None or not served.has_package:
            return ()
        if level_of(session, model.name) is Level.OFF:
            return ()
        last = last_learned(session, served)
        now = to_datetime(self._clock.now_us())
        if now - last < LEAST_BETWEEN:
            return ()
        devices = {device_pair(one) for one in _devices(served)}
        rules, causes = self._rules, []
        if rules.on_drift and is_drifting(_series(served, devices), drifting(session)):
            causes.append(Cause.DRIFT)
        if rules.new_labels is not None and _count_labels(session, devices, last) >= rules.new_labels:
            causes.append(Cause.LABELS)
        if rules.every_days is not None and now - last >= timedelta(days=rules.every_days):
            causes.append(Cause.SCHEDULE)
        return causes


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


def _is_over(asked: DecisionRequest, last: datetime, now: datetime) -> bool:
    """Return whether an answer counts no more: a yes that was followed, another answer that is old."""
    if asked.decided_at is None or not asked.state.is_final:
        return False
    return asked.decided_at <= last if asked.state is RequestState.APPROVED else now - asked.decided_at > ASKED_FOR


def _last_of(session: Session, model: Model) -> datetime:
    served = model.find(model.aliases.get(CHAMPION, 0))
    return model.created_at if served is None else last_learned(session, served)


def _question(model: Model, cause: Cause, subject: str, now: datetime) -> NewDecisionRequest:
    return NewDecisionRequest(
        kind=DecisionKind.RECOMMENDATION,
        subject=subject,
        title=f"Let {model.name} learn anew: {_WHY[cause]}",
        requested_by=BY,
        at=now,
        evidence={"model": model.name, "cause": cause.value, "version": model.aliases.get(CHAMPION, 0)},
        expires_at=now + ASKED_FOR,
    )


def _series(served: ModelVersion, devices: Collection[tuple[str, str]]) -> Sequence[SeriesKey]:
    scoring = served.card.get("scoring")
    channels = [str(one) for one in scoring["channels"]] if isinstance(scoring, dict) else []
    return [SeriesKey(source, device, channel) for source, device in devices for channel in channels]


def _devices(served: ModelVersion) -> Sequence[str]:
    told = served.lineage.get("devices")
    return [str(one) for one in told] if isinstance(told, list) else []


def _count_labels(session: Session, devices: set[tuple[str, str]], since: datetime) -> int:
    return sum(
        label.at > since for source, device in devices for label in list_labels(session, source=source, device=device)
    )
