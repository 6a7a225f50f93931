"""/devices/{device_id}/facts, limits, baseline: what people tell of a device, and that it was repaired."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, Path
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import DeviceWriter, Reader, ServicesDep
from cloud.api.document import answers
from cloud.api.once import idempotent
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE, Number
from cloud.domain.device import Device
from cloud.domain.device_facts import (
    LONGEST_INTERVAL_S,
    MOST_STEPS,
    NO_ENERGY,
    USUAL_CRITICALITY,
    ChannelLimits,
    DeviceFacts,
    EnergyChannels,
    Running,
)
from cloud.services import Services, Views

router = Resource(prefix="/devices/{device_id}", tags=["device facts"])
_READ = (401, 403, 404, 422, 503)
_LIMITS_EXAMPLE = {"tag": "vibration", "low_crit": None, "low_warn": None, "high_warn": 4.5, "high_crit": 7.1}
_EXAMPLE: dict[str, Any] = {
    "device_id": "DEVICE_001",
    "criticality": 0.8,
    "rated_interval_s": 1.0,
    "tariff_per_kwh": 0.31,
    "energy": {"counter": "", "power": "active_power", "voltage": "", "current": "", "power_factor": "", "phases": 1},
    "running": {"tag": "speed", "above": 10.0, "steps": [900.0, 1800.0]},
    "baseline_reset_at": None,
    "limits": [_LIMITS_EXAMPLE],
}
DeviceId = Annotated[str, Path(max_length=200)]
Tag = Annotated[str, Field(max_length=200)]
NamedTag = Annotated[str, Field(min_length=1, max_length=200)]
TagName = Annotated[str, Path(min_length=1, max_length=200)]
Finite = Annotated[Number, Field(ge=-1e300, le=1e300)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LimitsBody(_Body):
    """Limits of a tag: a side has both its warning and its critical limit, or neither."""

    low_crit: Finite | None = None
    low_warn: Finite | None = None
    high_warn: Finite | None = None
    high_crit: Finite | None = None


class LimitsAnswer(LimitsBody):
    """The limits of one tag."""

    tag: str


class EnergyBody(_Body):
    """Which tags tell the energy: a counter, else a power, else voltage and current."""

    counter: Tag = ""
    power: Tag = ""
    voltage: Tag = ""
    current: Tag = ""
    power_factor: Tag = ""
    phases: Annotated[Literal[1, 3], WHOLE] = 1


class RunningBody(_Body):
    """The device runs while this tag is above a value; steps part its regimes."""

    tag: NamedTag
    above: Finite
    steps: Annotated[list[Finite], Field(max_length=MOST_STEPS)] = []


class FactsBody(_Body):
    """What is told of a device; what is left out has its default."""

    criticality: Annotated[Number, Field(ge=0, le=1)] = USUAL_CRITICALITY
    rated_interval_s: Annotated[Number, Field(gt=0, le=LONGEST_INTERVAL_S)] | None = None
    tariff_per_kwh: Annotated[Number, Field(ge=0, le=1e6)] | None = None
    energy: EnergyBody | None = None
    running: RunningBody | None = None


class FactsAnswer(FactsBody):
    """All facts of a device; baseline_reset_at: nothing older is compared with."""

    device_id: str
    baseline_reset_at: datetime | None
    limits: list[LimitsAnswer]


class ResetBody(_Body):
    """Why, in the caller's words."""

    note: Annotated[str, Field(max_length=2000)] = ""


class GoneAnswer(BaseModel):
    """That it is gone."""

    message: str


OptionalReset = Annotated[ResetBody, Body(default_factory=ResetBody)]


@router.get("/facts", summary="Show the facts of a device", responses=answers(_EXAMPLE, *_READ))
async def device_facts(device_id: DeviceId, _caller: Reader, services: ServicesDep) -> FactsAnswer:
    """Show what people told of a device."""

    def read(views: Views) -> FactsAnswer:
        device = _device(services, views, device_id)
        return _answer(device, services.facts.of(device))

    return await services.threads.run(read)


