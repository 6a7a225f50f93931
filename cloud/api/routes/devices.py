"""GET /devices: every Device with its latest reading."""

import math
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from cloud.api.deps import Reader, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, paged
from cloud.domain.device import Device
from cloud.domain.history import to_quality
from cloud.domain.times import to_datetime
from cloud.fleet.devices import DeviceStatus, LastValue, SeenDevice
from cloud.services import Views

router = APIRouter(prefix="/devices", tags=["devices"])
_EXAMPLE = {
    "id": 1,
    "device_id": "DEVICE_001",
    "device_type": "temperature_sensor",
    "device_name": "Boiler Temp Sensor 001",
    "timestamp": "2026-01-15T10:30:00Z",
    "value": 75.5,
    "status": "normal",
    "health_score": None,
    "efficiency_score": None,
    "location": "Boiler Room 1",
    "unit": "°C",
    "metadata": {"source": "gw-1", "metrics": ["temperature"]},
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


@router.get(
    "", summary="List devices", dependencies=[limited("120/minute")], responses=answers([_EXAMPLE], 401, 403, 422, 503)
)
async def list_devices(
    request: Request,
    response: Response,
    _caller: Reader,
    services: ServicesDep,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[DeviceAnswer]:
    """All Devices in order of their first appearance; `X-Total-Count` says how many there are."""

    def read(views: Views) -> list[DeviceAnswer]:
        devices = services.registry.all(views.store.devices)
        seen = {(one.source, one.info.id): one for one in views.devices.list()}
        chosen = paged(devices, request, response, limit=limit, offset=offset)
        return [_answer(device, seen.get((device.source, device.device_id))) for device in chosen]

    return await services.threads.run(read)


@router.get(
    "/{device_id}",
    summary="Show one device",
    dependencies=[limited("120/minute")],
    responses=answers(_EXAMPLE, 401, 403, 404, 422, 503),
)
async def show_device(device_id: str, _caller: Reader, services: ServicesDep) -> DeviceAnswer:
    """Show the latest reading of one Device."""

    def read(views: Views) -> DeviceAnswer:
        device = services.registry.find(device_id, views.store.devices)
        return _answer(device, views.devices.get(device.source, device.device_id))

    return await services.threads.run(read)


def _answer(device: Device, seen: SeenDevice | None) -> DeviceAnswer:
    primary = seen.primary if seen is not None else None
    metadata = {"source": device.source, "metrics": [one.tag for one in seen.latest] if seen is not None else []}
    return DeviceAnswer(
        id=device.id,
        device_id=device.shown_id,
        device_type=device.type,
        device_name=device.name or device.shown_id,
        timestamp=None if primary is None else to_datetime(primary.time_us),
        value=None if primary is None else _value(primary),
        status=DeviceStatus.OFFLINE if seen is None else seen.status,
        health_score=None,
        efficiency_score=None,
        location=device.location,
        unit="" if primary is None else primary.unit,
        metadata=device.metadata | metadata,
    )


def _value(last: LastValue) -> float | int | bool | str | None:
    if not to_quality(last.quality).has_value:
        return None
    return None if isinstance(last.value, float) and not math.isfinite(last.value) else last.value
