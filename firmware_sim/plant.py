"""Plant: what a plant file may say, checked whole at once; every error names the file, the key and what is allowed."""

import difflib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_sim.errors import InvalidPlant
from firmware_sim.faults import FaultKind, labelled_channel
from firmware_sim.mischief import MischiefKind
from firmware_sim.sources import EXTRAS, KINDS
from firmware_sim.tags import Table
from firmware_sim.yaml_file import read_yaml
from protocols.tag import ByteOrder, DataType, WordOrder

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}$")]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Policy = Literal["None", "Basic256Sha256"]


class Settings(BaseModel):
    """Part of a plant file: frozen, and a key it does not know is an error that says what is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        for key in given if isinstance(given, dict) else ():
            if key not in cls.model_fields:
                near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                advice = f" (did you mean {near[0]}?)" if near else ""
                raise ValueError(f"unknown key {key!r}{advice}; allowed: {', '.join(cls.model_fields)}")
        return given


class TagSettings(Settings):
    """One value that a machine shows; channel: the quantity behind it, by default the one of the same name."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    channel: str | None = None
    type: DataType | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    table: Table = Table.HOLDING
    address: Annotated[int, Field(ge=0, le=65_535)] | None = None
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    length: Annotated[int, Field(ge=1, le=125)] = 8

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale: 0 would make every value the offset")
        if self.type in (DataType.BOOL, DataType.TEXT) and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError(f"scale, offset: a {self.type} cannot be scaled")
        if self.table.is_bits and self.type not in (None, DataType.BOOL):
            raise ValueError(f"type: a {self.table} holds single bits, not a {self.type}; allowed: bool")
        return self


class ModbusTcpServer(Settings):
    """Modbus over TCP; port 0: a free one."""

    id: Name
    protocol: Literal["modbus-tcp"]
    host: str = "127.0.0.1"
    port: Port = 0


class ModbusTlsServer(Settings):
    """Modbus over TLS; without files a certificate is made at start; verify_clients: ask for one of our authority."""

    id: Name
    protocol: Literal["modbus-tls"]
    host: str = "127.0.0.1"
    port: Port = 0
    verify_clients: bool = False


class ModbusRtuServer(Settings):
    """Modbus RTU over a pseudo-terminal; link: a path to make that points to it."""

    id: Name
    protocol: Literal["modbus-rtu"]
    link: Path | None = None


class OpcuaServer(Settings):
    """OPC UA; without files a certificate is made at start."""

    id: Name
    protocol: Literal["opcua"]
    host: str = "127.0.0.1"
    port: Port = 0
    security: tuple[Policy, ...] = ("None",)
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.security:
            raise ValueError("security: needs at least one of None, Basic256Sha256")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate, key: one is useless without the other")
        return self


Server = Annotated[ModbusTcpServer | ModbusTlsServer | ModbusRtuServer | OpcuaServer, Field(discriminator="protocol")]


class MachineSettings(Settings):
    """One machine; without tags it shows every channel it has, counter first, at adjacent registers."""

    id: Name
    type: Literal["pump", "motor", "conveyor", "oven", "compressor", "replay"]
    server: Name
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    period_s: Annotated[float, Field(gt=0.001, le=3600)] = 0.1
    tags: tuple[TagSettings, ...] = ()
    recording: Path | None = None
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    gaps: Literal["zero", "illegal"] = "zero"
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    location: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.recording is None) == (self.type == "replay"):
            raise ValueError("recording: needed for type replay, and for no other")
        twice = [name for name, count in Counter(tag.name for tag in self.tags).items() if count > 1]
        if twice:
            raise ValueError(f"tags: {', '.join(twice)} is given twice")
        for tag in self.tags if self.recording is None else ():
            channels = [*KINDS[self.type], *EXTRAS]
            if (tag.channel or tag.name) not in channels:
                given = tag.channel or tag.name
                raise ValueError(f"tags: a {self.type} has no channel {given!r}; allowed: {', '.join(channels)}")
        return self


class FaultSettings(Settings):
    """A fault at a time of the machine's own clock; sigma: its size in deviations of the channel's noise."""

    machine: Name
    kind: FaultKind
    at_s: Seconds
    for_s: Annotated[float, Field(gt=0, le=86_400)]
    sigma: float = 6.0
    channel: str | None = None


