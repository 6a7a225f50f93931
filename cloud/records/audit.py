"""AuditRow: who changed what, and when; rows are only ever added."""

from datetime import datetime

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.audit import AuditEntry
from cloud.records.base import Base, UtcDateTime


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
