"""AutonomyRow: how much each family of models may do by itself."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.autonomy import DEFAULT_LEVEL, Autonomy, Level
from cloud.records.base import Base, UtcDateTime

EVERY = ""
"""The family that stands for all that have no level of their own."""


class AutonomyRow(Base):
    """The level of one family."""

    __tablename__ = "autonomy"

    family: Mapped[str] = mapped_column(String(200), primary_key=True)
    level: Mapped[str] = mapped_column(String(20))
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


def set_level(session: Session, autonomy: Autonomy) -> None:
    """Keep a family's level in place of the one before."""
    session.merge(
        AutonomyRow(family=autonomy.family, level=autonomy.level.value, set_by=autonomy.set_by, set_at=autonomy.set_at)
    )


def forget_levels(session: Session) -> None:
    """Let every family have the level of all."""
    session.execute(delete(AutonomyRow).where(AutonomyRow.family != EVERY))


def level_of(session: Session, family: str) -> Level:
    """Return a family's level: its own, else that of all, else the one that is shipped."""
    query = select(AutonomyRow).where(AutonomyRow.family.in_((family, EVERY)))
    found = {row.family: Level(row.level) for row in session.scalars(query)}
    return found.get(family, found.get(EVERY, DEFAULT_LEVEL))


def list_levels(session: Session) -> Sequence[Autonomy]:
    """Return all that were set, that of all families first."""
    rows = session.scalars(select(AutonomyRow).order_by(AutonomyRow.family))
    return [Autonomy(row.family, Level(row.level), row.set_by, row.set_at) for row in rows]
