"""`test`: reads every Device once and shows raw and scaled values, quality and how long it took."""

import asyncio
from typing import Annotated

import msgspec
import typer

from edge_agent.commands.output import DEFAULT_CONFIG, AsJson, ConfigPath, Exit, load_or_exit, print_json, print_table
from edge_agent.config.devices import TagSettings
from edge_agent.errors import DeviceError
from edge_agent.ports import Clock, Deliver, Driver
from edge_agent.watch.last_values import LastValue, LastValues, Value
from edge_agent.wiring.site import Numbered, Site, SystemClock, make_drivers, make_quality_gate, survey
from protocols.reading import ReadingBlock
from protocols.scaling import ratio
from protocols.tag import DataType

Once = Annotated[bool, typer.Option("--once", help="Read every Device once, which is all that it does.")]


class TestedTag(msgspec.Struct, frozen=True):
    """One Tag, read once; raw: before scale and offset; latency_ms: of reading the whole Device."""

    __test__ = False
    device: str
    tag: str
    raw: Value
    value: Value
    unit: str
    quality: str
    latency_ms: float
    error: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of reading one Device: seconds, and why it could not be read."""

    seconds: float
    error: str


def run_test(config: ConfigPath = DEFAULT_CONFIG, *, once: Once = True, as_json: AsJson = False) -> None:
    """Read every Device once and show what it says; nothing is stored or sent."""
    del once
    settings = load_or_exit(config)
    try:
        rows = asyncio.run(read_all(survey(settings)))
    except DeviceError as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print_json(msgspec.to_builtins(rows))
    else:
        headings = ("DEVICE", "TAG", "RAW", "VALUE", "UNIT", "QUALITY", "LATENCY", "")
        print_table(headings, map(cells, rows))
    if any(row.quality != "good" for row in rows):
        raise typer.Exit(Exit.FAILURE)


async def read_all(site: Site) -> list[TestedTag]:
    """Return every Tag as it reads now; Devices are read side by side, units of one line one after another."""
    clock = SystemClock()
    values = LastValues(site.table)
    gate = make_quality_gate(site)
    drivers = make_drivers(site, clock)

    def take(block: ReadingBlock) -> None:
        values.take(gate.pass_on(block))

    reads = [_read(driver, each, take, clock) for driver, each in zip(drivers, site.numbered, strict=True)]
    outcomes = await asyncio.gather(*reads)
    shown = values.rows()
    return [
        tested(shown[index], tag, outcome)
        for each, outcome in zip(site.numbered, outcomes, strict=True)
        for index, tag in zip(each.indices, each.tags, strict=True)
    ]


async def _read(driver: Driver, each: Numbered, take: Deliver, clock: Clock) -> Outcome:
    began_s = clock.monotonic_s()
    try:
        await driver.open()
        began_s = clock.monotonic_s()
        take(await driver.read(each.indices))
    except DeviceError as error:
        return Outcome(clock.monotonic_s() - began_s, str(error))
    finally:
        await driver.close()
    return Outcome(clock.monotonic_s() - began_s, "")


def tested(shown: LastValue, tag: TagSettings, outcome: Outcome) -> TestedTag:
    """Return one row of what is printed."""
    return TestedTag(
        device=shown.device,
        tag=shown.tag,
        raw=unscaled(shown.value, tag),
        value=shown.value,
        unit=shown.unit,
        quality="device lost" if outcome.error else shown.quality,
        latency_ms=round(outcome.seconds * 1000, 2),
        error=outcome.error,
    )


def unscaled(value: Value, tag: TagSettings) -> Value:
    """Return the value before scale and offset; whole numbers come back whole."""
    if not tag.is_scaled or not isinstance(value, float):
        return value
    raw = ratio(tag.scale, tag.offset).raw(value)
    return raw if tag.type in (DataType.FLOAT32, DataType.FLOAT64) else round(raw)


def cells(row: TestedTag) -> tuple[str, ...]:
    """Return a row as the table shows it."""
    raw, value = ("-" if each is None else str(each) for each in (row.raw, row.value))
    return row.device, row.tag, raw, value, row.unit, row.quality, f"{row.latency_ms:.1f} ms", row.error
