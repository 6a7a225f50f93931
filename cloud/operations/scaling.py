"""Scaling: how many instances each service has and wants, what was decided, and a person's own word."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cloud.domain.audit import AuditEntry
from cloud.domain.identity import new_id
from cloud.domain.load import Service, is_service
from cloud.domain.scaling import (
    Bounds,
    Change,
    DecisionType,
    ScalingDecision,
    Status,
    Trigger,
    Verdict,
    Verification,
    decide,
)
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.operations.host import HostLoad
from cloud.operations.scaler import submit
from cloud.operations.situations import Situations
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.scaling import Wanted, keep_decision, last_actions, list_scaling, open_decisions, wanted_instances

_UNDER_WAY = {
    DecisionType.SCALE_UP: "scaling_up",
    DecisionType.SCALE_DOWN: "scaling_down",
    DecisionType.HOLD: "holding",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One service: alive, None where nobody can tell; what the loads ask for; last: the newest change carried out."""

    service: Service
    alive: int | None
    wanted: Wanted
    verdict: Verdict
    bounds: Bounds
    host: HostLoad
    status: str
    capacity: float | None
    observed: float
    last: ScalingDecision | None


class Scaling:
    """The API's side of scaling; the worker's is the Scaler. Any thread."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        situations: Situations,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """Draw: hex digits of so many random bytes."""
        self._records = records
        self._clock = clock
        self._situations = situations
        self._draw = draw

    def status(self) -> Sequence[Standing]:
        """Return where every service stands; raise Unavailable."""
        now, host = to_datetime(self._clock.now_us()), self._situations.host()
        with self._records.reading() as session:
            known, last = wanted_instances(session), last_actions(session)
            under_way = {one.change.service: one for one in open_decisions(session)}
            found = []
            for service in Service:
                wanted = self._situations.wanted(known, service)
                situation = self._situations.of(session, wanted, now)
                is_held = wanted.held_until is not None and now < wanted.held_until
                found.append(
                    Standing(
                        service=service,
                        alive=self._situations.alive(service),
                        wanted=wanted,
                        verdict=decide(replace(situation, cpu=host.cpu)),
                        bounds=situation.bounds,
                        host=host,
                        status=_word(under_way.get(service), is_held=is_held),
                        capacity=situation.capacity,
                        observed=situation.observed,
                        last=last.get(service),
                    )
                )
        return found

    def decisions(
        self, *, service: str | None, status: Status | None, limit: int, offset: int
    ) -> tuple[Sequence[ScalingDecision], int]:
        """Return the newest decisions first, and how many there are in all; raise NotFound, Unavailable."""
        chosen = None if service is None else service_of(service)
        with self._records.reading() as session:
            return list_scaling(session, service=chosen, status=status, limit=limit, offset=offset)

    def set(self, service: str, target: int, reason: str, *, by: str) -> ScalingDecision:
        """Want so many instances from now on, for an hour at least; raise NotFound, Invalid, Unavailable."""
        chosen = service_of(service)
        self._situations.bounds(chosen).check(target)
        now_us = self._clock.now_us()
        now = to_datetime(now_us)
        with self._records.writing() as session:
            for one in open_decisions(session):
                if one.change.service is chosen and one.status is Status.PENDING:
                    keep_decision(session, one.fail(now, "a person decided otherwise before it was carried out"), now)
            current = self._situations.wanted(wanted_instances(session), chosen).instances
            change = Change(chosen, current, target, Trigger.MANUAL, reason)
            decision = ScalingDecision(new_id(now_us, self._draw(10)), change, by, now)
            submit(session, decision)
            details: dict[str, object] = {"from": current, "to": target, "reason": reason[:200]}
            add_audit(session, AuditEntry(now, by, "scaling.manual", chosen.value, details))
        return decision


def service_of(name: str) -> Service:
    """Return the service of a name; raise NotFound."""
    if not is_service(name):
        known = ", ".join(Service)
        raise NotFound(f"there is no service {name!r:.100}; there are {known}", code="SERVICE_NOT_FOUND")
    return Service(name)


def _word(under_way: ScalingDecision | None, *, is_held: bool) -> str:
    if under_way is not None and under_way.status is Status.PENDING:
        return _UNDER_WAY[under_way.change.kind]
    if under_way is not None and under_way.verification is Verification.PENDING:
        return "verifying"
    return "held" if is_held else "stable"
