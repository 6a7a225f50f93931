"""What every driver owes, whatever it speaks."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import ua

from edge_agent.config.devices import OpcuaDevice, OpcuaTag, ReplayDevice, ReplayTag
from edge_agent.drivers.memory import MemoryDriver
from edge_agent.drivers.opcua import OpcuaDriver
from edge_agent.drivers.replay import ReplayDriver
from edge_agent.errors import DeviceError, DeviceLost
from edge_agent.ports import Driver
from edge_agent.wiring.site import SystemClock
from protocols.reading import Quality, ReadingBlock
from tests.support.drivers import modbus_device, modbus_driver, qualities, values, words
from tests.support.modbus_server import Memory, RawServer
from tests.support.opcua_server import OpcuaTestServer
from tests.support.waiting import DEADLINE_S, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Plant:
    """A driver, what its Device holds, and how to take the Device away.

    holds: good tags and their values; broken: a tag that cannot be read; writable: a tag that can be set, if any;
    older_us: how old a reading may be, because the Device itself says when its values began to hold.
    """

    driver: Driver
    holds: Mapping[int, float]
    broken: int
    writable: int | None
    go: Callable[[], AbstractAsyncContextManager[None]]
    older_us: int = 0


@asynccontextmanager
async def memory_plant(folder: Path) -> AsyncIterator[Plant]:
    del folder
    driver = MemoryDriver({0: 1.0, 1: 2.0}, clock=SystemClock(), tells_changes=True)

    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        driver.is_reachable = False
        yield
        driver.is_reachable = True

    yield Plant(driver, {0: 1.0, 1: 2.0}, broken=2, writable=1, go=gone)


@asynccontextmanager
async def modbus_plant(folder: Path) -> AsyncIterator[Plant]:
    del folder
    memory = Memory(illegal=frozenset({9}))
    memory.set_registers(0, [1, 2])
    server = RawServer(memory.respond)
    await server.start()
    port = server.port

    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        await server.stop()
        yield
        await server.start(port)

    driver = modbus_driver(modbus_device(f"tcp://127.0.0.1:{port}", *words(0, 1, 9)))
    yield Plant(driver, {0: 1, 1: 2}, broken=2, writable=1, go=gone)
    await server.stop()


@asynccontextmanager
async def replay_plant(folder: Path) -> AsyncIterator[Plant]:
    path = folder / "recording.csv.gz"

    def write() -> None:
        path.write_bytes(gzip.compress(b"at;a;b\n2020-01-01 00:00:00;1;2\n"))

    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        path.unlink()
        await driver.close()
        yield
        write()

    write()
    tags = (ReplayTag(name="a"), ReplayTag(name="b"), ReplayTag(name="missing"))
    driver = ReplayDriver(ReplayDevice(id="bench", file=path, tags=tags), first_tag=0, clock=SystemClock())
    yield Plant(driver, {0: 1.0, 1: 2.0}, broken=2, writable=None, go=gone)


@asynccontextmanager
async def opcua_plant(server: OpcuaTestServer, *, is_subscribed: bool) -> AsyncIterator[Plant]:
    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        await server.stop()
        yield
        await server.start()

    for name, value in (("a", 1.0), ("b", 2.0)):
        await server.set(name, ua.Variant(value, ua.VariantType.Double))
    tags = tuple(OpcuaTag(name=name, node=f"ns=2;s={name}") for name in ("a", "b", "missing"))
    device = OpcuaDevice(id="oven", url=server.url, tags=tags, subscribe=is_subscribed, timeout_s=2.0, period_s=0.05)
    driver = OpcuaDriver(device, first_tag=0, clock=SystemClock())
    yield Plant(driver, {0: 1.0, 1: 2.0}, broken=2, writable=1, go=gone, older_us=60_000_000)


PLANTS = {"memory": memory_plant, "modbus": modbus_plant, "replay": replay_plant}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opcua_server() -> AsyncIterator[OpcuaTestServer]:
    double = ua.VariantType.Double
    server = OpcuaTestServer({"a": ua.Variant(1.0, double), "b": ua.Variant(2.0, double)})
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module", params=[*PLANTS, "opcua", "opcua-polled"])
async def plant(request: pytest.FixtureRequest, tmp_path: Path, opcua_server: OpcuaTestServer) -> AsyncIterator[Plant]:
    is_opcua = request.param not in PLANTS
    opened = (
        opcua_plant(opcua_server, is_subscribed=request.param == "opcua")
        if is_opcua
        else PLANTS[request.param](tmp_path)
    )
    async with opened as made:
        yield made
        await made.driver.close()


async def lost_or_read(plant: Plant) -> ReadingBlock | None:
    try:
        await plant.driver.open()
        return await plant.driver.read((0, 1))
    except DeviceLost:
        return None


async def test_every_tag_asked_for_is_one_row(plant: Plant) -> None:
    await plant.driver.open()
    block = await plant.driver.read((1, 0))
    assert values(block) == dict(plant.holds)
    assert len(block) == 2
    assert set(qualities(block).values()) == {Quality.GOOD}


async def test_a_tag_that_cannot_be_read_is_a_bad_row_and_the_others_are_good(plant: Plant) -> None:
    await plant.driver.open()
    for _ in range(2):
        block = await plant.driver.read((0, 1, plant.broken))
        assert qualities(block)[plant.broken].is_bad
        assert values(block) == {**plant.holds, plant.broken: None}


async def test_the_time_of_a_reading_is_that_of_its_answer(plant: Plant) -> None:
    await plant.driver.open()
    before = SystemClock().now_us() - plant.older_us
    span = (await plant.driver.read((0, 1))).time_span_us()
    assert span is not None
    assert before <= span[0] <= span[1] <= SystemClock().now_us()


async def test_reading_no_tags_gives_no_rows(plant: Plant) -> None:
    await plant.driver.open()
    assert len(await plant.driver.read(())) == 0


async def test_a_device_that_is_gone_is_lost_and_the_same_driver_reads_it_when_it_is_back(plant: Plant) -> None:
    await plant.driver.open()
    await plant.driver.read((0, 1))
    async with plant.go():
        for _ in range(2):
            assert await lost_or_read(plant) is None
    block = None
    async with asyncio.timeout(DEADLINE_S):
        while block is None:
            await asyncio.sleep(0.02)
            block = await lost_or_read(plant)
    assert values(block) == dict(plant.holds)


async def test_a_device_that_was_never_there_is_lost_at_opening(plant: Plant) -> None:
    async with plant.go():
        with pytest.raises(DeviceLost):
            await plant.driver.open()


async def test_closing_is_safe_before_opening_and_twice(plant: Plant) -> None:
    await plant.driver.close()
    await plant.driver.open()
    await plant.driver.close()
    await plant.driver.close()


async def test_what_is_written_is_read_back_or_refused(plant: Plant) -> None:
    await plant.driver.open()
    if plant.writable is None:
        with pytest.raises(DeviceError):
            await plant.driver.write(0, 7)
        return
    await plant.driver.write(plant.writable, 7)
    assert values(await plant.driver.read((plant.writable,))) == {plant.writable: 7}


async def test_a_value_that_cannot_be_written_is_refused(plant: Plant) -> None:
    await plant.driver.open()
    with pytest.raises(DeviceError):
        await plant.driver.write(1, "no number at all")


async def test_a_subscription_delivers_what_it_does_not_leave_to_polling(plant: Plant) -> None:
    await plant.driver.open()
    delivered: dict[int, float | str | None] = {}
    left = await plant.driver.subscribe((0, 1), lambda block: delivered.update(values(block)))
    assert set(left) <= {0, 1}
    told = {tag: value for tag, value in plant.holds.items() if tag not in left}
    await until(lambda: delivered == told)
    written = plant.writable
    if written is not None and written in told:
        await plant.driver.write(written, 7)
        await until(lambda: delivered[written] == 7)
