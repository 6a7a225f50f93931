"""NoticeRow: what happened, in the order in which it became durable; kept for a while, for feeds that were away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Row, String, bindparam, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.notice import NewNotice, Notice, NoticeKind
from cloud.logs import current_request_id
from cloud.records.base import Base, UtcDateTime

_LOCK = 0x11AE_51DE
"""Of writers of notices on PostgreSQL: numbers must become visible in their order."""


class NoticeRow(Base):
    """One notice."""

    __tablename__ = "notices"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - read by SQLAlchemy, never changed

    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    subject: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, object]] = mapped_column(JSON)
    device: Mapped[str] = mapped_column(String(200))
    gateway: Mapped[str] = mapped_column(String(200))
    request_id: Mapped[str] = mapped_column(String(128))


_TABLE = NoticeRow.__table__
# Asked for four times a second by every process with an open page: made once, and of columns, that costs a quarter.
_NEXT = (
    select(*_TABLE.c).where(_TABLE.c.sequence > bindparam("after")).order_by(_TABLE.c.sequence).limit(bindparam("most"))
)


def add_notice(session: Session, new: NewNotice) -> None:
    """Write a notice, in the transaction of the change that it tells of."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    session.add(
        NoticeRow(
            kind=new.kind.value,
            at=new.at,
            subject=new.subject,
            data=dict(new.data),
            device=new.device,
            gateway=new.gateway,
            request_id=new.request_id or current_request_id(),
        )
    )


def read_notices(session: Session, *, after: int, limit: int) -> Sequence[Notice]:
    """Return the first notices with a number above `after`, in order."""
    rows = session.connection().execute(_NEXT, {"after": after, "most": limit})
    return [_notice(row) for row in rows]


def newest_notice(session: Session) -> int:
    """Return the highest number there is, 0 where there is none."""
    return session.scalar(select(func.max(NoticeRow.sequence))) or 0


def oldest_notice(session: Session) -> int | None:
    """Return the lowest number that is still there, None where there is none."""
    return session.scalar(select(func.min(NoticeRow.sequence)))


def forget_notices(session: Session, *, before: datetime, up_to: int) -> None:
    """Drop notices of before a time, up to a number."""
    session.execute(delete(NoticeRow).where(NoticeRow.at < before, NoticeRow.sequence <= up_to))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        sequence=row.sequence,
        kind=NoticeKind(row.kind),
        at=row.at,
        subject=row.subject,
        data=row.data,
        device=row.device,
        gateway=row.gateway,
        request_id=row.request_id,
    )
