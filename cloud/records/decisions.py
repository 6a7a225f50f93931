"""DecisionRequestRow, DecisionRow: what people have to decide, and every answer they gave.

Who asks for a decision calls `add_request` in the transaction of what waits for it, keeps the id, and looks with
`find_request` whether there is an `outcome`.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import JSON, ColumnElement, Index, String, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.decision import (
    DEFERRED_FOR,
    Choice,
    Decision,
    DecisionKind,
    DecisionRequest,
    NewDecisionRequest,
    RequestState,
    state_after,
)
from cloud.domain.identity import new_id, shown
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.times import to_us
from cloud.records.base import Base, UtcDateTime
from cloud.records.notices import add_notice
from cloud.records.pages import page_of

REQUEST = "req"
"""The prefix of a request's id."""


class DecisionRequestRow(Base):
    """One request."""

    __tablename__ = "decision_requests"
    __table_args__ = (Index("ix_decision_requests_kind_subject", "kind", "subject"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(20), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(500))
    device: Mapped[str] = mapped_column(String(200))
    gateway: Mapped[str] = mapped_column(String(200))
    evidence: Mapped[dict[str, object]] = mapped_column(JSON)
    options: Mapped[list[str]] = mapped_column(JSON)
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deferred_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_ad_hoc: Mapped[bool]


class DecisionRow(Base):
    """One answer."""

    __tablename__ = "decisions"

    number: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    request_id: Mapped[str] = mapped_column(String(200), index=True)
    choice: Mapped[str] = mapped_column(String(20))
    justification: Mapped[str] = mapped_column(String(2000))
    operator: Mapped[str] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


def add_request(
    session: Session, new: NewDecisionRequest, draw: Callable[[int], str] = secrets.token_hex
) -> DecisionRequest:
    """Ask people to decide, in the transaction of what waits for it; feeds and webhooks are told."""
    identity = shown(REQUEST, new_id(to_us(new.at), draw(10)))
    return _add(session, identity, new, state=RequestState.OPEN, is_ad_hoc=False)


def add_ad_hoc(session: Session, identity: str, new: NewDecisionRequest) -> DecisionRequest:
    """Keep a request that a decision named and that nobody had made."""
    return _add(session, identity, new, state=RequestState.OPEN, is_ad_hoc=True)


def find_request(session: Session, identity: str, *, locked: bool = False) -> DecisionRequest | None:
    """Return one request, by its id; locked: until the transaction ends."""
    row = _row(session, identity, locked=locked)
    return None if row is None else _request(row)


def find_open_request(session: Session, kind: DecisionKind, subject: str) -> DecisionRequest | None:
    """Return the newest request of a kind about this subject where that is not closed."""
    found = newest_request(session, kind, subject)
    return None if found is None or found.state.is_final else found


def newest_request(session: Session, kind: DecisionKind, subject: str) -> DecisionRequest | None:
    """Return the newest request of a kind about this subject, closed or not."""
    query = select(DecisionRequestRow).where(
        DecisionRequestRow.kind == kind.value, DecisionRequestRow.subject == subject
    )
    row = session.scalars(query.order_by(DecisionRequestRow.number.desc()).limit(1)).first()
    return None if row is None else _request(row)


def list_requests(
    session: Session,
    *,
    kinds: Collection[DecisionKind] = (),
    states: Collection[RequestState] = (),
    since: datetime | None = None,
    before: datetime | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> tuple[Sequence[DecisionRequest], int]:
    """Return the newest first, since <= requested < before, and how many there are in all."""
    chosen: list[ColumnElement[bool]] = []
    if kinds:
        chosen.append(DecisionRequestRow.kind.in_([one.value for one in kinds]))
    if states:
        chosen.append(DecisionRequestRow.state.in_([one.value for one in states]))
    if since is not None:
        chosen.append(DecisionRequestRow.requested_at >= since)
    if before is not None:
        chosen.append(DecisionRequestRow.requested_at < before)
    newest = DecisionRequestRow.number.desc()
    rows, total = page_of(session, DecisionRequestRow, chosen, newest, limit=limit, offset=offset)
    return [_request(row) for row in rows], total


def decide(session: Session, decision: Decision, *, request_id: str = "") -> DecisionRequest:
    """Keep an answer to a request that is there, and tell feeds of it; request_id: of the caller's HTTP request."""
    row = _row(session, decision.request_id, locked=True)
    assert row is not None  # noqa: S101 - the caller found it in this transaction
    until = (decision.until or decision.at + DEFERRED_FOR) if decision.choice is Choice.DEFER else None
    session.add(
        DecisionRow(
            event_id=decision.event_id,
            request_id=decision.request_id,
            choice=decision.choice.value,
            justification=decision.justification,
            operator=decision.operator,
            by=decision.by,
            at=decision.at,
            until=until,
        )
    )
    row.state, row.decided_at, row.deferred_until = state_after(decision.choice).value, decision.at, until
    session.flush()
    _tell(session, row, decision.at, request_id)
    return _request(row)


def list_decisions(session: Session, request_id: str) -> Sequence[Decision]:
    """Return every answer to a request, the oldest first."""
    query = select(DecisionRow).where(DecisionRow.request_id == request_id).order_by(DecisionRow.number)
    return [_decision(row) for row in session.scalars(query)]


def decisions_between(session: Session, since: datetime, before: datetime) -> Sequence[Decision]:
    """Return every answer given in since <= time < before, the oldest first."""
    query = select(DecisionRow).where(DecisionRow.at >= since, DecisionRow.at < before).order_by(DecisionRow.number)
    return [_decision(row) for row in session.scalars(query)]


def has_due(session: Session, now: datetime) -> bool:
    """Return whether there is anything for `wake_and_expire` to do."""
    return session.scalar(select(DecisionRequestRow.number).where(_due(now)).limit(1)) is not None


def wake_and_expire(session: Session, now: datetime) -> Sequence[DecisionRequest]:
    """Bring back what was deferred until now, close what nobody decided in time, tell feeds, and return them."""
    rows = session.scalars(select(DecisionRequestRow).where(_due(now)).with_for_update()).all()
    for row in rows:
        is_over = row.expires_at is not None and row.expires_at <= now
        row.state = (RequestState.EXPIRED if is_over else RequestState.OPEN).value
        row.decided_at, row.deferred_until = now if is_over else None, None
        _tell(session, row, now, "")
    return [_request(row) for row in rows]


_UNDECIDED = (RequestState.OPEN.value, RequestState.DEFERRED.value)


def _due(now: datetime) -> ColumnElement[bool]:
    row = DecisionRequestRow
    return and_(row.state.in_(_UNDECIDED), or_(row.expires_at <= now, row.deferred_until <= now))


def _add(
    session: Session, identity: str, new: NewDecisionRequest, *, state: RequestState, is_ad_hoc: bool
) -> DecisionRequest:
    row = DecisionRequestRow(
        id=identity,
        kind=new.kind.value,
        state=state.value,
        subject=new.subject,
        title=new.title[:500],
        device=new.device,
        gateway=new.gateway,
        evidence=dict(new.evidence),
        options=[one.value for one in new.options],
        requested_by=new.requested_by,
        requested_at=new.at,
        due_at=new.due_at,
        expires_at=new.expires_at,
        is_ad_hoc=is_ad_hoc,
    )
    session.add(row)
    session.flush()
    if not is_ad_hoc:
        _tell(session, row, new.at, "")
    return _request(row)


def _tell(session: Session, row: DecisionRequestRow, at: datetime, request_id: str) -> None:
    facts = {
        "request_id": row.id,
        "kind": row.kind,
        "state": row.state,
        "subject": row.subject,
        "title": row.title,
        "due_at": None if row.due_at is None else row.due_at.isoformat(),
    }
    notice = NewNotice(NoticeKind.DECISION_REQUEST, at, row.id, facts, row.device, row.gateway, request_id)
    add_notice(session, notice)


def _row(session: Session, identity: str, *, locked: bool) -> DecisionRequestRow | None:
    query = select(DecisionRequestRow).where(DecisionRequestRow.id.in_((identity, shown(REQUEST, identity))))
    return session.scalar(query.limit(1).with_for_update() if locked else query.limit(1))


def _request(row: DecisionRequestRow) -> DecisionRequest:
    return DecisionRequest(
        id=row.id,
        kind=DecisionKind(row.kind),
        subject=row.subject,
        title=row.title,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        evidence=row.evidence,
        options=tuple(Choice(one) for one in row.options),
        state=RequestState(row.state),
        due_at=row.due_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        deferred_until=row.deferred_until,
        is_ad_hoc=row.is_ad_hoc,
        device=row.device,
        gateway=row.gateway,
    )


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        event_id=row.event_id,
        request_id=row.request_id,
        choice=Choice(row.choice),
        justification=row.justification,
        operator=row.operator,
        by=row.by,
        at=row.at,
        until=row.until,
    )


def draw_event_id() -> str:
    """Return the uuid of one answer."""
    return str(uuid4())