@router.put("/facts", summary="Tell the facts of a device", responses=answers(_EXAMPLE, *_READ))
async def tell_device_facts(
    device_id: DeviceId, caller: DeviceWriter, services: ServicesDep, body: FactsBody
) -> FactsAnswer:
    """Put these facts in the place of those before; limits and the last repair stay."""

    def do(views: Views) -> FactsAnswer:
        device = _device(services, views, device_id)
        return _answer(device, services.facts.tell(device, _facts(device, body), by=caller.name))

    return await services.threads.run(do)


@router.get("/limits", summary="List the limits of a device", responses=answers([_LIMITS_EXAMPLE], *_READ))
async def device_limits(device_id: DeviceId, _caller: Reader, services: ServicesDep) -> list[LimitsAnswer]:
    """List the limits of all its tags."""

    def read(views: Views) -> list[LimitsAnswer]:
        return [_limits(one) for one in services.facts.limits(_device(services, views, device_id))]

    return await services.threads.run(read)


@router.put("/limits/{tag}", summary="Set the limits of a tag", responses=answers(_LIMITS_EXAMPLE, *_READ))
async def set_device_limits(
    device_id: DeviceId, tag: TagName, caller: DeviceWriter, services: ServicesDep, body: LimitsBody
) -> LimitsAnswer:
    """Put these limits in the place of those before; health, trend and failure predictions go by them."""

    def do(views: Views) -> LimitsAnswer:
        device = _device(services, views, device_id)
        wanted = ChannelLimits(device.source, device.device_id, tag, **body.model_dump())
        return _limits(services.facts.limit(device, wanted, by=caller.name))

    return await services.threads.run(do)


@router.delete(
    "/limits/{tag}", summary="Forget the limits of a tag", responses=answers({"message": "Limits forgotten"}, *_READ)
)
async def forget_device_limits(
    device_id: DeviceId, tag: TagName, caller: DeviceWriter, services: ServicesDep
) -> GoneAnswer:
    """Forget the limits of one tag."""

    def do(views: Views) -> None:
        services.facts.forget_limits(_device(services, views, device_id), tag, by=caller.name)

    await services.threads.run(do)
    return GoneAnswer(message="Limits forgotten")


@router.post(
    "/baseline/reset",
    summary="Reset the baseline after a repair",
    dependencies=[idempotent()],
    responses=answers(_EXAMPLE, *_READ),
)
async def reset_device_baseline(
    device_id: DeviceId, caller: DeviceWriter, services: ServicesDep, body: OptionalReset
) -> FactsAnswer:
    """Take the device for as new from now on: trends, anomalies, drift and usual work begin anew."""

    def do(views: Views) -> FactsAnswer:
        device = _device(services, views, device_id)
        return _answer(device, services.facts.reset_baseline(device, by=caller.name, why=body.note))

    return await services.threads.run(do)


def _device(services: Services, views: Views, device_id: str) -> Device:
    return services.registry.find(device_id, views.store.devices)


def _facts(device: Device, body: FactsBody) -> DeviceFacts:
    running = body.running
    return DeviceFacts(
        source=device.source,
        device=device.device_id,
        criticality=body.criticality,
        rated_interval_s=body.rated_interval_s,
        tariff_per_kwh=body.tariff_per_kwh,
        energy=NO_ENERGY if body.energy is None else EnergyChannels(**body.energy.model_dump()),
        running=None if running is None else Running(running.tag, running.above, tuple(running.steps)),
    )


def _answer(device: Device, facts: DeviceFacts) -> FactsAnswer:
    energy, running = facts.energy, facts.running
    return FactsAnswer(
        device_id=device.shown_id,
        criticality=facts.criticality,
        rated_interval_s=facts.rated_interval_s,
        tariff_per_kwh=facts.tariff_per_kwh,
        energy=EnergyBody.model_validate(energy, from_attributes=True) if energy.is_set else None,
        running=None
        if running is None
        else RunningBody(tag=running.tag, above=running.above, steps=list(running.steps)),
        baseline_reset_at=facts.baseline_reset_at,
        limits=[_limits(one) for one in facts.limits],
    )


def _limits(one: ChannelLimits) -> LimitsAnswer:
    return LimitsAnswer(
        tag=one.tag, low_crit=one.low_crit, low_warn=one.low_warn, high_warn=one.high_warn, high_crit=one.high_crit
    )
