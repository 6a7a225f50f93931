"""AuditRow: who changed what, and when; rows are only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, ColumnElement, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.audit import AuditEntry
from cloud.records.base import Base, UtcDateTime
from cloud.records.pages import page_of


class AuditRow(Base):
    """One change."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100), index=True)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    details: Mapped[dict[str, object]] = mapped_column(JSON)


def add_audit(session: Session, entry: AuditEntry) -> None:
    """Write down one change, in the transaction of the change."""
    session.add(
        AuditRow(at=entry.at, actor=entry.actor, action=entry.action, subject=entry.subject, details=entry.details)
    )


def list_audit(session: Session, *, subject: str | None = None, limit: int = 1000) -> list[AuditEntry]:
    """Return the newest changes first, of one subject or of all."""
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    return [AuditEntry(row.at, row.actor, row.action, row.subject, row.details) for row in session.scalars(query)]


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Which changes; actions: whole ones, or how they begin where they end with a dot; none: all.

    unlike: actions in the same form that are left out; since: only after this.
    """

    actions: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    since: datetime | None = None


def page_of_audit(
    session: Session, question: AuditQuestion, *, limit: int, offset: int
) -> tuple[Sequence[tuple[int, AuditEntry]], int]:
    """Return changes with their numbers, the newest first, and how many there are in all."""
    conditions: list[ColumnElement[bool]] = [] if question.since is None else [AuditRow.at > question.since]
    if question.actions:
        conditions.append(or_(*map(_fits, question.actions)))
    conditions += [~_fits(one) for one in question.unlike]
    rows, total = page_of(session, AuditRow, conditions, AuditRow.id.desc(), limit=limit, offset=offset)
    found = [(row.id, AuditEntry(row.at, row.actor, row.action, row.subject, row.details)) for row in rows]
    return found, total


def _fits(action: str) -> ColumnElement[bool]:
    return AuditRow.action.startswith(action, autoescape=True) if action.endswith(".") else AuditRow.action == action
