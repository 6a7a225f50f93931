"""Writes what a scan found as a first configuration: one Device a unit, one Tag a register, with what it showed."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from edge_agent.config.addresses import BusAddress
from edge_agent.config.devices import Table
from edge_agent.drivers.modbus_scan import Register, Scan, ScannedUnit, shown

USUAL_PORT = 502
LONGEST_HOST = 48
LETTERS = {Table.HOLDING: "h", Table.INPUT: "i"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the scan was made and for whom; broker: empty where it is not known yet."""

    address: BusAddress
    gateway: str
    broker: str = ""

    @property
    def url(self) -> str:
        """Return the line as a configuration names it."""
        host = self.address.host
        return f"{self.address.link}://{f'[{host}]' if ':' in host else host}:{self.address.port}"

    def device(self, unit: int) -> str:
        """Return what a unit is called until somebody names it better."""
        port = "" if self.address.port == USUAL_PORT else f"-{self.address.port}"
        return f"{as_id(self.address.host)[:LONGEST_HOST]}{port}-unit-{unit}"


def as_id(text: str) -> str:
    """Return a text as a name that a configuration allows."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "-", text).lstrip("-.:")[:64] or "gateway-1"


def first_config(scan: Scan, origin: Origin) -> str:
    """Return the YAML; scan: has at least one unit with a register that answers."""
    lines = [
        f"# Made by `lineside-agent scan modbus`, which only read, with {scan.requests} requests to {origin.url}.",
        "# Say what each register means: name, unit, scale, and type where a value takes two (float32, int32).",
        f"gateway: {json.dumps(origin.gateway)}",
        *_uplink(origin.broker),
        "devices:",
    ]
    for unit, first in with_twins(scan.units):
        lines += _twin(unit, first) if first is not None else _device(unit, origin)
    return "\n".join(lines) + "\n"


def with_twins(units: Sequence[ScannedUnit]) -> Iterator[tuple[ScannedUnit, ScannedUnit | None]]:
    """Yield each unit with the earlier one that it looks the same as, None where it is the first of its kind."""
    kinds: list[ScannedUnit] = []
    for unit in units:
        first = next((kind for kind in kinds if unit.registers and unit.is_like(kind)), None)
        if first is None:
            kinds.append(unit)
        yield unit, first


def chosen(unit: ScannedUnit) -> list[Register]:
    """Return the registers that become Tags: all but those that stay 0, or the first where all do."""
    return [register for register in unit.registers if not register.is_dull] or list(unit.registers[:1])


def _uplink(broker: str) -> Iterator[str]:
    if broker:
        yield f"uplink: {{host: {json.dumps(broker)}}}"
    else:
        yield "# uplink: {host: BROKER}   # without it: a broker on this machine"


def _twin(unit: ScannedUnit, first: ScannedUnit) -> Iterator[str]:
    yield f"  # Unit {unit.number} shows the same as unit {first.number}: one device that answers to any number,"
    yield f"  # or its twin. If it is a twin, have it written too: --units {unit.number}"


def _device(unit: ScannedUnit, origin: Origin) -> Iterator[str]:
    notes = [f"  # Unit {unit.number}: {note}" for note in unit.notes]
    if not unit.registers:
        yield f"  # Unit {unit.number} answers, but refuses every register that was tried: try others with --registers"
        yield from notes
        return
    yield f"  - id: {json.dumps(origin.device(unit.number))}"
    yield "    protocol: modbus"
    yield f"    url: {json.dumps(origin.url)}"
    yield f"    unit: {unit.number}"
    yield from notes
    tags = chosen(unit)
    left_out = [register for register in unit.registers if register not in set(tags)]
    for table, of_table in groupby(left_out, key=lambda register: register.table):
        yield f"    # {table} {ranges(register.address for register in of_table)}: 0 both times, left out"
    yield "    tags:"
    yield from map(_tag, tags)


def _tag(register: Register) -> str:
    table = "" if register.table is Table.HOLDING else f", table: {register.table}"
    name = f"{LETTERS[register.table]}{register.address}"
    return f"      - {{name: {name}, address: {register.address}{table}, type: uint16}}  # {_seen(register)}"


def _seen(register: Register) -> str:
    if register.second is None:
        return f"{register.first}, then no answer"
    return f"{register.first}, then {register.second}: moves" if register.moves else f"{register.first} both times"


def ranges(addresses: Iterable[int]) -> str:
    """Return rising addresses in few words: 0-3, 7, 9-12."""
    runs: list[range] = []
    for address in addresses:
        if runs and runs[-1].stop == address:
            runs[-1] = range(runs[-1].start, address + 1)
        else:
            runs.append(range(address, address + 1))
    return ", ".join(map(shown, runs))
