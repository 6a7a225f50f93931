"""The memory driver: a Device that is only a dictionary, the model for all others."""

from collections.abc import Mapping

import numpy as np

from edge_agent.errors import DeviceError, DeviceLost
from edge_agent.ports import Clock, Deliver
from protocols.reading import Column, Kind, Quality, ReadingBlock


class MemoryDriver:
    """Holds numbers by tag index; a tag without one is a read error. Tells changes if told to."""

    def __init__(self, values: Mapping[int, float], *, clock: Clock, tells_changes: bool = False) -> None:
        self.is_reachable = True
        self._values = dict(values)
        self._clock = clock
        self._tells_changes = tells_changes
        self._subscribed: dict[int, Deliver] = {}
        self._is_open = False

    async def open(self) -> None:
        """Raise DeviceLost while it is not reachable."""
        self._check_reachable()
        self._is_open = True

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Return one row a tag."""
        self._check_reachable()
        if not self._is_open:
            raise DeviceLost("the device is not open")
        return self._block(tags)

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Deliver what these tags hold now, and each write from now on."""
        if not self._tells_changes:
            return tags
        self._subscribed |= dict.fromkeys(tags, deliver)
        deliver(self._block(tags))
        return ()

    async def write(self, tag: int, value: float | str) -> None:
        """Set a value that is there."""
        self._check_reachable()
        if tag not in self._values or isinstance(value, str):
            raise DeviceError(f"tag {tag} cannot be set to {value!r}")
        self._values[tag] = float(value)
        if tag in self._subscribed:
            self._subscribed[tag](self._block((tag,)))

    async def close(self) -> None:
        """Tell nothing any more."""
        self._is_open = False
        self._subscribed.clear()

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise DeviceLost("the device does not answer")

    def _block(self, tags: tuple[int, ...]) -> ReadingBlock:
        if not tags:
            return ReadingBlock()
        values = np.array([self._values.get(tag, np.nan) for tag in tags])
        quality = np.where(np.isnan(values), Quality.READ_ERROR, Quality.GOOD).astype(np.uint8)
        times = np.full(len(tags), self._clock.now_us(), np.int64)
        return ReadingBlock((Column(Kind.FLOAT, np.array(tags, np.uint32), times, values, quality),))
