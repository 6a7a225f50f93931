"""Clock: time from outside, so that tests can own it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Owes a wall clock for the truth and a steady one for the ticks."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC, by the wall clock."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of the machine this runs on."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; not less than one turn of the loop."""
        await asyncio.sleep(seconds)
