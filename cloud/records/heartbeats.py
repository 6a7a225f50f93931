"""HeartbeatRow: which processes of the installation said lately that they are alive."""

from datetime import datetime

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.records.base import Base, UtcDateTime


class HeartbeatRow(Base):
    """One process and when it was last heard of."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def beat(session: Session, process: str, kind: str, at: datetime) -> None:
    """Note that a process is alive."""
    row = session.get(HeartbeatRow, process)
    if row is None:
        session.add(HeartbeatRow(process=process, kind=kind, at=at))
    else:
        row.at = at


def count_alive(session: Session, kind: str, *, since: datetime) -> int:
    """Return how many processes of a kind were heard of since then."""
    wanted = select(func.count()).select_from(HeartbeatRow).where(HeartbeatRow.kind == kind, HeartbeatRow.at >= since)
    return session.scalar(wanted) or 0


def forget_silent(session: Session, *, before: datetime) -> None:
    """Drop those who were not heard of since then."""
    session.execute(delete(HeartbeatRow).where(HeartbeatRow.at < before))
