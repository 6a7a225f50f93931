"""IdempotencyRow: which keys were used for what, shared by all processes; a claim is one transaction.

A claim left by a process that died is taken over after its lease, with the same event id and the same time, so that the
reading it may have stored already is the same reading.
"""

from datetime import datetime, timedelta

from sqlalchemy import JSON, BigInteger, LargeBinary, String, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.idempotency import Answer, Claim, Claimed, Slot
from cloud.records.base import Base, UtcDateTime

LIFE = timedelta(minutes=10)
LEASE = timedelta(seconds=15)


class IdempotencyRow(Base):
    """One use of a key; done_at is empty while the first one is at it."""

    __tablename__ = "idempotency"

    principal: Mapped[str] = mapped_column(String(100), primary_key=True)
    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(36))
    at_us: Mapped[int] = mapped_column(BigInteger)
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    answer_status: Mapped[int | None]
    answer_headers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    answer_body: Mapped[bytes | None] = mapped_column(LargeBinary)


def claim(
    session: Session, slot: Slot, *, body_hash: str, offer: Claim, at: datetime, lease: timedelta = LEASE
) -> Claim:
    """Return the offer if the key is free now, else what is known of its first use."""
    row = session.get(IdempotencyRow, (slot.principal, slot.route, slot.key), with_for_update=True)
    if row is not None and row.expires_at <= at:
        session.delete(row)
        session.flush()
        row = None
    if row is None:
        return _insert(session, slot, body_hash, offer, (at, at + lease))
    first = Claim(_judge(row, body_hash, at), row.event_id, row.at_us, _answer(row))
    if first.result is Claimed.OURS:
        row.lease_until = at + lease
    return first


def finish(session: Session, slot: Slot, at: datetime, answer: Answer | None = None) -> None:
    """Keep that it was done, and what was answered, for ten minutes from now."""
    row = session.get(IdempotencyRow, (slot.principal, slot.route, slot.key))
    if row is not None:
        row.done_at = at
        row.expires_at = at + LIFE
        if answer is not None:
            row.answer_status, row.answer_body, row.answer_headers = answer.status, answer.body, dict(answer.headers)


def release(session: Session, slot: Slot) -> None:
    """Let the next one try, since nothing was done."""
    row = session.get(IdempotencyRow, (slot.principal, slot.route, slot.key))
    if row is not None and row.done_at is None:
        session.delete(row)


def forget_expired(session: Session, at: datetime) -> None:
    """Drop what nobody will ask for again."""
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.expires_at <= at))


def count_keys(session: Session) -> int:
    """Return how many keys are kept."""
    return session.scalar(select(func.count()).select_from(IdempotencyRow)) or 0


def _answer(row: IdempotencyRow) -> Answer | None:
    if row.answer_status is None:
        return None
    return Answer(row.answer_status, row.answer_body or b"", row.answer_headers or {})


def _insert(session: Session, slot: Slot, body_hash: str, offer: Claim, lease: tuple[datetime, datetime]) -> Claim:
    at, lease_until = lease
    row = IdempotencyRow(
        principal=slot.principal,
        route=slot.route,
        key=slot.key,
        body_hash=body_hash,
        event_id=offer.event_id,
        at_us=offer.at_us,
        lease_until=lease_until,
        expires_at=at + LIFE,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # On an engine without a lock at the beginning another process can be first: its row is visible at the next try.
        return Claim(Claimed.WAIT, offer.event_id, offer.at_us)
    return offer


def _judge(row: IdempotencyRow, body_hash: str, at: datetime) -> Claimed:
    if row.body_hash != body_hash:
        return Claimed.REUSED
    if row.done_at is not None:
        return Claimed.DONE
    return Claimed.OURS if row.lease_until <= at else Claimed.WAIT
