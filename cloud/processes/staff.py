"""Staff: gives each pool as many processes as the worker asks for, and says how many there are."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cloud.clock import SystemClock
from cloud.domain.pools import RunningPool
from cloud.storage.instances import Running, read_wanted, write_running

_LOOK_S = 0.5
_TELL_S = 5.0
_log = logging.getLogger(__name__)


class Crew(Protocol):
    """Who starts and ends processes; number: 2 is the first one beyond those that are always there."""

    def extras(self, pool: str) -> Sequence[int]:
        """Return the numbers of the further processes of a pool, rising."""

    def pools(self) -> dict[str, RunningPool]:
        """Return what there is of each pool that can grow."""

    def add(self, pool: str, number: int) -> None:
        """Start one more."""

    async def remove(self, pool: str, number: int) -> None:
        """End one in order."""


class Staff:
    """Looks for what is wanted in a directory, and tells there what there is."""

    def __init__(self, directory: Path, crew: Crew, clock: SystemClock) -> None:
        self._directory = directory
        self._crew = crew
        self._clock = clock
        self._told: dict[str, RunningPool] = {}
        self._told_s = -_TELL_S

    async def keep(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Bring every pool to the size that is wanted, and tell of it where it changed or some time went by."""
        wanted = read_wanted(self._directory)
        for pool in self._crew.pools():
            if pool in wanted:
                await self._resize(pool, wanted[pool])
        self.tell()

    def tell(self) -> None:
        """Say what there is."""
        pools, now_s = self._crew.pools(), self._clock.monotonic_s()
        if pools == self._told and now_s - self._told_s < _TELL_S:
            return
        self._told, self._told_s = pools, now_s
        with contextlib.suppress(OSError):  # a full disk: the worker sees that nobody tells
            write_running(self._directory, Running(self._clock.now_us(), pools))

    async def _resize(self, pool: str, wanted: int) -> None:
        extras = self._crew.extras(pool)
        for number in range(2, wanted + 1):
            if number not in extras:
                _log.info("one more process", extra={"pool": pool, "number": number})
                self._crew.add(pool, number)
        for number in sorted(extras, reverse=True):
            if number > wanted:
                _log.info("one process less", extra={"pool": pool, "number": number})
                await self._crew.remove(pool, number)
