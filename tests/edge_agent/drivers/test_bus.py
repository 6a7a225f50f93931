"""One exchange at a time on a line, and nobody on it waits for the dead."""

import asyncio

import pytest

from edge_agent.drivers.backoff import Backoff
from edge_agent.drivers.bus import Bus
from edge_agent.drivers.modbus import ModbusBus
from edge_agent.errors import DeviceError, DeviceGarbled, DeviceLost, DeviceRefused
from edge_agent.polling.poller import PolledDevice, PolledTag, Poller
from edge_agent.wiring.site import SystemClock
from protocols.reading import Kind, Quality, ReadingBlock
from tests.support.drivers import HandClock, half, modbus_device, modbus_driver, qualities, settle, words
from tests.support.modbus_server import Memory, Request, serving
from tests.support.waiting import until


class Wire:
    """A wire that notes what happens to it."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.is_open = False
        self.is_broken = is_broken
        self.openings = 0
        self.at_once = 0
        self.most_at_once = 0

    async def open(self) -> None:
        self.openings += 1
        if self.is_broken:
            raise DeviceLost("no such line")
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    async def answer(self) -> str:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await settle()
        self.at_once -= 1
        return "answer"

    async def fail(self, error: Exception) -> str:
        await settle()
        raise error


def bus_on(wire: Wire, clock: HandClock | None = None, pause_s: float = 0.0) -> Bus[Wire]:
    return Bus(wire, clock=clock or HandClock(), jitter=half, pause_s=pause_s)


async def test_there_is_never_more_than_one_exchange_at_a_time() -> None:
    wire = Wire()
    bus = bus_on(wire)
    assert await asyncio.gather(*(bus.exchange(Wire.answer) for _ in range(10))) == ["answer"] * 10
    assert wire.most_at_once == 1
    assert wire.openings == 1


async def test_a_fragile_device_gets_its_rest_between_two_exchanges() -> None:
    clock = HandClock()
    bus = bus_on(Wire(), clock)
    bus.join(0.2)
    bus.join(0.1)
    await bus.exchange(Wire.answer)
    second = asyncio.ensure_future(bus.exchange(Wire.answer))
    await clock.move(0.19)
    assert not second.done()
    await clock.move(0.02)
    assert await second == "answer"


@pytest.mark.parametrize(
    ("error", "stays_open"), [(DeviceRefused("no"), True), (DeviceLost("silent"), True), (DeviceGarbled("?"), False)]
)
async def test_only_an_answer_that_is_none_closes_the_wire_at_once(error: Exception, stays_open: bool) -> None:  # noqa: FBT001 - a column of the table
    wire = Wire()
    bus = bus_on(wire)
    with pytest.raises(type(error)):
        await bus.exchange(lambda w: w.fail(error))
    assert wire.is_open is stays_open


async def test_a_second_silence_in_a_row_opens_the_wire_anew() -> None:
    wire = Wire()
    bus = bus_on(wire)
    for _ in range(2):
        with pytest.raises(DeviceLost):
            await bus.exchange(lambda w: w.fail(DeviceLost("silent")))
    assert not wire.is_open
    assert await bus.exchange(Wire.answer) == "answer"
    assert (bus.counts.openings, bus.counts.silent) == (2, 2)


async def test_an_exchange_that_is_cut_short_closes_the_wire() -> None:
    wire = Wire()
    bus = bus_on(wire)
    cut = asyncio.ensure_future(bus.exchange(Wire.answer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert not wire.is_open


async def test_a_line_that_cannot_be_opened_is_tried_once_per_wait() -> None:
    clock, wire = HandClock(), Wire(is_broken=True)
    bus = bus_on(wire, clock)
    for _ in range(5):
        with pytest.raises(DeviceLost, match="no such line"):
            await bus.exchange(Wire.answer)
    assert wire.openings == 1
    wire.is_broken = False
    await clock.move(1.0)
    assert await bus.exchange(Wire.answer) == "answer"


async def test_the_last_unit_that_leaves_closes_the_line() -> None:
    wire = Wire()
    bus = bus_on(wire)
    bus.join()
    bus.join()
    await bus.open()
    bus.leave()
    assert wire.is_open
    bus.leave()
    assert not wire.is_open


def test_units_that_want_one_line_with_different_settings_are_refused() -> None:
    buses: dict[str, ModbusBus] = {}
    modbus_driver(modbus_device("rtu:///dev/ttyS9?baudrate=9600", *words(0)), buses)
    with pytest.raises(DeviceError, match="ttyS9 with other settings"):
        modbus_driver(modbus_device("rtu:///dev/ttyS9?baudrate=19200", *words(0)), buses)


def test_waits_double_up_to_their_cap_and_begin_anew_after_an_answer() -> None:
    backoff = Backoff(1.0, 30.0, half)
    assert [backoff.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_s() == 1.0


class Taken:
    """A sink that keeps what it was given."""

    def __init__(self) -> None:
        self.blocks: list[ReadingBlock] = []

    def accept(self, block: ReadingBlock) -> None:
        self.blocks.append(block)


async def test_a_silent_unit_does_not_stop_the_others_of_its_line() -> None:
    memory = Memory()

    def only_unit_1(request: Request) -> bytes | None:
        return memory.respond(request) if request.unit == 1 else None

    async with serving(only_unit_1) as server:
        buses: dict[str, ModbusBus] = {}
        sinks, tasks = {1: Taken(), 2: Taken()}, []
        for unit, sink in sinks.items():
            settings = modbus_device(f"tcp://127.0.0.1:{server.port}", *words(*range(300)), unit=unit, timeout_s=0.1)
            polled = PolledDevice(f"unit-{unit}", {tag: PolledTag(0.005, Kind.INT) for tag in range(300)})
            driver = modbus_driver(settings, buses)
            poller = Poller(polled, driver, sink=sink, clock=SystemClock(), jitter=half, tell=lambda _: None)
            tasks.append(asyncio.ensure_future(poller.run()))
        await until(lambda: len(sinks[1].blocks) >= 100)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        asked = [request.unit for request in server.requests]
    assert asked.count(2) <= 3
    assert all(set(qualities(block).values()) == {Quality.GOOD} for block in sinks[1].blocks)
    assert [set(qualities(block).values()) for block in sinks[2].blocks] == [{Quality.DEVICE_LOST}]
