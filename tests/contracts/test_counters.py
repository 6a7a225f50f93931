"""What all Counters owe: one count for all who share them, in windows that begin with their first hit."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.ports import Counters, Hit
from cloud.storage.counters.file import FileCounters
from cloud.storage.counters.memory import MemoryCounters
from cloud.storage.counters.redis import RedisCounters
from tests.support.redis import RedisServer

NOW_US = 1_750_000_000_000_000
MINUTE_US = 60_000_000
Open = Callable[[Path, RedisServer], Counters]
KINDS: dict[str, Open] = {
    "memory": lambda _path, _server: MemoryCounters(),
    "file": lambda path, _server: FileCounters(path / "counters.db"),
    "redis": lambda _path, server: RedisCounters(server.patient_url),
}
SHARED = [name for name in KINDS if name != "memory"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest_asyncio.fixture(params=KINDS)
async def counters(request: pytest.FixtureRequest, tmp_path: Path, server: RedisServer) -> AsyncIterator[Counters]:
    opened = KINDS[request.param](tmp_path, server)
    yield opened
    await opened.close()


def a_key() -> str:
    return f"check_drift\n{uuid.uuid4()}"


async def test_hits_are_counted_from_one_and_the_window_ends_after_its_first(counters: Counters) -> None:
    key = a_key()
    hits = [await counters.hit(key, window_s=60, now_us=NOW_US + n * 1_000_000) for n in range(3)]
    assert hits == [Hit(n, NOW_US + MINUTE_US) for n in (1, 2, 3)]


async def test_the_last_moment_of_a_window_belongs_to_it_and_the_next_begins_another(counters: Counters) -> None:
    key = a_key()
    await counters.hit(key, window_s=60, now_us=NOW_US)
    assert await counters.hit(key, window_s=60, now_us=NOW_US + MINUTE_US - 1) == Hit(2, NOW_US + MINUTE_US)
    later = NOW_US + MINUTE_US
    assert await counters.hit(key, window_s=60, now_us=later) == Hit(1, later + MINUTE_US)
    assert await counters.hit(key, window_s=60, now_us=later) == Hit(2, later + MINUTE_US)


async def test_each_key_has_a_count_of_its_own(counters: Counters) -> None:
    one, other = a_key(), a_key()
    await counters.hit(one, window_s=60, now_us=NOW_US)
    assert (await counters.hit(other, window_s=3600, now_us=NOW_US)) == Hit(1, NOW_US + 60 * MINUTE_US)
    assert (await counters.hit(one, window_s=60, now_us=NOW_US)).count == 2


async def test_of_many_at_once_each_gets_a_count_of_its_own(counters: Counters) -> None:
    key = a_key()
    hits = await asyncio.gather(*(counters.hit(key, window_s=60, now_us=NOW_US) for _ in range(50)))
    assert sorted(hit.count for hit in hits) == list(range(1, 51))


@pytest.mark.parametrize("name", SHARED)
async def test_two_who_share_them_count_together(name: str, tmp_path: Path, server: RedisServer) -> None:
    one, other, key = KINDS[name](tmp_path, server), KINDS[name](tmp_path, server), a_key()
    hits = await asyncio.gather(
        *(counters.hit(key, window_s=60, now_us=NOW_US) for counters in (one, other) for _ in range(20))
    )
    await asyncio.gather(one.close(), other.close())
    assert sorted(hit.count for hit in hits) == list(range(1, 41))
