"""PlannedEventRow: what was announced, what was called off, and what it then did to the load."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import JSON, Float, Select, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.planned_event import EventType, PlannedEvent
from cloud.records.base import Base, UtcDateTime
from cloud.records.devices import list_devices


class PlannedEventRow(Base):
    """One event; measured: by service, empty until it is over and was looked at."""

    __tablename__ = "planned_events"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    event_type: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    multiplier: Mapped[float] = mapped_column(Float)
    source: Mapped[str] = mapped_column(String(200))
    metadata_: Mapped[dict[str, object]] = mapped_column("metadata", JSON)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    measured: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))


def add_event(session: Session, event: PlannedEvent) -> None:
    """Keep a new one; raise Invalid for one that cannot be."""
    event.check()
    session.add(
        PlannedEventRow(
            id=event.id,
            event_type=event.event_type.value,
            name=event.name,
            start_at=event.start_at,
            end_at=event.end_at,
            multiplier=event.multiplier,
            source=event.source,
            metadata_=dict(event.metadata),
            created_by=event.created_by,
            created_at=event.created_at,
        )
    )


def find_event(session: Session, identity: str) -> PlannedEvent | None:
    """Return one event."""
    row = session.get(PlannedEventRow, identity)
    return None if row is None else _event(row)


def cancel_event(session: Session, identity: str, at: datetime) -> PlannedEvent | None:
    """Return the event called off, None where there is none."""
    row = session.get(PlannedEventRow, identity)
    if row is None:
        return None
    row.cancelled_at = _event(row).cancel(at).cancelled_at
    session.flush()
    return _event(row)


def active_events(session: Session, at: datetime) -> Sequence[PlannedEvent]:
    """Return those neither over nor cancelled, in order of their beginning: upcoming ones too."""
    return _events(session, _counting().where(PlannedEventRow.end_at > at))


def events_in_effect(session: Session, at: datetime) -> Sequence[PlannedEvent]:
    """Return those that count at this moment, in order of their beginning."""
    return _events(session, _counting().where(PlannedEventRow.start_at <= at, PlannedEventRow.end_at > at))


def events_between(session: Session, since: datetime, until: datetime) -> Sequence[PlannedEvent]:
    """Return those that count for some of since <= time < until, in order of their beginning."""
    return _events(session, _counting().where(PlannedEventRow.start_at < until, PlannedEventRow.end_at > since))


def past_events(session: Session, event_type: EventType, *, limit: int = 50) -> Sequence[PlannedEvent]:
    """Return the newest events of a type whose effect was measured."""
    query = _counting().where(PlannedEventRow.event_type == event_type.value, PlannedEventRow.measured.is_not(None))
    newest = query.order_by(None).order_by(PlannedEventRow.end_at.desc()).limit(limit)
    return [one for one in _events(session, newest) if one.measured]


def unmeasured_events(session: Session, *, ended_before: datetime, limit: int = 100) -> Sequence[PlannedEvent]:
    """Return those that are over and whose effect nobody has looked at."""
    query = _counting().where(PlannedEventRow.end_at <= ended_before, PlannedEventRow.measured.is_(None))
    return _events(session, query.limit(limit))


def keep_measured(session: Session, identity: str, measured: Mapping[str, float]) -> None:
    """Keep what an event did, by service; empty where there was nothing to learn from."""
    row = session.get(PlannedEventRow, identity)
    if row is not None:
        row.measured = dict(measured)


def _counting() -> Select[PlannedEventRow]:
    query = select(PlannedEventRow).where(PlannedEventRow.cancelled_at.is_(None))
    return query.order_by(PlannedEventRow.start_at, PlannedEventRow.id)


def _events(session: Session, query: Select[PlannedEventRow]) -> Sequence[PlannedEvent]:
    return [_event(row) for row in session.scalars(query)]


def _event(row: PlannedEventRow) -> PlannedEvent:
    return PlannedEvent(
        id=row.id,
        event_type=EventType(row.event_type),
        name=row.name,
        start_at=row.start_at,
        end_at=row.end_at,
        multiplier=row.multiplier,
        created_by=row.created_by,
        created_at=row.created_at,
        source=row.source,
        metadata=row.metadata_,
        cancelled_at=row.cancelled_at,
        measured=row.measured or {},
    )


def site_share(session: Session, site: str) -> float:
    """Return the share of all Devices that belong to a site: by their location, a tag of theirs, or their gateway."""
    devices = list_devices(session)
    here = [one for one in devices if site in (one.location, one.source, one.metadata.get("site"))]
    return len(here) / len(devices) if devices else 0.0
