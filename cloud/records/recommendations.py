"""RecommendationRow: what rules propose; that a Device has one open Recommendation a rule is a rule of the table."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Float, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.recommendation import (
    Evidence,
    Proposal,
    Recommendation,
    RecommendationState,
    RecommendationType,
)
from cloud.records.base import Base, UtcDateTime
from cloud.records.pages import page_of

_OPEN = text("state = 'open'")
PREFIX = "rec"


class RecommendationRow(Base):
    """One recommendation."""

    __tablename__ = "recommendations"
    __table_args__ = (
        Index("ix_recommendations_state_composite", "state", "composite"),
        Index(
            "uq_recommendations_open_rule",
            "source",
            "device",
            "rule",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    rule: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(300))
    action: Mapped[str] = mapped_column(String(500))
    urgency: Mapped[float] = mapped_column(Float)
    impact: Mapped[float] = mapped_column(Float)
    composite: Mapped[float] = mapped_column(Float)
    origin: Mapped[str] = mapped_column(String(64))
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(2000))
    request_id: Mapped[str] = mapped_column(String(200))


def list_recommendations(
    session: Session,
    *,
    states: Collection[RecommendationState] = (RecommendationState.OPEN,),
    device: tuple[str, str] | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> tuple[Sequence[Recommendation], int]:
    """Return the best first, and how many there are in all; device: source and device."""
    chosen: list[ColumnElement[bool]] = [RecommendationRow.state.in_([one.value for one in states])]
    if device is not None:
        chosen += [RecommendationRow.source == device[0], RecommendationRow.device == device[1]]
    order = (RecommendationRow.composite.desc(), RecommendationRow.number.desc())
    rows, total = page_of(session, RecommendationRow, chosen, *order, limit=limit, offset=offset)
    return [_recommendation(row) for row in rows], total


def find_recommendation(session: Session, identity: str) -> Recommendation | None:
    """Return one, by its id."""
    row = _row(session, identity)
    return None if row is None else _recommendation(row)


def open_recommendations(session: Session) -> Sequence[Recommendation]:
    """Return all that are open."""
    rows = session.scalars(select(RecommendationRow).where(RecommendationRow.state == RecommendationState.OPEN.value))
    return [_recommendation(row) for row in rows]


def closed_since(session: Session, since: datetime) -> Collection[tuple[str, str, str]]:
    """Return source, device and rule of what people accepted or dismissed since then."""
    by_people = (RecommendationState.ACCEPTED.value, RecommendationState.DISMISSED.value)
    columns = (RecommendationRow.source, RecommendationRow.device, RecommendationRow.rule)
    query = select(*columns).where(RecommendationRow.state.in_(by_people), RecommendationRow.changed_at >= since)
    return {(source, device, rule) for source, device, rule in session.execute(query)}


def add_recommendation(session: Session, identity: str, proposal: Proposal, at: datetime) -> None:
    """Keep a new one, which is open."""
    row = RecommendationRow(
        id=identity,
        rule=proposal.rule,
        source=proposal.source,
        device=proposal.device,
        opened_at=at,
        state=RecommendationState.OPEN.value,
        by="",
        note="",
        request_id="",
    )
    session.add(row)
    _write(row, proposal, at)
    session.flush()


def renew_recommendation(session: Session, identity: str, proposal: Proposal, at: datetime) -> None:
    """Let an open one say what its rule says by now."""
    row = _row(session, identity)
    if row is not None:
        _write(row, proposal, at)


def close_recommendation(
    session: Session,
    identity: str,
    state: RecommendationState,
    *,
    at: datetime,
    by: str = "",
    note: str = "",
    request_id: str = "",
) -> None:
    """Keep what became of one."""
    row = _row(session, identity)
    if row is not None:
        row.state, row.changed_at, row.by, row.note, row.request_id = state.value, at, by, note[:2000], request_id
        session.flush()


def _row(session: Session, identity: str) -> RecommendationRow | None:
    return session.scalar(select(RecommendationRow).where(RecommendationRow.id == identity))


def _write(row: RecommendationRow, proposal: Proposal, at: datetime) -> None:
    row.type, row.title, row.action = proposal.type.value, proposal.title[:300], proposal.action[:500]
    row.urgency, row.impact, row.composite = proposal.urgency, proposal.impact, proposal.composite
    row.origin, row.changed_at = proposal.origin, at
    row.evidence = [{"kind": one.kind, "id": one.id, "facts": dict(one.facts)} for one in proposal.evidence]


def _recommendation(row: RecommendationRow) -> Recommendation:
    proposal = Proposal(
        rule=row.rule,
        type=RecommendationType(row.type),
        source=row.source,
        device=row.device,
        title=row.title,
        action=row.action,
        urgency=row.urgency,
        impact=row.impact,
        origin=row.origin,
        evidence=tuple(Evidence(one["kind"], one["id"], one["facts"]) for one in row.evidence),
    )
    return Recommendation(
        id=row.id,
        proposal=proposal,
        state=RecommendationState(row.state),
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        by=row.by,
        note=row.note,
        request_id=row.request_id,
    )
