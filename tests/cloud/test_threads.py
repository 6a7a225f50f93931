"""Blocking work in a bounded pool: one resource a thread, and an answer to too much."""

import asyncio
import threading

import pytest

from cloud.errors import Unavailable
from cloud.threads import Threads


class Resource:
    """Knows its thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


async def test_each_thread_has_a_resource_of_its_own_which_is_closed_at_the_end() -> None:
    made: list[Resource] = []

    def make() -> Resource:
        made.append(Resource())
        return made[-1]

    threads = Threads(make, count=3)
    barrier = threading.Barrier(3)

    def work(held: Resource) -> bool:
        barrier.wait(10)
        return held.thread == threading.get_ident()

    assert await asyncio.gather(*(threads.run(work) for _ in range(6))) == [True] * 6
    threads.close()
    assert len(made) == 3
    assert all(resource.is_closed for resource in made)


async def test_more_than_may_wait_is_refused_and_later_work_is_welcome() -> None:
    threads = Threads(Resource, count=1, waiting=2)
    go = threading.Event()
    busy = [asyncio.create_task(threads.run(lambda _: go.wait(10))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too many"):
        await threads.run(lambda _: None)
    go.set()
    assert await asyncio.gather(*busy) == [True, True]
    assert await threads.run(lambda _: 7) == 7
    threads.close()


async def test_what_cannot_be_made_now_is_tried_again_the_next_time() -> None:
    tries = 0

    def make() -> Resource:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("not yet")
        return Resource()

    threads = Threads(make, count=1)
    with pytest.raises(Unavailable, match="not yet"):
        await threads.run(lambda _: 1)
    assert await threads.run(lambda _: 2) == 2
    threads.close()
