"""A driver that is made late: once, in a thread, and only where the Device is opened."""

import threading

import pytest

from edge_agent.drivers.late import LateDriver
from edge_agent.drivers.memory import MemoryDriver
from edge_agent.errors import DeviceLost
from edge_agent.ports import Driver
from tests.support.drivers import HandClock


class Maker:
    """Makes memory drivers and remembers in which threads."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def __call__(self) -> Driver:
        self.threads.append(threading.get_ident())
        return MemoryDriver({3: 1.5}, clock=HandClock())


async def test_the_driver_is_made_once_and_in_another_thread() -> None:
    make = Maker()
    driver = LateDriver(make)
    assert make.threads == []
    await driver.open()
    await driver.close()
    await driver.open()
    assert len(make.threads) == 1
    assert make.threads[0] != threading.get_ident()


async def test_whatever_is_asked_of_it_the_driver_that_was_made_answers() -> None:
    driver = LateDriver(Maker())
    await driver.open()
    await driver.write(3, 7.0)
    assert (await driver.read((3,))).columns[0].value.tolist() == [7.0]
    assert await driver.subscribe((3,), lambda _: None) == (3,)


async def test_reading_before_the_first_opening_says_that_the_device_is_lost() -> None:
    with pytest.raises(DeviceLost, match="never opened"):
        await LateDriver(Maker()).read((3,))


async def test_closing_before_the_first_opening_makes_no_driver() -> None:
    make = Maker()
    await LateDriver(make).close()
    assert make.threads == []
