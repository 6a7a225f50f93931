"""Decisions: the inbox of what people have to decide, and what they say; every answer is in the audit."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.decision import (
    Choice,
    Decision,
    DecisionKind,
    DecisionRequest,
    NewDecisionRequest,
    RequestState,
    check_deferral,
    state_after,
)
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.decisions import (
    add_ad_hoc,
    add_request,
    decide,
    draw_event_id,
    find_request,
    has_due,
    list_decisions,
    list_requests,
    wake_and_expire,
)

_CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of a request; operator: who they say they are, by: the credential that says so."""

    request_id: str
    choice: Choice
    by: str
    justification: str = ""
    operator: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionStory:
    """A request and every answer to it, the oldest first."""

    request: DecisionRequest
    decisions: Sequence[Decision]


class Decisions:
    """The requests of one installation; safe to use from several threads."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        is_strict: Callable[[Session], bool],
        new_event_id: Callable[[], str] = draw_event_id,
    ) -> None:
        """is_strict: whether only what was asked for may be decided."""
        self._records = records
        self._clock = clock
        self._is_strict = is_strict
        self._new_event_id = new_event_id

    def list(
        self, *, kinds: Collection[DecisionKind], states: Collection[RequestState], limit: int, offset: int
    ) -> tuple[Sequence[DecisionRequest], int]:
        """Return one page, the newest first, and how many there are in all; raise Unavailable."""
        with self._records.reading() as session:
            return list_requests(session, kinds=kinds, states=states, limit=limit, offset=offset)

    def get(self, request_id: str) -> DecisionStory:
        """Return one with all that was said of it; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            request = find_request(session, request_id)
            if request is None:
                raise _missing(request_id)
            return DecisionStory(request, list_decisions(session, request.id))

    def ask(self, new: NewDecisionRequest) -> DecisionRequest:
        """Put a person's own request into the inbox, with an entry in the audit; raise Unavailable."""
        with self._records.writing() as session:
            request = add_request(session, new)
            facts: dict[str, object] = {"kind": new.kind.value, "title": new.title, "device": new.device}
            add_audit(session, AuditEntry(new.at, new.requested_by, "decision.request", request.id, facts))
        return request

    def submit(self, answer: Answer, *, request_id: str = "") -> Decision:
        """Keep an answer; the same one again is the first one. request_id: of the HTTP request.

        Raises Conflict where the request is closed otherwise, Invalid, NotFound for an unknown one where the
        installation is strict, Unavailable.
        """
        at = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            request = find_request(session, answer.request_id, locked=True) or self._ad_hoc(session, answer, at)
            if request.state.is_final and request.state is state_after(answer.choice):
                return list_decisions(session, request.id)[-1]
            request.check(answer.choice, at=at, until=answer.until)
            decision = Decision(
                event_id=self._new_event_id(),
                request_id=request.id,
                choice=answer.choice,
                justification=answer.justification,
                operator=answer.operator or answer.by,
                by=answer.by,
                at=at,
                until=answer.until,
            )
            decide(session, decision, request_id=request_id)
            facts: dict[str, object] = {"operator": decision.operator, "justification": answer.justification}
            add_audit(session, AuditEntry(at, answer.by, f"decision.{answer.choice}", request.id, facts))
        return decision

    def wake(self) -> None:
        """Bring back what was deferred until now, and close what nobody decided in time; raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            if not has_due(session, now):
                return
        with self._records.writing() as session:
            for request in wake_and_expire(session, now):
                add_audit(session, AuditEntry(now, _CLOCK, f"decision.{request.state}", request.id))

    def _ad_hoc(self, session: Session, answer: Answer, at: datetime) -> DecisionRequest:
        """Return a request made of the answer alone: what was decided outside of this inbox is kept here, too."""
        if self._is_strict(session):
            raise _missing(answer.request_id)
        check_deferral(answer.choice, at=at, until=answer.until)
        title = f"decided without a request: {answer.request_id}"
        new = NewDecisionRequest(DecisionKind.MAINTENANCE, answer.request_id, title, answer.by, at)
        return add_ad_hoc(session, answer.request_id, new)


def _missing(request_id: str) -> NotFound:
    told = f"there is no decision request {request_id!r:.100}"
    return NotFound(told, code="DECISION_REQUEST_NOT_FOUND", details={"request_id": request_id[:100]})
