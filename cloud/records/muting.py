"""Mutes: the planned events that keep alarms quiet, as one transaction sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.alarm import Condition
from cloud.domain.device import Device
from cloud.domain.muting import MUTING, mutes
from cloud.domain.planned_event import PlannedEvent
from cloud.records.devices import list_devices
from cloud.records.planned_events import active_events


class Mutes:
    """Looks up events once, and devices only where there is an event."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._events: Sequence[PlannedEvent] = ()
        self._since: datetime | None = None
        self._devices: Mapping[tuple[str, str], Device] | None = None

    def event_of(self, condition: Condition, at: datetime) -> str:
        """Return the id of the event that keeps this quiet at a time, empty where none does."""
        fitting = (one.id for one in self._at(at) if one.covers(at) and self._is_about(one, condition))
        return next(fitting, "")

    def are_any(self, at: datetime) -> bool:
        """Return whether there is an event at a time which may keep something quiet."""
        return any(one.event_type in MUTING for one in self._at(at))

    def _at(self, at: datetime) -> Sequence[PlannedEvent]:
        if self._since is None or at < self._since:
            with self._session.no_autoflush:
                self._events, self._since = active_events(self._session, at), at
        return self._events

    def _is_about(self, event: PlannedEvent, condition: Condition) -> bool:
        if self._devices is None:
            with self._session.no_autoflush:
                self._devices = {(one.source, one.device_id): one for one in list_devices(self._session)}
        device = self._devices.get((condition.source, condition.device))
        shown = device.shown_id if device is not None else condition.device
        location = device.location if device is not None else ""
        return mutes(event, source=condition.source, device=shown, location=location)