class RandomFaults(Settings):
    """Faults drawn from the seed, for every machine: mean pause, range of durations and of sizes."""

    mean_every_s: Annotated[float, Field(gt=0)] = 120.0
    for_s: tuple[float, float] = (5.0, 20.0)
    sigma: tuple[float, float] = (4.0, 10.0)
    kinds: tuple[FaultKind, ...] = tuple(FaultKind)


class MischiefSettings(Settings):
    """A misbehaviour at a time after the start; without machine: of all machines; value: seconds of a delay."""

    kind: MischiefKind
    at_s: Seconds
    for_s: Seconds = 0.0
    machine: Name | None = None
    value: float = 0.0


class Control(Settings):
    """The control port, always on loopback; 0: a free one."""

    port: Port = 0


class Plant(Settings):
    """A whole plant file."""

    plant: Name = "plant"
    seed: int = 1
    servers: tuple[Server, ...]
    machines: tuple[MachineSettings, ...]
    faults: tuple[FaultSettings, ...] = ()
    random_faults: RandomFaults | None = None
    mischief: tuple[MischiefSettings, ...] = ()
    control: Control = Control()

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in ("servers", "machines"):
            if not getattr(self, key):
                raise ValueError(f"{key}: needs at least one")
        _check_unique("servers", [server.id for server in self.servers])
        _check_unique("machines", [machine.id for machine in self.machines])
        servers = {server.id: server for server in self.servers}
        for index, machine in enumerate(self.machines):
            if machine.server not in servers:
                raise ValueError(f"machines[{index}].server: no server {machine.server!r}; {_allowed(servers)}")
        modbus = [machine for machine in self.machines if servers[machine.server].protocol != "opcua"]
        _check_unique("machines: server and unit", [f"{machine.server} {machine.unit}" for machine in modbus])
        self._check_what_happens({machine.id: machine for machine in self.machines})
        return self

    def _check_what_happens(self, machines: dict[str, MachineSettings]) -> None:
        for index, fault in enumerate(self.faults):
            machine = machines.get(fault.machine)
            if machine is None:
                raise ValueError(f"faults[{index}].machine: no machine {fault.machine!r}; {_allowed(machines)}")
            if machine.recording is None:
                try:
                    labelled_channel(fault.kind, fault.channel, KINDS[machine.type])
                except ValueError as error:
                    raise ValueError(f"faults[{index}].{error}") from error
        for index, mischief in enumerate(self.mischief):
            if mischief.machine is not None and mischief.machine not in machines:
                raise ValueError(f"mischief[{index}].machine: no machine {mischief.machine!r}; {_allowed(machines)}")


def load_plant(path: Path) -> Plant:
    """Return the plant of a YAML file; raise InvalidPlant with every error in it. Paths are relative to the file."""
    given = read_yaml(path)
    if not isinstance(given, dict):
        raise InvalidPlant(f"{path}: must hold keys; allowed: {', '.join(Plant.model_fields)}")
    try:
        return Plant.model_validate(given)
    except ValidationError as error:
        raise InvalidPlant("\n".join(f"{path}: {_line(dict(finding))}" for finding in error.errors())) from error


def _check_unique(what: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)} is given twice")


def _allowed(names: dict[str, Any]) -> str:
    return f"allowed: {', '.join(names)}"


def _line(finding: Mapping[str, Any]) -> str:
    place = ""
    for part in finding["loc"]:
        if isinstance(part, int):
            place += f"[{part}]"
        elif not part.startswith("modbus-") and part != "opcua":
            place += f".{part}" if place else part
    message = finding["msg"].removeprefix("Value error, ")
    given = finding["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    return f"{place}: {message}{shown}" if place else message


def replay_plant(recording: Path, *, speed: float, with_opcua: bool = False, port: int = 0) -> Plant:
    """Return a plant that serves one recording over Modbus, and over OPC UA too if asked."""
    servers: list[dict[str, Any]] = [{"id": "modbus", "protocol": "modbus-tcp", "port": port}]
    replay = {"type": "replay", "recording": recording, "speed": speed}
    machines = [replay | {"id": "replay-1", "server": "modbus"}]
    if with_opcua:
        servers.append({"id": "opcua", "protocol": "opcua"})
        machines.append(replay | {"id": "replay-2", "server": "opcua"})
    return Plant.model_validate({"plant": "replay", "servers": servers, "machines": machines})
