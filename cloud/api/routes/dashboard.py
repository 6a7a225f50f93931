"""GET /dashboard: the whole plant at one look; its fields are in camel case, as documented."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from fastapi import Response
from pydantic import BaseModel

from cloud.api.alarm_answers import ALARM_EXAMPLE, AlarmAnswer, Plant
from cloud.api.deps import Reader, ServicesDep
from cloud.api.device_answers import DEVICE_EXAMPLE, DeviceAnswer, device_told
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.domain.health import DeviceStatus
from cloud.domain.scopes import Scope
from cloud.domain.times import to_text, to_us
from cloud.records.alarms import AlarmFilter
from cloud.records.health_scores import PlantPoint
from cloud.services import Services, Views

router = Resource(tags=["dashboard"])
_MOST_DEVICES = 1000
_MOST_ALERTS = 50
_EXAMPLE = {
    "systemHealth": 85,
    "activeDevices": 23,
    "totalDevices": 25,
    "efficiency": 91,
    "energyUsage": 123.4,
    "energyCost": 35.5,
    "energySource": "measured",
    "statusDistribution": {"normal": 20, "warning": 2, "critical": 1, "offline": 2},
    "timestamp": "2026-01-15T10:30:00Z",
    "devices": [DEVICE_EXAMPLE],
    "alerts": [ALARM_EXAMPLE],
    "performanceData": [
        {"timestamp": "2026-01-15T10:15:00Z", "systemHealth": 84, "efficiency": 90, "energyUsage": 1.3}
    ],
}


class PerformancePoint(BaseModel):
    """How the plant did in a quarter of an hour that begins at `timestamp`; energyUsage: kWh used in it alone."""

    timestamp: datetime
    systemHealth: int | None  # noqa: N815 - as documented
    efficiency: int | None
    energyUsage: float | None  # noqa: N815 - as documented


class DashboardAnswer(BaseModel):
    """The plant at this moment; null: not measured. energyUsage: kWh since the plant's day began.

    activeDevices: not offline; energySource: `none` where no device measures energy: then the numbers are 0.
    """

    systemHealth: int | None  # noqa: N815 - as documented
    activeDevices: int  # noqa: N815
    totalDevices: int  # noqa: N815
    efficiency: int | None
    energyUsage: float  # noqa: N815
    energyCost: float  # noqa: N815
    energySource: Literal["measured", "none"]  # noqa: N815
    statusDistribution: dict[DeviceStatus, int]  # noqa: N815
    timestamp: datetime
    devices: list[DeviceAnswer]
    alerts: list[AlarmAnswer]
    performanceData: list[PerformancePoint]  # noqa: N815


@router.get(
    "/dashboard",
    summary="Show the whole plant at one look",
    dependencies=[limited("60/minute")],
    responses=answers(_EXAMPLE, 401, 403, 503),
    response_model=DashboardAnswer,
)
async def dashboard(caller: Reader, services: ServicesDep) -> Response:
    """Overview, devices (1,000 at most), newest alerts (50, for those who may read them), and the last 24 hours.

    Callers of the same second may get the same answer: `timestamp` says of when it is.
    """
    shows_alarms = caller.allows(Scope.ALARMS_READ)

    def read(views: Views) -> bytes:
        return msgspec.json.encode(_told(services, views, shows_alarms=shows_alarms))

    # Who waits for another's answer waits here: no thread is kept busy with that.
    name = f"dashboard, alarms: {shows_alarms}"
    told = await services.moments.awaited(name, lambda: services.threads.run(read))
    return Response(told, media_type="application/json")


def _told(services: Services, views: Views, *, shows_alarms: bool) -> Mapping[str, Any]:
    devices = services.registry.all(views.store.devices)
    seen = {(one.source, one.info.id): one for one in views.devices.list()}
    statuses = {(one.source, one.device_id): DeviceStatus.OFFLINE for one in devices}
    statuses |= {whose: one.status for whose, one in seen.items() if whose in statuses}
    plant = services.health_scores.plant(statuses, {whose: one.vitals for whose, one in seen.items()})
    counts = Counter(statuses.values())
    return {
        "systemHealth": plant.health,
        "activeDevices": len(statuses) - counts[DeviceStatus.OFFLINE],
        "totalDevices": len(statuses),
        "efficiency": plant.efficiency,
        "energyUsage": round(plant.energy_kwh, 4),
        "energyCost": round(plant.energy_cost, 4),
        "energySource": plant.energy_source,
        "statusDistribution": {status.value: counts[status] for status in DeviceStatus},
        "timestamp": to_text(services.clock.now_us()),
        "devices": [device_told(one, seen.get((one.source, one.device_id))) for one in devices[:_MOST_DEVICES]],
        "alerts": _alerts(services, views) if shows_alarms else [],
        "performanceData": [_point(one) for one in plant.points],
    }


def _alerts(services: Services, views: Views) -> list[dict[str, Any]]:
    newest, _ = services.alarms.list(AlarmFilter(), limit=_MOST_ALERTS)
    plant = Plant.seen(services, views)
    return [plant.told(one) for one in newest]


def _point(one: PlantPoint) -> dict[str, Any]:
    return {
        "timestamp": to_text(to_us(one.at)),
        "systemHealth": one.system_health,
        "efficiency": one.efficiency,
        "energyUsage": None if one.energy_kwh is None else round(one.energy_kwh, 6),
    }
