"""Addresses: a running plant described for whoever wants to read it."""

from collections.abc import Mapping

from firmware_sim.endpoints import Endpoint, EndpointTag
from firmware_sim.machine import Machine
from firmware_sim.plant import MachineSettings, Plant
from firmware_sim.ports import PlantServer
from firmware_sim.tags import Tag


def endpoints(
    plant: Plant, machines: Mapping[str, Machine], servers: Mapping[str, PlantServer]
) -> tuple[Endpoint, ...]:
    """Return where each machine of the plant can be reached, in the order of the plant file."""
    protocols = {server.id: "opcua" if server.protocol == "opcua" else "modbus" for server in plant.servers}
    return tuple(
        _endpoint(settings, machines[settings.id], servers[settings.server], protocols[settings.server])
        for settings in plant.machines
    )


def _endpoint(settings: MachineSettings, machine: Machine, server: PlantServer, protocol: str) -> Endpoint:
    return Endpoint(
        machine=machine.name,
        type=settings.type,
        protocol=protocol,
        url=server.url,
        period_s=machine.source.period_s,
        counter=machine.counter,
        tags=tuple(_tag(machine, tag, protocol) for tag in machine.tags),
        unit=settings.unit,
        max_registers=settings.max_registers,
        location=settings.location,
        security=server.security,
    )


def _tag(machine: Machine, tag: Tag, protocol: str) -> EndpointTag:
    return EndpointTag(
        name=tag.name,
        type=tag.type,
        unit=tag.unit,
        scale=tag.scale,
        offset=tag.offset,
        table=tag.table,
        address=tag.address,
        word_order=tag.word_order,
        byte_order=tag.byte_order,
        bit=tag.bit,
        length=tag.length,
        node=f"ns=2;s={machine.name}.{tag.name}" if protocol == "opcua" else "",
    )
