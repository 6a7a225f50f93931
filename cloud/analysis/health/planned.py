"""Which Devices are away because somebody planned it: what stands still for maintenance is not ill."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.device import Device
from cloud.domain.planned_event import EventType, PlannedEvent
from cloud.records.devices import list_devices
from cloud.records.planned_events import events_in_effect

AWAY_BY_PLAN = (
    EventType.SCHEDULED_MAINTENANCE,
    EventType.PLANT_SHUTDOWN,
    EventType.HOLIDAY,
    EventType.FIRMWARE_ROLLOUT,
)


def planned_away(session: Session, now: datetime) -> Collection[tuple[str, str]]:
    """Return source and device of those that an event in effect is about."""
    events = [one for one in events_in_effect(session, now) if one.event_type in AWAY_BY_PLAN]
    devices = list_devices(session) if events else ()
    return {(one.source, one.device_id) for one in devices if any(_is_meant(event, one) for event in events)}


def _is_meant(event: PlannedEvent, device: Device) -> bool:
    """Return whether an event is about a Device: `devices` and `site` of its metadata narrow it down."""
    named, site = event.metadata.get("devices"), event.metadata.get("site")
    if isinstance(named, list):
        return device.shown_id in named
    return site is None or site in (device.location, device.source)
