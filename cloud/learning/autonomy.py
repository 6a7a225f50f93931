"""Autonomous: how much each family of models may do by itself, what it did, and the one way to stop all of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.autonomy import Autonomy, Level
from cloud.domain.decision import DecisionKind, DecisionRequest
from cloud.domain.job import JobKind, JobState
from cloud.domain.model import CHAMPION, Model, Task
from cloud.domain.retraining import Cause, Retraining
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.learning.triggers import BY
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.autonomy import EVERY, forget_levels, level_of, list_levels, set_level
from cloud.records.database import Records
from cloud.records.decisions import newest_request
from cloud.records.jobs import cancel_job, list_jobs
from cloud.records.models import find_model, list_models
from cloud.records.retrainings import list_retrainings

MOST_RUNS = 1_000
_MOST_JOBS = 1_000


@dataclass(frozen=True, slots=True)
class Family:
    """A family of models and what it may do; own: whether that was said of it alone."""

    name: str
    level: Level
    is_own: bool
    champion: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a family learned by itself; asked: what people were asked about it, None where nothing."""

    retraining: Retraining
    asked: DecisionRequest | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """What was stopped: ids of jobs that were cancelled and of rollouts that went back."""

    jobs: tuple[str, ...]
    rollouts: tuple[str, ...]


class Autonomous:
    """The families of one installation; revert: rolls back all that they brought to gateways and returns the ids."""

    def __init__(self, records: Records, clock: Clock, revert: Callable[[str], Sequence[str]]) -> None:
        self._records = records
        self._clock = clock
        self._revert = revert

    def level(self) -> Level:
        """Return what a family may do of which nothing else was said."""
        with self._records.reading() as session:
            return level_of(session, EVERY)

    def families(self) -> Sequence[Family]:
        """Return every family of detectors."""
        with self._records.reading() as session:
            own = {one.family for one in list_levels(session)}
            models = [model for model in list_models(session) if model.task is Task.ANOMALY]
            return [_family(session, model, own) for model in models]

    def allow(self, level: Level, *, family: str = EVERY, by: str) -> None:
        """Let a family, or all that have no level of their own, do so much; raise NotFound."""
        with self._records.writing() as session:
            if family and (find_model(session, family) is None):
                raise NotFound(f"there is no model {family:.100}", code="MODEL_NOT_FOUND")
            before = level_of(session, family)
            set_level(session, Autonomy(family, level, by, self._now()))
            details: dict[str, object] = {"from": before.value, "to": level.value}
            add_audit(session, AuditEntry(self._now(), by, "autonomous.level", family or "all", details))

    def stop(self, *, by: str) -> Stopped:
        """Turn all families off, cancel what learns, and send back what they brought to gateways."""
        with self._records.writing() as session:
            forget_levels(session)
            set_level(session, Autonomy(EVERY, Level.OFF, by, self._now()))
            jobs = [job for job in _learning(session) if cancel_job(session, job, by=by, at=self._now())]
            add_audit(session, AuditEntry(self._now(), by, "autonomous.stop", "all", {"jobs": len(jobs)}))
        return Stopped(tuple(jobs), tuple(self._revert(by)))

    def runs(self, *, family: str | None = None, limit: int = 100, offset: int = 0) -> tuple[Sequence[Run], int]:
        """Return the newest of what families learned by themselves, and how many there are, at most MOST_RUNS."""
        with self._records.reading() as session:
            kept = list_retrainings(session, model=family, limit=MOST_RUNS)
            found = [one for one in kept if one.cause is not Cause.REQUEST]
            return [Run(one, _asked(session, one)) for one in islice(found, offset, offset + limit)], len(found)

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _family(session: Session, model: Model, own: set[str]) -> Family:
    return Family(model.name, level_of(session, model.name), model.name in own, model.aliases.get(CHAMPION))


def _learning(session: Session) -> Sequence[str]:
    open_states = [JobState.QUEUED, JobState.RUNNING]
    jobs = list_jobs(session, kinds=[JobKind.RETRAIN], states=open_states, limit=_MOST_JOBS)
    return [job.id for job in jobs if job.requested_by == BY]


def _asked(session: Session, one: Retraining) -> DecisionRequest | None:
    return newest_request(session, DecisionKind.MODEL_PROMOTION, f"{one.model}:{one.challenger}")
