"""FollowerRow: how far a reader of rising numbers has come, kept in the transaction of what it made of them."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.records.base import Base


class FollowerRow(Base):
    """One reader; position: the last number it has done; unreadable: how many it had to pass over."""

    __tablename__ = "followers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    unreadable: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, and how many it had to pass over."""

    position: int = 0
    unreadable: int = 0


def read_progress(session: Session, name: str) -> Progress:
    """Return how far this reader is."""
    row = session.get(FollowerRow, name)
    return Progress() if row is None else Progress(row.position, row.unreadable)


def keep_progress(session: Session, name: str, progress: Progress) -> None:
    """Keep how far this reader is."""
    row = session.get(FollowerRow, name)
    if row is None:
        session.add(FollowerRow(name=name, position=progress.position, unreadable=progress.unreadable))
        return
    row.position, row.unreadable = progress.position, progress.unreadable
