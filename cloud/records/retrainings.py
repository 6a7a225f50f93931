"""RetrainingRow: how every retraining came out, promoted or refused, with its figures."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.retraining import Cause, Retraining
from cloud.records.base import Base, UtcDateTime


class RetrainingRow(Base):
    """One retraining that ended; its id is its job's."""

    __tablename__ = "retrainings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model: Mapped[str] = mapped_column(String(100), index=True)
    cause: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_promoted: Mapped[bool]
    champion: Mapped[int | None]
    challenger: Mapped[int | None]
    reasons: Mapped[list[str]] = mapped_column(JSON)
    figures: Mapped[dict[str, object]] = mapped_column(JSON)
    is_handed_on: Mapped[bool]


def add_retraining(session: Session, retraining: Retraining) -> None:
    """Keep how one came out."""
    session.add(
        RetrainingRow(
            id=retraining.id,
            model=retraining.model,
            cause=retraining.cause.value,
            at=retraining.at,
            is_promoted=retraining.is_promoted,
            champion=retraining.champion,
            challenger=retraining.challenger,
            reasons=list(retraining.reasons),
            figures=dict(retraining.figures),
            is_handed_on=retraining.is_handed_on,
        )
    )


def list_retrainings(session: Session, *, model: str | None = None, limit: int = 100) -> Sequence[Retraining]:
    """Return the newest first, of one model or of all."""
    query = select(RetrainingRow).order_by(RetrainingRow.id.desc()).limit(limit)
    query = query.where(RetrainingRow.model == model) if model is not None else query
    return [_retraining(row) for row in session.scalars(query)]


def to_hand_on(session: Session) -> Sequence[Retraining]:
    """Return, the oldest first, those whose model was promoted and is not on its way yet."""
    query = select(RetrainingRow).where(RetrainingRow.is_promoted, ~RetrainingRow.is_handed_on)
    return [_retraining(row) for row in session.scalars(query.order_by(RetrainingRow.id))]


def mark_handed_on(session: Session, identity: str) -> None:
    """Keep that a promoted model is on its way."""
    session.execute(update(RetrainingRow).where(RetrainingRow.id == identity).values(is_handed_on=True))


def _retraining(row: RetrainingRow) -> Retraining:
    return Retraining(
        id=row.id,
        model=row.model,
        cause=Cause(row.cause),
        at=row.at,
        is_promoted=row.is_promoted,
        champion=row.champion,
        challenger=row.challenger,
        reasons=tuple(row.reasons),
        figures=row.figures,
        is_handed_on=row.is_handed_on,
    )
