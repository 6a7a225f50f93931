"""DeliveryRow: what is on its way to targets outside, how often it was tried, and who tries it now.

Whoever sends takes a row under a token and a lease. One who dies leaves the row to be taken again when the lease is
over, so an event arrives at least once; the row's id, which every attempt carries, tells a second time from the first.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.delivery import Attempt, Delivery, DeliveryState, NewDelivery
from cloud.records.base import Base, UtcDateTime
from cloud.records.pages import page_of

LEASE = timedelta(seconds=30)
"""How long a sender may take before others may try."""
MOST_LOGGED = 10


class DeliveryRow(Base):
    """One event to one target."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("webhook", "sequence"),
        Index("ix_deliveries_state_next_at", "state", "next_at"),
        Index("ix_deliveries_webhook_id", "webhook", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook: Mapped[str] = mapped_column(String(32))
    target: Mapped[str] = mapped_column(String(2_000))
    event_type: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    sequence: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    run: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    log: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


def add_delivery(
    session: Session, identity: str, new: NewDelivery, at: datetime, *, state: DeliveryState = DeliveryState.PENDING
) -> Delivery:
    """Put an event on its way, or among those that came to nothing."""
    row = DeliveryRow(
        id=identity,
        webhook=new.webhook,
        target=new.target,
        event_type=new.event_type,
        payload=dict(new.payload),
        sequence=new.sequence,
        state=state.value,
        created_at=at,
        next_at=at,
        attempts=0,
        run="",
        ended_at=at if state is not DeliveryState.PENDING else None,
        log=[],
    )
    session.add(row)
    return _delivery(row)


def find_delivery(session: Session, identity: str) -> Delivery | None:
    """Return one."""
    row = session.get(DeliveryRow, identity)
    return None if row is None else _delivery(row)


def list_deliveries(
    session: Session, webhook: str, *, states: Collection[DeliveryState] = (), limit: int, offset: int = 0
) -> tuple[Sequence[Delivery], int]:
    """Return some of a webhook's, the newest first, and how many there are in all."""
    wanted = [DeliveryRow.webhook == webhook]
    wanted += [DeliveryRow.state.in_([one.value for one in states])] if states else []
    rows, total = page_of(session, DeliveryRow, wanted, DeliveryRow.id.desc(), limit=limit, offset=offset)
    return [_delivery(row) for row in rows], total


def count_waiting(session: Session) -> Mapping[str, int]:
    """Return how many wait for each webhook."""
    query = select(DeliveryRow.webhook, func.count()).where(DeliveryRow.state == DeliveryState.PENDING.value)
    return {row[0]: row[1] for row in session.execute(query.group_by(DeliveryRow.webhook))}


def has_due(session: Session, at: datetime, *, but: Collection[str] = ()) -> bool:
    """Return whether anything is to be sent but to these webhooks, without taking the lock that taking it takes."""
    return session.scalar(select(DeliveryRow.id).where(*_due(at, but)).limit(1)) is not None


def due_deliveries(session: Session, at: datetime, *, but: Collection[str], limit: int) -> Sequence[Delivery]:
    """Return what is to be sent but to these webhooks, what waited longest first, locked against other senders."""
    query = select(DeliveryRow).where(*_due(at, but)).order_by(DeliveryRow.next_at, DeliveryRow.id).limit(limit)
    return [_delivery(row) for row in session.scalars(query.with_for_update(skip_locked=True))]


def take_delivery(session: Session, identity: str, run: str, at: datetime) -> None:
    """Say that this run sends it now, and for how long nobody else shall."""
    session.execute(update(DeliveryRow).where(DeliveryRow.id == identity).values(run=run, next_at=at + LEASE))


def postpone(session: Session, delivery: Delivery, at: datetime, until: datetime) -> None:
    """Hold back all that is due for the target of a delivery."""
    same = (DeliveryRow.webhook == delivery.webhook, DeliveryRow.target == delivery.target)
    session.execute(update(DeliveryRow).where(*_due(at), *same).values(next_at=until))


def end_attempt(
    session: Session, delivery: Delivery, attempt: Attempt, *, state: DeliveryState, next_at: datetime
) -> bool:
    """Write down how an attempt came out; return False, with nothing changed, where it is another run's by now."""
    row = session.get(DeliveryRow, delivery.id, with_for_update=True)
    if row is None or row.run != delivery.run or row.state != DeliveryState.PENDING.value:
        return False
    row.attempts += 1
    row.run, row.state, row.next_at = "", state.value, next_at
    row.ended_at = None if state is DeliveryState.PENDING else attempt.at
    row.log = [*row.log, _logged(attempt)][-MOST_LOGGED:]
    return True


def send_again(session: Session, identity: str, at: datetime) -> Delivery | None:
    """Put one on its way anew, with all its attempts; None where there is none."""
    row = session.get(DeliveryRow, identity, with_for_update=True)
    if row is None:
        return None
    row.state, row.attempts, row.next_at, row.run, row.ended_at = DeliveryState.PENDING.value, 0, at, "", None
    return _delivery(row)


def drop_deliveries(session: Session, webhook: str) -> None:
    """Forget all that is on its way to a webhook, and its log."""
    session.execute(delete(DeliveryRow).where(DeliveryRow.webhook == webhook))


def forget_deliveries(session: Session, *, before: datetime) -> None:
    """Drop what arrived before a time."""
    session.execute(delete(DeliveryRow).where(DeliveryRow.ended_at < before))


def _due(at: datetime, but: Collection[str] = ()) -> tuple[Any, ...]:
    due = (DeliveryRow.state == DeliveryState.PENDING.value, DeliveryRow.next_at <= at)
    return (*due, DeliveryRow.webhook.not_in(but)) if but else due


def _logged(attempt: Attempt) -> dict[str, Any]:
    at = attempt.at.isoformat()
    return {"at": at, "status": attempt.status, "error": attempt.error[:500], "seconds": round(attempt.seconds, 3)}


def _delivery(row: DeliveryRow) -> Delivery:
    log = [Attempt(datetime.fromisoformat(one["at"]), one["status"], one["error"], one["seconds"]) for one in row.log]
    return Delivery(
        id=row.id,
        webhook=row.webhook,
        target=row.target,
        event_type=row.event_type,
        payload=row.payload,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        next_at=row.next_at,
        attempts=row.attempts,
        run=row.run,
        ended_at=row.ended_at,
        log=tuple(log),
    )
