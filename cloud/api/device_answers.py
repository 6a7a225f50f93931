"""Devices as the API shows them: the documents' fields, as plain data, since lists of a thousand must be quick."""

import math
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from cloud.domain.device import Device
from cloud.domain.health import DeviceStatus
from cloud.domain.history import to_quality
from cloud.domain.times import to_text
from cloud.fleet.devices import LastValue, SeenDevice

DEVICE_EXAMPLE: dict[str, Any] = {
    "id": 1,
    "device_id": "DEVICE_001",
    "device_type": "temperature_sensor",
    "device_name": "Boiler Temp Sensor 001",
    "timestamp": "2026-01-15T10:30:00Z",
    "value": 75.5,
    "status": "normal",
    "health_score": 0.92,
    "efficiency_score": 0.88,
    "location": "Boiler Room 1",
    "unit": "°C",
    "metadata": {"source": "gw-1", "metrics": ["temperature"], "health_stale": False, "interval_s": 1.0},
}


class DeviceAnswer(BaseModel):
    """A Device and the latest reading of its main Tag; scores are null where they are not measured."""

    id: int
    device_id: str
    device_type: str
    device_name: str
    timestamp: datetime | None
    value: float | int | bool | str | None
    status: DeviceStatus
    health_score: float | None
    efficiency_score: float | None
    location: str
    unit: str
    metadata: dict[str, Any]


def device_told(device: Device, seen: SeenDevice | None) -> dict[str, Any]:
    """Return what DeviceAnswer says of a Device."""
    primary = None if seen is None else seen.primary
    vitals = None if seen is None else seen.vitals
    metrics = [] if seen is None else [one.tag for one in seen.latest]
    more = {
        "source": device.source,
        "metrics": metrics,
        "health_stale": vitals is not None and vitals.is_stale,
        "interval_s": None if seen is None else seen.interval_s or None,
    }
    return {
        "id": device.id,
        "device_id": device.shown_id,
        "device_type": device.type,
        "device_name": device.name or device.shown_id,
        "timestamp": None if primary is None else to_text(primary.time_us),
        "value": None if primary is None else _value(primary),
        "status": (DeviceStatus.OFFLINE if seen is None else seen.status).value,
        "health_score": None if vitals is None else rounded(vitals.score),
        "efficiency_score": None if vitals is None else rounded(vitals.efficiency),
        "location": device.location,
        "unit": "" if primary is None else primary.unit,
        "metadata": device.metadata | more,
    }


def rounded(value: float | None) -> float | None:
    """Return a score with four decimals: more is not known."""
    return None if value is None else round(value, 4)


def _value(last: LastValue) -> float | int | bool | str | None:
    if not to_quality(last.quality).has_value:
        return None
    return None if isinstance(last.value, float) and not math.isfinite(last.value) else last.value
