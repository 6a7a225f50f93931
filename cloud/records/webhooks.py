"""WebhookRow: who outside wants to be told of what."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.alarm import Severity
from cloud.domain.webhook import EventType, Webhook, WebhookFormat
from cloud.records.base import Base, UtcDateTime


class WebhookRow(Base):
    """One target."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(2_000))
    format: Mapped[str] = mapped_column(String(16))
    events: Mapped[list[str]] = mapped_column(JSON)
    severity: Mapped[str] = mapped_column(String(16))
    devices: Mapped[list[str]] = mapped_column(JSON)
    is_enabled: Mapped[bool]
    generation: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))


def put_webhook(session: Session, webhook: Webhook) -> None:
    """Keep a webhook, in the place of the one with its id."""
    session.merge(
        WebhookRow(
            id=webhook.id,
            name=webhook.name,
            url=webhook.url,
            format=webhook.format.value,
            events=sorted(event.value for event in webhook.events),
            severity="" if webhook.severity is None else webhook.severity.value,
            devices=list(webhook.devices),
            is_enabled=webhook.is_enabled,
            generation=webhook.generation,
            created_at=webhook.created_at,
            created_by=webhook.created_by,
        )
    )


def find_webhook(session: Session, identity: str) -> Webhook | None:
    """Return one."""
    row = session.get(WebhookRow, identity)
    return None if row is None else _webhook(row)


def list_webhooks(session: Session, *, limit: int = 1_000, offset: int = 0) -> Sequence[Webhook]:
    """Return them in order of their making."""
    rows = session.scalars(select(WebhookRow).order_by(WebhookRow.id).limit(limit).offset(offset))
    return [_webhook(row) for row in rows]


def count_webhooks(session: Session) -> int:
    """Return how many there are."""
    return session.scalar(select(func.count()).select_from(WebhookRow)) or 0


def delete_webhook(session: Session, identity: str) -> None:
    """Forget one."""
    session.execute(delete(WebhookRow).where(WebhookRow.id == identity))


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        id=row.id,
        name=row.name,
        url=row.url,
        format=WebhookFormat(row.format),
        events=frozenset(map(EventType, row.events)),
        severity=Severity(row.severity) if row.severity else None,
        devices=tuple(row.devices),
        is_enabled=row.is_enabled,
        generation=row.generation,
        created_at=row.created_at,
        created_by=row.created_by,
    )
