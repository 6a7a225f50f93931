"""Scaler: decides how many instances each service has, has it done, looks whether it was good, and takes it back.

One worker runs it. Every step is a row before it is a deed, so that a restart in the middle goes on where it was: what
is wanted is asked of the executor again and again until it is so.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.domain.decision import Choice, DecisionKind, NewDecisionRequest, RequestState
from cloud.domain.identity import new_id
from cloud.domain.load import MINUTE_US, POOLS, Service
from cloud.domain.pools import Executor
from cloud.domain.scaling import (
    HOLD,
    Change,
    Count,
    ScalingDecision,
    Seen,
    Status,
    Trigger,
    decide,
    verify,
)
from cloud.domain.times import to_datetime, to_us
from cloud.errors import Unavailable
from cloud.operations.situations import Situations, counts_of
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.decisions import add_request, find_request
from cloud.records.load import load_minutes
from cloud.records.scaling import (
    Wanted,
    add_decision,
    count_up,
    keep_decision,
    keep_wanted,
    open_decisions,
    wanted_instances,
)
from cloud.records.settings import setting_of

EVERY_S = 1.0
DECISIONS = "scaling_decisions"
_DECIDE_EVERY_S = 10.0
_APPROVAL = "scaling.approval"
_APPROVED_WITHIN = timedelta(hours=1)
_AUTOMATIC = "scaling"
_log = logging.getLogger(__name__)


class Scaler:
    """For one thread; is_automatic: whether loads and forecasts change anything; draw: hex digits of random bytes."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        executor: Executor,
        situations: Situations,
        *,
        is_automatic: bool = True,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._records = records
        self._clock = clock
        self._executor = executor
        self._situations = situations
        self._is_automatic = is_automatic
        self._draw = draw
        self._asked: Mapping[str, int] = {}
        self._decide_s = 0.0

    def look(self) -> None:
        """Carry out what is decided, verify what was, and decide anew now and then; raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            waiting = open_decisions(session)
        for decision in waiting:
            if decision.status is Status.PENDING:
                self._carry_out(decision, now)
            elif decision.is_due(now):
                self._verify(decision, now)
        if self._is_automatic and self._clock.monotonic_s() >= self._decide_s:
            self._decide_s = self._clock.monotonic_s() + _DECIDE_EVERY_S
            self._decide_all(now)
        self._ask()

    def _decide_all(self, now: datetime) -> None:
        with self._records.writing() as session:
            known = wanted_instances(session)
            busy = {one.change.service for one in open_decisions(session)}
            for service in Service:
                if service not in busy:
                    self._decide(session, self._situations.wanted(known, service), now)

    def _decide(self, session: Session, wanted: Wanted, now: datetime) -> None:
        verdict = decide(self._situations.of(session, wanted, now))
        if verdict.small_since != wanted.small_since:
            keep_wanted(session, replace(wanted, small_since=verdict.small_since))
        if verdict.change is None:
            return
        identity = new_id(to_us(now), self._draw(10))
        request_id = _ask_people(session, identity, verdict.change, now) if setting_of(session, _APPROVAL) else None
        submit(session, ScalingDecision(identity, verdict.change, _AUTOMATIC, now, request_id=request_id))

    def _carry_out(self, decision: ScalingDecision, now: datetime) -> None:
        change = decision.change
        with self._records.writing() as session:
            refusal = _refusal(session, decision)
            if refusal is None:
                return
            if refusal:
                keep_decision(session, decision.fail(now, refusal), now)
                return
            wanted = wanted_instances(session)
            held = now + HOLD if change.trigger is Trigger.MANUAL else None
            keep_wanted(session, Wanted(change.service, change.target, now, held))
            try:
                self._want(counts_of({**self._all(wanted), change.service: change.target}))
            except Unavailable as error:
                keep_wanted(session, self._situations.wanted(wanted, change.service))
                keep_decision(session, decision.fail(now, str(error)), now)
                return
            keep_decision(session, decision.execute(now), now)
        _log.info("scaled", extra={"service": change.service, "from": change.current, "to": change.target})

    def _verify(self, decision: ScalingDecision, now: datetime) -> None:
        change = decision.change
        with self._records.writing() as session:
            wanted = self._situations.wanted(wanted_instances(session), change.service)
            if wanted.instances != change.target:
                keep_decision(session, decision.supersede(now), now)
                return
            problem = verify(change.target, self._seen(session, decision, now))
            keep_decision(session, decision.verify(now, problem), now)
            if problem:
                keep_wanted(session, Wanted(change.service, change.current, now))
        if problem:
            _log.warning("scaling is taken back: %s", problem, extra={"service": change.service})

    def _seen(self, session: Session, decision: ScalingDecision, now: datetime) -> Seen:
        change, since_us = decision.change, to_us(decision.executed_at or now)
        pool = self._executor.running().get(POOLS[change.service])
        if pool is None:
            return Seen(0, 0)
        deaths = sum(at_us > since_us for at_us in pool.died_us)
        # The first minute belongs to the backlog that the change is to work off.
        minutes = load_minutes(
            session, change.service, since=since_us // MINUTE_US + 1, until=to_us(now) // MINUTE_US + 1
        )
        return Seen(pool.alive, deaths, [one.lag_s for one in minutes])

    def _ask(self) -> None:
        """Ask the executor for what is wanted, where it was not told or forgot."""
        with self._records.reading() as session:
            counts = self._counts(wanted_instances(session))
        if counts != self._asked and self._executor.running():
            self._want(counts)

    def _counts(self, known: Mapping[Service, Wanted]) -> dict[str, int]:
        return counts_of(self._all(known))

    def _all(self, known: Mapping[Service, Wanted]) -> dict[Service, int]:
        return {service: self._situations.wanted(known, service).instances for service in Service}

    def _want(self, counts: Mapping[str, int]) -> None:
        self._executor.want(counts)
        self._asked = dict(counts)


def submit(session: Session, decision: ScalingDecision) -> None:
    """Keep a new decision, and count it; the worker carries it out."""
    add_decision(session, decision)
    if decision.change.target != decision.change.current:
        count_up(session, [Count(DECISIONS, decision.change.service.value, decision.change.kind.value, 1.0)])


def _refusal(session: Session, decision: ScalingDecision) -> str | None:
    """Return why a decision must not be carried out, empty where it may be, None where people have not said yet."""
    if decision.request_id is None:
        return ""
    request = find_request(session, decision.request_id)
    if request is None:
        return "the request for its approval is gone"
    if request.outcome is None:
        return None
    return "" if request.outcome is RequestState.APPROVED else f"it was {request.outcome}"


def _ask_people(session: Session, identity: str, change: Change, now: datetime) -> str:
    title = f"Scale {change.service} from {change.current} to {change.target} instances"
    evidence: dict[str, object] = {
        "decision_id": identity,
        "reasoning": change.reasoning,
        "prediction_value": change.prediction,
        "threshold": change.threshold,
        "business_events": list(change.events),
    }
    new = NewDecisionRequest(
        kind=DecisionKind.SCALING,
        subject=change.service.value,
        title=title,
        requested_by=_AUTOMATIC,
        at=now,
        evidence=evidence,
        options=(Choice.APPROVE, Choice.REJECT, Choice.DEFER),
        expires_at=now + _APPROVED_WITHIN,
    )
    return add_request(session, new).id
