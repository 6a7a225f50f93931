"""PlannedEvents: announce what will change the load, call it off, and list what is to come."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud.domain.audit import AuditEntry
from cloud.domain.identity import new_id, parse_id
from cloud.domain.planned_event import EventType, PlannedEvent, learned_multiplier, typical_multiplier
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.planned_events import active_events, add_event, cancel_event, past_events

MEASURED_ON = "ingest"
"""The service whose load a learned multiplier is told of; forecasts learn one for each."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What somebody announces; multiplier: None for what past events of the type did, or for what is usual."""

    event_type: EventType
    name: str
    start_at: datetime
    end_at: datetime
    multiplier: float | None = None
    source: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)


class PlannedEvents:
    """The planned events of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw: hex digits of so many random bytes."""
        self._records = records
        self._clock = clock
        self._draw = draw

    def add(self, new: Announced, *, by: str) -> PlannedEvent:
        """Keep one; raise Invalid, Unavailable."""
        now_us = self._clock.now_us()
        with self._records.writing() as session:
            learned = learned_multiplier(past_events(session, new.event_type), MEASURED_ON)
            multiplier = new.multiplier or learned or typical_multiplier(new.event_type)
            event = PlannedEvent(
                id=new_id(now_us, self._draw(10)),
                event_type=new.event_type,
                name=new.name,
                start_at=new.start_at,
                end_at=new.end_at,
                multiplier=multiplier,
                created_by=by,
                created_at=to_datetime(now_us),
                source=new.source,
                metadata=new.metadata,
            )
            add_event(session, event)
            details: dict[str, object] = {"type": new.event_type.value, "multiplier": multiplier}
            add_audit(session, AuditEntry(event.created_at, by, "event.add", event.id, details))
        return event

    def active(self) -> Sequence[PlannedEvent]:
        """Return those neither over nor cancelled, in order of their beginning; raise Unavailable."""
        with self._records.reading() as session:
            return active_events(session, self.now)

    def cancel(self, identity: str, *, by: str) -> PlannedEvent:
        """Call one off, once or again; raise NotFound, Unavailable."""
        plain = parse_id("event", identity, code="EVENT_NOT_FOUND")
        with self._records.writing() as session:
            event = cancel_event(session, plain, self.now)
            if event is None:
                raise NotFound(f"there is no event {identity}", code="EVENT_NOT_FOUND", details={"event_id": identity})
            add_audit(session, AuditEntry(self.now, by, "event.cancel", plain))
        return event

    @property
    def now(self) -> datetime:
        """Return the time by which events are judged."""
        return to_datetime(self._clock.now_us())
