"""Which planned work keeps which alarms quiet: machines that are being mended alarm for nothing."""

from collections.abc import Mapping

from cloud.domain.planned_event import EventType, PlannedEvent

MUTING = (EventType.SCHEDULED_MAINTENANCE, EventType.PLANT_SHUTDOWN)
"""The kinds of events that may keep an alarm quiet."""
_DEVICES = ("device_id", "device_ids", "devices")
_GATEWAYS = ("gateway_id", "gateway_ids", "gateways")


def mutes(event: PlannedEvent, *, source: str, device: str, location: str) -> bool:
    """Return whether an event is about this Device (its shown id; empty: the gateway itself) and keeps it quiet.

    The scope stands in the metadata: devices, gateways, or a site, which is a gateway or a location. A shutdown
    without a scope is of the whole plant; maintenance without one keeps nothing quiet, since nobody said what of.
    """
    if event.event_type not in MUTING:
        return False
    devices, gateways, site = _named(event.metadata, _DEVICES), _named(event.metadata, _GATEWAYS), event.site
    if not devices and not gateways and not site:
        return event.event_type is EventType.PLANT_SHUTDOWN
    is_of_site = bool(site) and site in (source, location)
    return is_of_site or source in gateways or (bool(device) and device in devices)


def _named(metadata: Mapping[str, object], keys: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for key in keys:
        told = metadata.get(key)
        names = told if isinstance(told, list) else [told]
        found |= {name for name in names if isinstance(name, str) and name}
    return found
