"""Recommendations: what rules propose, and what people make of it; accepting one asks for a decision."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.decision import DecisionKind, NewDecisionRequest
from cloud.domain.device import Device
from cloud.domain.recommendation import Recommendation, RecommendationState
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.decisions import add_request
from cloud.records.recommendations import close_recommendation, find_recommendation, list_recommendations


class Recommendations:
    """The recommendations of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def list(
        self,
        *,
        states: Collection[RecommendationState] = (RecommendationState.OPEN,),
        device: Device | None = None,
        limit: int = 1000,
        offset: int = 0,
    ) -> tuple[Sequence[Recommendation], int]:
        """Return the best first, and how many there are; raise Unavailable."""
        whose = None if device is None else (device.source, device.device_id)
        with self._records.reading() as session:
            return list_recommendations(session, states=states, device=whose, limit=limit, offset=offset)

    def get(self, identity: str) -> Recommendation:
        """Return one; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            return _there(session, identity)

    def accept(self, identity: str, *, by: str, note: str = "", device: str = "") -> Recommendation:
        """Ask people to decide to do it; device: as people call it. Raise NotFound, Conflict, Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            found = _there(session, identity)
            found.require_open()
            request = add_request(session, _request(found, by, device, self._clock))
            state = RecommendationState.ACCEPTED
            close_recommendation(session, identity, state, at=now, by=by, note=note, request_id=request.id)
            details: dict[str, object] = {"request_id": request.id, "note": note}
            add_audit(session, AuditEntry(now, by, "recommendation.accept", identity, details))
            return _there(session, identity)

    def dismiss(self, identity: str, *, by: str, note: str = "") -> Recommendation:
        """Say that it will not be done; its rule is silent about this Device for a week. Raise NotFound, Conflict."""
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            _there(session, identity).require_open()
            close_recommendation(session, identity, RecommendationState.DISMISSED, at=now, by=by, note=note)
            add_audit(session, AuditEntry(now, by, "recommendation.dismiss", identity, {"note": note}))
            return _there(session, identity)


def _request(found: Recommendation, by: str, device: str, clock: Clock) -> NewDecisionRequest:
    proposal = found.proposal
    evidence = [{"kind": one.kind, "id": one.id, "facts": dict(one.facts)} for one in proposal.evidence]
    return NewDecisionRequest(
        kind=DecisionKind.RECOMMENDATION,
        subject=found.id,
        title=f"{proposal.title}: {proposal.action}",
        requested_by=by,
        at=to_datetime(clock.now_us()),
        evidence={"rule": proposal.rule, "composite_score": proposal.composite, "evidence": evidence},
        device=device,
        gateway=proposal.source,
    )


def _there(session: Session, identity: str) -> Recommendation:
    found = find_recommendation(session, identity)
    if found is None:
        raise NotFound(f"there is no recommendation {identity!r:.100}", code="RECOMMENDATION_NOT_FOUND")
    return found
