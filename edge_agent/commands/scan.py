"""`scan`: finds what answers on a line that nobody has described yet, and writes a first configuration."""

import asyncio
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from edge_agent.commands.first_config import Origin, as_id, chosen, first_config, with_twins
from edge_agent.commands.output import AsJson, Exit, complain, print_json, progress, say
from edge_agent.config.addresses import BusAddress, parse_bus_url
from edge_agent.config.devices import DeviceId
from edge_agent.config.schema import UplinkSettings
from edge_agent.drivers.bus import Bus
from edge_agent.drivers.modbus_scan import Extent, Scan, Scanner, shown
from edge_agent.drivers.modbus_wire import ModbusWire
from edge_agent.errors import DeviceLost
from edge_agent.wiring.site import SystemClock

scan_app = typer.Typer(help="Find what answers and write a first configuration.", no_args_is_help=True)
LAST_UNIT, LAST_REGISTER = 255, 65_535

Host = Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="Modbus TCP; port 502 unless named.")]
Units = Annotated[str, typer.Option("--units", help="Unit numbers, such as 1-16 or 1,5,255.")]
Registers = Annotated[str, typer.Option("--registers", help="Addresses to try, zero-based, such as 0-127.")]
Wait = Annotated[float, typer.Option("--timeout", min=0.01, max=60, help="Seconds to wait for one answer.")]
Pause = Annotated[float, typer.Option("--pause", min=0, max=60, help="Seconds between the two readings.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write the configuration to this file.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
GatewayName = Annotated[str | None, typer.Option("--gateway", help="Name of this gateway; else this host's.")]
Broker = Annotated[str, typer.Option("--broker", help="Host of the MQTT broker.")]


@scan_app.callback()
def kinds() -> None:
    """Find what answers and write a first configuration."""


@scan_app.command("modbus", epilog="Example: lineside-agent scan modbus 192.0.2.10 --output agent.yaml")
def scan_modbus(  # noqa: PLR0913 - each option is one
    host: Host,
    *,
    units: Units = "1-8,255",
    registers: Registers = "0-127",
    timeout_s: Wait = 1.0,
    pause_s: Pause = 1.0,
    output: Output = None,
    force: Force = False,
    gateway: GatewayName = None,
    broker: Broker = "",
    as_json: AsJson = False,
) -> None:
    """Find units and registers that answer over Modbus TCP; only reads, never writes."""
    extent = Extent(numbers(units), addresses(registers), timeout_s, pause_s)
    origin = origin_of(host, gateway, broker)
    if output is not None and output.exists() and not force:
        complain(f"{output} exists already; name another file, or say --force to overwrite it")
        raise typer.Exit(Exit.USAGE)
    found = searched(origin, extent)
    if not any(unit.registers for unit in found.units):
        explain_nothing(found, origin, extent)
        raise typer.Exit(Exit.FAILURE)
    text = first_config(found, origin)
    if output is not None:
        write(output, text, force=force)
    show(found, origin, text, output, as_json=as_json)


def numbers(text: str) -> tuple[int, ...]:
    """Return unit numbers in the order given, each once; raise BadParameter where the text names none."""
    return tuple(dict.fromkeys(unit for part in text.split(",") for unit in _span(part, LAST_UNIT, "--units")))


def addresses(text: str) -> range:
    """Return the addresses; raise BadParameter where the text names none."""
    return _span(text, LAST_REGISTER, "--registers")


def _span(text: str, last: int, option: str) -> range:
    low, _, high = text.strip().partition("-")
    if not (low.isascii() and low.isdecimal()) or not (not high or (high.isascii() and high.isdecimal())):
        raise typer.BadParameter(f"{text!r} is no number and no range such as 0-9", param_hint=option)
    found = range(int(low), int(high or low) + 1)
    if not found or found[-1] > last:
        raise typer.BadParameter(f"{text!r} must rise and end at {last} or before", param_hint=option)
    return found


def origin_of(host: str, gateway: str | None, broker: str) -> Origin:
    """Return what is scanned and for whom; raise BadParameter where a configuration would not take it."""
    _must_fit(gateway, DeviceId | None, "--gateway")
    _must_fit({"host": broker} if broker else {}, UplinkSettings, "--broker")
    return Origin(address_of(host), as_id(socket.gethostname()) if gateway is None else gateway, broker)


def address_of(host: str) -> BusAddress:
    """Return where to connect; raise BadParameter where that is no HOST[:PORT]."""
    if host.startswith(("/", "rtu:", "tls:")):
        raise typer.BadParameter(f"{host}: only Modbus TCP can be scanned, as HOST[:PORT]", param_hint="HOST")
    try:
        return parse_bus_url(f"tcp://{host.removeprefix('tcp://')}")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="HOST") from error


def _must_fit(value: object, wanted: Any, option: str) -> None:  # noqa: ANN401 - msgspec takes any type form
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def searched(origin: Origin, extent: Extent) -> Scan:
    """Return what answers; say why and exit with 1 where nothing can be reached."""
    try:
        with progress(f"scanning {origin.url}") as tell:
            return asyncio.run(_search(origin.address, extent, tell))
    except DeviceLost as error:
        complain(f"{error}")
        complain(
            "next: is it switched on, are host and port right (502 is usual), is there a route, a firewall between?"
        )
        raise typer.Exit(Exit.FAILURE) from error


async def _search(address: BusAddress, extent: Extent, tell: Callable[[str], None]) -> Scan:
    clock = SystemClock()
    bus = Bus(ModbusWire(address), clock=clock, jitter=random.random)
    bus.join()
    try:
        return await Scanner(bus, extent, clock=clock, tell=tell).scan()
    finally:
        bus.leave()


def explain_nothing(found: Scan, origin: Origin, extent: Extent) -> None:
    """Say why there is nothing to write, and what to try next."""
    if found.units:
        refusing = ", ".join(str(unit.number) for unit in found.units)
        complain(f"{origin.url}: unit {refusing} answers, but none of the registers {shown(extent.registers)}")
        for note in (note for unit in found.units for note in unit.notes):
            complain(note)
        complain("next: take addresses from the machine's manual, such as --registers 1000-1099")
    else:
        complain(f"{origin.url} takes connections, but no unit of {len(found.silent)} answers: {found.reason}")
        complain("next: is it Modbus at all? Then try other numbers (--units 9-32) or more patience (--timeout 3)")
    complain(f"{found.requests} requests were made, all of them reads")


def write(path: Path, text: str, *, force: bool) -> None:
    """Write the configuration; say why and exit with 1 where it cannot be."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        complain(f"{path} cannot be written: {error.strerror}")
        raise typer.Exit(Exit.FAILURE) from error


def show(found: Scan, origin: Origin, text: str, output: Path | None, *, as_json: bool) -> None:
    """Print what was found: as JSON, or the configuration where no file has it, and a summary."""
    if as_json:
        print_json(document(found, origin, text, output))
        return
    if output is None:
        sys.stdout.write(text)
    tell = complain if output is None else say
    for unit, first in with_twins(found.units):
        what = f"shows the same as unit {first.number}" if first else f"{len(unit.registers)} registers answer"
        tell(f"unit {unit.number}: {what}")
    if found.silent:
        tell(f"no answer from unit {', '.join(map(str, found.silent))}")
    if found.untried:
        tell(f"gave up before unit {found.untried[0]}: too many in a row were silent; name those that are there")
    tell(f"{found.requests} requests were made, all of them reads")
    if output is not None:
        tell(f"next: lineside-agent check {output}, then: lineside-agent test --once {output}")


def document(found: Scan, origin: Origin, text: str, output: Path | None) -> dict[str, object]:
    """Return what was found as JSON shows it; config: the configuration's text."""
    units = [
        {
            "unit": unit.number,
            "device": origin.device(unit.number),
            "same_as": None if first is None else first.number,
            "tags": len(chosen(unit)),
            "registers": [{**msgspec.to_builtins(each), "moves": each.moves} for each in unit.registers],
            "notes": unit.notes,
        }
        for unit, first in with_twins(found.units)
    ]
    return {
        "url": origin.url,
        "requests": found.requests,
        "units": units,
        "silent_units": found.silent,
        "untried_units": found.untried,
        "output": None if output is None else str(output),
        "config": text,
    }
