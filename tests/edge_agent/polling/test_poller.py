"""The poller: on its grid, one word when the Device goes, one when it is back, and nothing queued."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge_agent.drivers.memory import MemoryDriver
from edge_agent.polling.poller import DeviceChange, PolledDevice, PolledTag, Poller, lost_block
from edge_agent.ports import Driver
from protocols.reading import Kind, Quality, ReadingBlock
from tests.support.drivers import HandClock, half, qualities, values


class Taken:
    """A sink and a listener that keep what they are told."""

    def __init__(self) -> None:
        self.blocks: list[ReadingBlock] = []
        self.changes: list[DeviceChange] = []

    def accept(self, block: ReadingBlock) -> None:
        self.blocks.append(block)

    def tell(self, change: DeviceChange) -> None:
        self.changes.append(change)

    def lost(self) -> list[ReadingBlock]:
        return [block for block in self.blocks if Quality.DEVICE_LOST in qualities(block).values()]


def poller_of(driver: Driver, clock: HandClock, taken: Taken, periods: dict[int, float]) -> Poller:
    tags = {tag: PolledTag(period_s, Kind.FLOAT) for tag, period_s in periods.items()}
    return Poller(PolledDevice("pump-1", tags), driver, sink=taken, clock=clock, jitter=half, tell=taken.tell)


@asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[None]:
    task = asyncio.ensure_future(poller.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_each_tag_is_read_at_its_own_period() -> None:
    clock, taken = HandClock(), Taken()
    poller = poller_of(MemoryDriver({0: 1.0, 1: 2.0}, clock=clock), clock, taken, {0: 1.0, 1: 0.5})
    async with running(poller):
        await clock.move(2.1)
    assert [sorted(values(block)) for block in taken.blocks] == [[0, 1], [1], [0, 1], [1], [0, 1]]
    assert (poller.counts.polls, poller.counts.readings, poller.counts.skipped) == (5, 8, 0)


class SlowDriver(MemoryDriver):
    """Takes its time for each read."""

    def __init__(self, clock: HandClock, read_s: float) -> None:
        super().__init__({0: 1.0}, clock=clock)
        self._clock = clock
        self._read_s = read_s

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        await self._clock.sleep(self._read_s)
        return await super().read(tags)


async def test_a_read_under_way_is_finished_and_kept_when_the_poller_is_stopped() -> None:
    clock, taken = HandClock(), Taken()
    poller = poller_of(SlowDriver(clock, 0.5), clock, taken, {0: 1.0})
    task = asyncio.ensure_future(poller.run())
    await clock.move(0.1)
    task.cancel()
    await clock.move(0.5)
    await asyncio.gather(task, return_exceptions=True)
    assert [values(block) for block in taken.blocks] == [{0: 1.0}]


async def test_polls_that_come_too_late_are_counted_and_skipped() -> None:
    clock, taken = HandClock(), Taken()
    poller = poller_of(SlowDriver(clock, 2.5), clock, taken, {0: 1.0})
    async with running(poller):
        await clock.move(12.0)
    assert poller.counts.polls == 4
    assert poller.counts.skipped == 6
    assert poller.counts.longest_read_s == pytest.approx(2.5)


async def test_a_device_that_goes_says_so_once_for_each_tag_and_once_when_it_is_back() -> None:
    clock, taken = HandClock(), Taken()
    driver = MemoryDriver({0: 1.0, 1: 2.0}, clock=clock)
    poller = poller_of(driver, clock, taken, {0: 1.0, 1: 1.0})
    async with running(poller):
        await clock.move(1.5)
        driver.is_reachable = False
        await clock.move(100.0)
        assert [qualities(block) for block in taken.lost()] == [dict.fromkeys((0, 1), Quality.DEVICE_LOST)]
        assert not poller.counts.is_reachable
        driver.is_reachable = True
        await clock.move(31.0)
        assert poller.counts.is_reachable
    assert [change.is_lost for change in taken.changes] == [True, False]
    assert taken.changes[0].reason == "the device does not answer"
    assert set(values(taken.blocks[-1]).values()) == {1.0, 2.0}


class CountingDriver(MemoryDriver):
    """Counts how often it is opened."""

    openings = 0

    async def open(self) -> None:
        self.openings += 1
        await super().open()


async def test_a_lost_device_is_probed_at_waits_that_double_up_to_half_a_minute() -> None:
    clock, taken = HandClock(), Taken()
    driver = CountingDriver({0: 1.0}, clock=clock)
    driver.is_reachable = False
    probes = []
    async with running(poller_of(driver, clock, taken, {0: 1.0})):
        for _ in range(200):
            before = driver.openings
            await clock.move(1.0)
            probes += [clock.monotonic_s()] * (driver.openings - before)
    assert probes == [1, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181]


async def test_times_rise_while_the_wall_clock_stands_still() -> None:
    clock, taken = HandClock(), Taken()
    async with running(poller_of(MemoryDriver({0: 1.0}, clock=clock), clock, taken, {0: 1.0})):
        for _ in range(5):
            clock.set_wall(1_700_000_000_000_000)
            await clock.move(1.0)
    times = [int(block.columns[0].time_us[0]) for block in taken.blocks]
    assert times == sorted(set(times))


async def test_changes_are_delivered_without_polling_and_the_device_is_still_watched() -> None:
    clock, taken = HandClock(), Taken()
    driver = MemoryDriver({0: 1.0}, clock=clock, tells_changes=True)
    poller = poller_of(driver, clock, taken, {0: 1.0})
    async with running(poller):
        await clock.move(3.0)
        await driver.write(0, 5.0)
        assert [values(block) for block in taken.blocks] == [{0: 1.0}, {0: 5.0}]
        assert poller.counts.polls == 0
        driver.is_reachable = False
        await clock.move(2.0)
        assert len(taken.lost()) == 1
        driver.is_reachable = True
        await clock.move(5.0)
        assert values(taken.blocks[-1]) == {0: 5.0}


async def test_as_fast_as_the_device_answers_leaves_others_their_turn() -> None:
    clock, taken = HandClock(), Taken()
    poller = poller_of(MemoryDriver({0: 1.0}, clock=clock), clock, taken, {0: 0.0})
    turns = 0
    async with running(poller):
        while poller.counts.polls < 10:
            await asyncio.sleep(0)
            turns += 1
    assert turns >= 10
    assert poller.counts.skipped == 0


class FaultyDriver(MemoryDriver):
    """Fails in a way nobody thought of."""

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        raise ZeroDivisionError(f"reading {tags}")


async def test_a_fault_nobody_thought_of_is_counted_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    clock, taken = HandClock(), Taken()
    poller = poller_of(FaultyDriver({0: 1.0}, clock=clock), clock, taken, {0: 1.0})
    with caplog.at_level(logging.ERROR):
        async with running(poller):
            await clock.move(4.0)
    assert poller.counts.failures >= 2
    assert "pump-1" in caplog.text
    assert len(taken.lost()) == 1


def test_a_lost_block_has_one_row_of_each_tags_own_kind() -> None:
    kinds = {3: Kind.FLOAT, 4: Kind.INT, 5: Kind.UINT, 6: Kind.BOOL, 7: Kind.TEXT}
    block = lost_block(kinds, 1)
    assert {int(c.tag[0]): c.kind for c in block.columns} == kinds
    assert values(block) == dict.fromkeys(kinds)
