"""The drivers that read Devices, by the name of their protocol; each brings its library only when one is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_agent.config.devices import Device, ModbusDevice, OpcuaDevice, ReplayDevice, TagSettings
from edge_agent.drivers.backoff import Jitter
from edge_agent.drivers.late import LateDriver
from edge_agent.ports import Clock, Driver
from protocols.tag import TagInfo

if TYPE_CHECKING:
    from edge_agent.drivers.modbus import ModbusBus


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every driver may need; buses: the Modbus lines so far, by name; secret: reads env:NAME and file:PATH."""

    clock: Clock
    jitter: Jitter
    secret: Callable[[str], str]
    buses: "dict[str, ModbusBus]" = field(default_factory=dict)


def _modbus(device: ModbusDevice, first_tag: int, around: Surroundings) -> Driver:
    from edge_agent.drivers.modbus import ModbusDriver, bus_of  # noqa: PLC0415 - costs 0.2 s, not all have Modbus

    bus = bus_of(device, around.buses, clock=around.clock, jitter=around.jitter)
    return ModbusDriver(device, first_tag=first_tag, bus=bus, clock=around.clock, jitter=around.jitter)


def _opcua(device: OpcuaDevice, first_tag: int, around: Surroundings) -> Driver:
    password = around.secret(device.password) if device.password is not None else ""

    def make() -> Driver:
        from edge_agent.drivers.opcua import OpcuaDriver  # noqa: PLC0415 - costs 1 s and 40 MiB, few have OPC UA

        return OpcuaDriver(device, first_tag=first_tag, clock=around.clock, password=password)

    return LateDriver(make)


def _replay(device: ReplayDevice, first_tag: int, around: Surroundings) -> Driver:
    from edge_agent.drivers.replay import ReplayDriver  # noqa: PLC0415 - as the others

    return ReplayDriver(device, first_tag=first_tag, clock=around.clock)


DRIVERS: Mapping[str, Callable[[Any, int, Surroundings], Driver]] = {
    "modbus": _modbus,
    "opcua": _opcua,
    "replay": _replay,
}
"""Each takes the Device as configured, the index of its first Tag in the gateway's table, and its surroundings."""

MOST_PROBE_S: Mapping[str, float] = {"modbus": 30.0, "opcua": 4.0, "replay": 30.0}
"""The longest wait between probes of a lost Device: a probe holds up a Modbus line, but nobody else's OPC UA server."""


def make_driver(device: Device, first_tag: int, around: Surroundings) -> Driver:
    """Return the driver of this Device, not yet open."""
    return DRIVERS[str(device.__struct_config__.tag)](device, first_tag, around)


def most_probe_s(device: Device) -> float:
    """Return the longest wait in seconds between two probes of this Device while it is lost."""
    return MOST_PROBE_S[str(device.__struct_config__.tag)]


def tags_of(device: Device) -> tuple[TagSettings, ...]:
    """Return the Tags in the order of their indices; raise DeviceLost where a recording must say and cannot be read."""
    if isinstance(device, ReplayDevice):
        from edge_agent.drivers.replay import tags_of_recording  # noqa: PLC0415 - as above

        return tags_of_recording(device)
    return device.tags


def tag_infos(device: Device, index: int) -> tuple[TagInfo, ...]:
    """Return what the other end must know of the Tags of the gateway's device number `index`."""
    return tuple(
        TagInfo(
            device=index,
            name=tag.name,
            kind=tag.kind,
            unit=tag.unit,
            period_s=device.period_s if tag.period_s is None else tag.period_s,
            is_primary=tag.primary,
        )
        for tag in tags_of(device)
    )
