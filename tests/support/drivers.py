"""Clocks, devices and waits for the tests of what reads sensors."""

import asyncio
from typing import Any

from edge_agent.config.devices import ModbusDevice, ModbusTag
from edge_agent.drivers.modbus import ModbusBus, ModbusDriver, bus_of
from edge_agent.ports import Clock
from edge_agent.wiring.site import SystemClock
from protocols.reading import Kind, Quality, ReadingBlock
from protocols.tag import DataType


class HandClock:
    """Time that stands still until the test moves it; whoever sleeps wakes in order."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = now_us
        self._passed_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return self._now_us

    def monotonic_s(self) -> float:
        """Return seconds since the clock was made."""
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved the clock so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._passed_s + seconds, future))
        await future

    def set_wall(self, now_us: int) -> None:
        """Step the wall clock."""
        self._now_us = now_us

    async def move(self, seconds: float) -> None:
        """Let time pass, waking sleepers one after the other."""
        end_s = self._passed_s + seconds
        await settle()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end_s + 1e-9]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self._pass_to(first[0])
            if not first[1].done():
                first[1].set_result(None)
            await settle()
        self._pass_to(end_s)
        await settle()

    def _pass_to(self, at_s: float) -> None:
        step_s = max(0.0, at_s - self._passed_s)
        self._passed_s += step_s
        self._now_us += round(step_s * 1e6)


def half() -> float:
    """Return the jitter that changes nothing."""
    return 0.5


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


def modbus_device(url: str, *tags: ModbusTag, **settings: Any) -> ModbusDevice:  # noqa: ANN401 - any setting there is
    """Return a unit with these Tags that is given up soon."""
    return ModbusDevice(id="unit", url=url, tags=tags, **({"timeout_s": 0.3} | settings))


def words(*addresses: int) -> tuple[ModbusTag, ...]:
    """Return an int16 Tag for each of these holding registers, named after it."""
    return tuple(ModbusTag(name=f"r{address}", address=address, type=DataType.INT16) for address in addresses)


def modbus_driver(
    device: ModbusDevice, buses: dict[str, ModbusBus] | None = None, clock: Clock | None = None
) -> ModbusDriver:
    """Return the driver of this unit with tag 0 as its first, on one of these buses."""
    used = clock or SystemClock()
    bus = bus_of(device, {} if buses is None else buses, clock=used, jitter=half)
    return ModbusDriver(device, first_tag=0, bus=bus, clock=used, jitter=half)


def values(block: ReadingBlock) -> dict[int, float | str | None]:
    """Return the value of each tag, None where it has none."""
    found: dict[int, float | str | None] = {}
    for column in block.columns:
        rows = zip(column.tag.tolist(), column.value.tolist(), column.quality.tolist(), strict=True)
        for tag, value, quality in rows:
            shown = block.texts[value] if column.kind is Kind.TEXT else value
            found[tag] = shown if Quality(quality).has_value else None
    return found


def qualities(block: ReadingBlock) -> dict[int, Quality]:
    """Return the quality of each tag."""
    return {
        tag: Quality(quality)
        for column in block.columns
        for tag, quality in zip(column.tag.tolist(), column.quality.tolist(), strict=True)
    }
