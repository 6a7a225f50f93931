"""DeadLetterRow: events that no attempt brought to their target, kept until somebody sends them again or drops them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.delivery import DeadLetter
from cloud.records.base import Base, UtcDateTime


class DeadLetterRow(Base):
    """One; its id is its delivery's."""

    __tablename__ = "dead_letters"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook: Mapped[str] = mapped_column(String(32), index=True)
    target: Mapped[str] = mapped_column(String(2_000))
    event_type: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    error: Mapped[str] = mapped_column(String(500))
    attempts: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def put_dead_letter(session: Session, letter: DeadLetter) -> None:
    """Keep one."""
    session.merge(
        DeadLetterRow(
            id=letter.id,
            webhook=letter.webhook,
            target=letter.target,
            event_type=letter.event_type,
            payload=dict(letter.payload),
            error=letter.error[:500],
            attempts=letter.attempts,
            at=letter.at,
        )
    )


def find_dead_letter(session: Session, identity: str) -> DeadLetter | None:
    """Return one."""
    row = session.get(DeadLetterRow, identity)
    return None if row is None else _letter(row)


def list_dead_letters(session: Session, *, limit: int, offset: int = 0) -> tuple[Sequence[DeadLetter], int]:
    """Return some, the newest first, and how many there are in all."""
    query = select(DeadLetterRow).order_by(DeadLetterRow.at.desc(), DeadLetterRow.id.desc())
    found = [_letter(row) for row in session.scalars(query.limit(limit).offset(offset))]
    return found, count_dead_letters(session)


def count_dead_letters(session: Session) -> int:
    """Return how many there are."""
    return session.scalar(select(func.count()).select_from(DeadLetterRow)) or 0


def oldest_dead_letter(session: Session) -> datetime | None:
    """Return since when there is one, None where there is none."""
    return session.scalar(select(func.min(DeadLetterRow.at)))


def drop_dead_letter(session: Session, identity: str) -> bool:
    """Forget one; return whether it was there."""
    gone = session.execute(delete(DeadLetterRow).where(DeadLetterRow.id == identity).returning(DeadLetterRow.id))
    return gone.first() is not None


def drop_dead_letters_of(session: Session, webhook: str) -> None:
    """Forget all of a webhook."""
    session.execute(delete(DeadLetterRow).where(DeadLetterRow.webhook == webhook))


def _letter(row: DeadLetterRow) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        webhook=row.webhook,
        target=row.target,
        event_type=row.event_type,
        payload=row.payload,
        error=row.error,
        attempts=row.attempts,
        at=row.at,
    )
