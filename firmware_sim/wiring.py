"""Wiring: turns a plant file into machines, servers and a truth file; the only module that names concrete parts."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from firmware_sim.certificates import Certificates
from firmware_sim.clock import Clock
from firmware_sim.endpoints import Security
from firmware_sim.errors import InvalidPlant, Refused
from firmware_sim.faults import Fault, labelled_channel
from firmware_sim.layout import lay_out
from firmware_sim.machine import Machine
from firmware_sim.mischief import Mischief, Mischiefs
from firmware_sim.modbus import Responder, TcpServer
from firmware_sim.plant import (
    MachineSettings,
    ModbusRtuServer,
    ModbusTcpServer,
    ModbusTlsServer,
    OpcuaServer,
    Plant,
    Server,
)
from firmware_sim.ports import PlantServer
from firmware_sim.random_faults import draw_faults
from firmware_sim.recording import read_recording
from firmware_sim.rtu import RtuServer
from firmware_sim.sources import Replay, Simulation, Source
from firmware_sim.tags import Tag
from firmware_sim.trouble import Place, Trouble
from firmware_sim.truth import VERSION, Header, TrueMachine, TrueTag, TruthWriter
from firmware_sim.unit import Unit


@dataclass(frozen=True, slots=True)
class Works:
    """A plant put together, not yet running."""

    plant: Plant
    machines: Mapping[str, Machine]
    servers: Mapping[str, PlantServer]
    mischiefs: Mischiefs
    trouble: Trouble
    truth: TruthWriter
    certificates: Certificates
    fault_ids: Callable[[], int]


def build(plant: Plant, *, folder: Path, truth_path: Path, certificates: Path, clock: Clock) -> Works:
    """Return the plant put together and its truth file opened; recordings are looked up from the folder.

    Raise InvalidPlant and InvalidRecording.
    """
    is_opcua = {server.id: server.protocol == "opcua" for server in plant.servers}
    sources = {machine.id: _source(plant, machine, folder) for machine in plant.machines}
    tags = {m.id: lay_out(m, sources[m.id], is_opcua=is_opcua[m.server]) for m in plant.machines}
    truth = TruthWriter(truth_path, clock, _header(plant, sources, tags, is_opcua, clock))
    with ExitStack() as undo:
        undo.callback(truth.close)
        machines = {name: Machine(name, sources[name], tags[name], truth.fault) for name in sources}
        works = _assemble(plant, machines, truth, Certificates(certificates), clock)
        undo.pop_all()
    return works


def _assemble(
    plant: Plant, machines: Mapping[str, Machine], truth: TruthWriter, certificates: Certificates, clock: Clock
) -> Works:
    ids = count(1)
    _schedule(plant, machines, lambda: next(ids))
    for machine in machines.values():
        machine.step(clock.now_us())
    mischiefs = Mischiefs(_note(truth))
    maker = _ServerMaker(plant, machines, mischiefs, truth, certificates, clock)
    servers = {server.id: maker.make(server) for server in plant.servers}
    opcua = {server.id for server in plant.servers if server.protocol == "opcua"}
    places = {each.id: Place(servers[each.server], is_opcua=each.server in opcua) for each in plant.machines}
    trouble = Trouble(mischiefs, places, clock)
    _check_timetable(plant, trouble)
    return Works(plant, machines, servers, mischiefs, trouble, truth, certificates, lambda: next(ids))


def _source(plant: Plant, machine: MachineSettings, folder: Path) -> Source:
    if machine.recording is not None:
        return Replay(read_recording(folder / machine.recording), speed=machine.speed)
    return Simulation(machine.type, seed=f"{plant.seed}/{machine.id}", period_s=machine.period_s)


def _header(
    plant: Plant,
    sources: Mapping[str, Source],
    tags: Mapping[str, tuple[Tag, ...]],
    is_opcua: Mapping[str, bool],
    clock: Clock,
) -> Header:
    machines = tuple(
        TrueMachine(
            machine.id,
            "opcua" if is_opcua[machine.server] else "modbus",
            tuple(TrueTag(tag.name, tag.type, tag.unit, tag.scale, tag.offset) for tag in tags[machine.id]),
            next(tag.name for tag in tags[machine.id] if tag.channel == sources[machine.id].counter),
        )
        for machine in plant.machines
    )
    return Header(VERSION, plant.plant, plant.seed, clock.now_us(), machines)


def _note(truth: TruthWriter) -> Callable[[Mischief, bool], None]:
    def note(mischief: Mischief, is_on: bool) -> None:  # noqa: FBT001 - began or ended
        truth.mischief(mischief.id, is_on=is_on, machine=mischief.machine, kind=mischief.kind)

    return note


def _schedule(plant: Plant, machines: Mapping[str, Machine], next_id: Callable[[], int]) -> None:
    for index, setting in enumerate(plant.faults):
        machine = machines[setting.machine]
        try:
            channel = labelled_channel(setting.kind, setting.channel, machine.source.channels)
        except ValueError as error:
            raise InvalidPlant(f"faults[{index}].{error}") from error
        period_s = machine.source.period_s
        ticks = max(1, round(setting.for_s / period_s))
        at = round(setting.at_s / period_s) + 1
        machine.schedule(Fault(next_id(), machine.name, setting.kind, channel, setting.sigma, at, ticks))
    if plant.random_faults is not None:
        for name, machine in machines.items():
            random = Random(f"{plant.seed}/{name}/faults")  # noqa: S311 - a plant's accidents, not secrets
            machine.draw_from(draw_faults(plant.random_faults, machine, random, next_id))


def _check_timetable(plant: Plant, trouble: Trouble) -> None:
    for index, setting in enumerate(plant.mischief):
        try:
            trouble.able(setting.kind, setting.machine)
        except Refused as error:
            raise InvalidPlant(f"mischief[{index}].kind: {error}") from error


@dataclass(frozen=True, slots=True)
class _ServerMaker:
    """Makes a server of each protocol with the machines that belong to it."""

    plant: Plant
    machines: Mapping[str, Machine]
    mischiefs: Mischiefs
    truth: TruthWriter
    certificates: Certificates
    clock: Clock

    def make(self, server: Server) -> PlantServer:
        """Return the server of these settings."""
        match server:
            case ModbusTcpServer():
                return TcpServer(self._responder(server.id), server.host, server.port)
            case ModbusTlsServer():
                return self._tls(server)
            case ModbusRtuServer():
                return RtuServer(self._responder(server.id), self.clock, server.link)
            case OpcuaServer():
                mine = [self.machines[m.id] for m in self.plant.machines if m.server == server.id]
                from firmware_sim.opcua import OpcuaPlantServer  # noqa: PLC0415 - half a second that Modbus saves

                return OpcuaPlantServer(server, mine, self.truth, self.certificates)

    def _tls(self, server: ModbusTlsServer) -> PlantServer:
        made = self.certificates
        context = made.tls_context(server.id, verify_clients=server.verify_clients)
        shown, client = made.for_tls(server.id), made.for_tls("tls-client")
        security = Security(
            server_certificate=str(shown.certificate),
            ca=str(made.ca),
            client_certificate=str(client.certificate),
            client_key=str(client.key),
        )
        return TcpServer(self._responder(server.id), server.host, server.port, tls=context, security=security)

    def _responder(self, server: str) -> Responder:
        units = [
            Unit(
                self.machines[machine.id],
                self.truth,
                number=machine.unit,
                is_open=machine.gaps == "zero",
                max_registers=machine.max_registers,
            )
            for machine in self.plant.machines
            if machine.server == server
        ]
        random = Random(f"{self.plant.seed}/{server}")  # noqa: S311 - garbage on purpose, not secrets
        return Responder(units, self.mischiefs, self.truth, random)
