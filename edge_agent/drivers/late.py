"""A Driver whose library is large: imported in a thread at the first opening, while the other Devices flow already."""

import asyncio
from collections.abc import Callable

from edge_agent.errors import DeviceLost
from edge_agent.ports import Deliver, Driver
from protocols.reading import ReadingBlock


class LateDriver:
    """The Driver port over one that `make` makes, which may take a second and is called once, in a thread."""

    def __init__(self, make: Callable[[], Driver]) -> None:
        self._make = make
        self._driver: Driver | None = None

    async def open(self) -> None:
        """Make the driver if there is none yet, and open it."""
        if self._driver is None:
            self._driver = await asyncio.to_thread(self._make)
        await self._driver.open()

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Read these tags once."""
        return await self._made().read(tags)

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Have changes delivered; return what must be polled."""
        return await self._made().subscribe(tags, deliver)

    async def write(self, tag: int, value: float | str) -> None:
        """Write one value."""
        await self._made().write(tag, value)

    async def close(self) -> None:
        """Disconnect, if anything was ever opened."""
        if self._driver is not None:
            await self._driver.close()

    def _made(self) -> Driver:
        if self._driver is None:
            raise DeviceLost("the device was never opened")
        return self._driver
