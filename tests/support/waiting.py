"""Waiting for a condition with a deadline, in threads and on an event loop."""

import asyncio
import time
from collections.abc import Callable

DEADLINE_S = 60.0
"""Long enough for processes that start on a busy machine: it costs nothing where the condition comes."""


def wait_until(condition: Callable[[], object], *, deadline_s: float = DEADLINE_S, every_s: float = 0.005) -> None:
    """Return once the condition holds, looking so often; raise AssertionError after the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {condition}"
        time.sleep(every_s)


async def until(condition: Callable[[], object], *, deadline_s: float = DEADLINE_S) -> None:
    """Return once the condition holds, letting the loop run; raise AssertionError after the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {condition}"
        await asyncio.sleep(0.005)
