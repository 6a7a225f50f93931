"""What callers of one moment share, and when it is made anew."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloud.errors import Unavailable
from cloud.operations.moments import Moments
from cloud.records.database import Records
from tests.support.cloud_clock import HandClock


def counting() -> Callable[[], bytes]:
    """Return what tells how often it was asked."""
    made: list[None] = []

    def make() -> bytes:
        made.append(None)
        return str(len(made)).encode()

    return make


def test_callers_of_one_moment_share_and_the_next_moment_is_made_anew(records: Records) -> None:
    clock, make = HandClock(), counting()
    moments = Moments(records, clock, age_s=1)
    assert [moments.shared("a", make) for _ in range(3)] == [b"1"] * 3
    clock.move(0.9)
    assert moments.shared("a", make) == b"1"
    assert moments.shared("b", make) == b"2"
    clock.move(0.2)
    assert moments.shared("a", make) == b"3"


def test_who_changed_something_sees_it_at_once(records: Records) -> None:
    make = counting()
    moments = Moments(records, HandClock(), age_s=1)
    moments.shared("a", make)
    with records.writing():
        pass
    assert [moments.shared("a", make) for _ in range(2)] == [b"2"] * 2


def test_what_is_only_counted_leaves_what_is_shared_as_it_is(records: Records) -> None:
    make = counting()
    moments = Moments(records, HandClock(), age_s=1)
    moments.shared("a", make)
    with records.writing(is_change=False):
        pass
    assert moments.shared("a", make) == b"1"


def test_nobody_shares_where_the_moment_is_set_to_nothing(records: Records) -> None:
    make = counting()
    moments = Moments(records, HandClock(), age_s=0)
    assert [moments.shared("a", make) for _ in range(2)] == [b"1", b"2"]


def test_a_failure_is_nobodys_but_its_own(records: Records) -> None:
    def fail() -> bytes:
        raise LookupError("away")

    moments = Moments(records, HandClock(), age_s=1)
    with pytest.raises(LookupError):
        moments.shared("a", fail)
    assert moments.shared("a", lambda: b"well") == b"well"


def test_those_who_come_while_it_is_made_wait_for_it(records: Records) -> None:
    moments, come, made = Moments(records, HandClock(), age_s=1), threading.Event(), list[None]()

    def make() -> bytes:
        made.append(None)
        assert come.wait(10)
        return b"whole"

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(moments.shared, "a", make) for _ in range(4)]
        come.set()
        assert [one.result(10) for one in asked] == [b"whole"] * 4
    assert len(made) == 1


async def test_on_the_event_loop_those_who_come_while_it_is_made_wait_for_it_too(records: Records) -> None:
    moments, made = Moments(records, HandClock(), age_s=1), list[None]()

    async def make() -> str:
        made.append(None)
        await asyncio.sleep(0)
        return "whole"

    assert await asyncio.gather(*(moments.awaited("a", make) for _ in range(4))) == ["whole"] * 4
    assert len(made) == 1
    with records.writing():
        pass
    await moments.awaited("a", make)
    assert len(made) == 2


async def test_who_asks_often_never_waits_for_the_next_moment(records: Records) -> None:
    clock, may_end, made = HandClock(), asyncio.Event(), list[int]()
    may_end.set()

    async def make() -> int:
        made.append(len(made))
        number = made[-1]
        await may_end.wait()
        return number

    moments = Moments(records, clock, age_s=1)
    assert await moments.awaited("a", make) == 0
    may_end.clear()
    clock.move(0.7)
    assert [await moments.awaited("a", make) for _ in range(3)] == [0] * 3
    await asyncio.sleep(0)
    assert made == [0]
    clock.move(0.1)
    assert [await moments.awaited("a", make) for _ in range(3)] == [0] * 3
    await asyncio.sleep(0)
    assert await moments.awaited("a", make) == 0
    assert made == [0, 1]
    may_end.set()
    for _ in range(5):
        await asyncio.sleep(0)
    clock.move(0.6)
    assert await moments.awaited("a", make) == 1


async def test_the_longer_it_takes_the_sooner_the_next_moment_is_made(records: Records) -> None:
    clock, made = HandClock(), list[int]()

    async def make() -> int:
        made.append(len(made))
        clock.move(0.2)
        return made[-1]

    moments = Moments(records, clock, age_s=1)
    assert await moments.awaited("a", make) == 0
    clock.move(0.3)
    assert await moments.awaited("a", make) == 0
    await asyncio.sleep(0)
    assert made == [0]
    clock.move(0.15)
    assert await moments.awaited("a", make) == 0
    for _ in range(5):
        await asyncio.sleep(0)
    assert made == [0, 1]
    assert await moments.awaited("a", make) == 1


async def test_a_next_moment_that_cannot_be_made_is_told_to_who_asks_after_this_one(records: Records) -> None:
    clock, is_away = HandClock(), asyncio.Event()

    async def make() -> str:
        if is_away.is_set():
            raise Unavailable("away")
        return "well"

    moments = Moments(records, clock, age_s=1)
    await moments.awaited("a", make)
    is_away.set()
    clock.move(0.8)
    for _ in range(5):
        assert await moments.awaited("a", make) == "well"
        await asyncio.sleep(0)
    clock.move(0.6)
    with pytest.raises(Unavailable):
        await moments.awaited("a", make)
    is_away.clear()
    assert await moments.awaited("a", make) == "well"
