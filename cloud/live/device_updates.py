"""DeviceUpdates: the newest readings of devices that somebody listens to, read once for all who do.

Once a second for each, up to ten times for those who asked for that; what a client knows is not told it again.
"""

import asyncio
import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cloud.domain.device import Device
from cloud.domain.scopes import Scope
from cloud.domain.times import to_text
from cloud.errors import CloudError
from cloud.live.events import DEVICE_UPDATE, LiveEvent
from cloud.live.feed import Client, Feed
from cloud.operations.registry import Registry
from cloud.ports import Points, Series
from cloud.services import Views
from cloud.threads import Threads
from protocols.reading import Kind, Quality

TICK_S = 0.1
_TICKS_A_SECOND = 10
_SERIES_EVERY_TICKS = 100
MOST_DEVICES = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest readings of one device; at_us: the highest of their times."""

    device: Device
    at_us: int
    values: Mapping[str, float | int | bool | str | None]
    quality: Mapping[str, str]

    def event(self) -> LiveEvent:
        """Return what clients are told."""
        data = {
            "device_id": self.device.shown_id,
            "gateway_id": self.device.source,
            "timestamp": to_text(self.at_us),
            "values": dict(self.values),
            "quality": dict(self.quality),
        }
        shown = self.device.shown_id
        return LiveEvent(
            DEVICE_UPDATE, data, Scope.DATA_READ, key=f"device {shown}", device=shown, gateway=self.device.source
        )


class DeviceUpdates:
    """Reads for one feed while somebody listens to a device; lives in the event loop."""

    def __init__(self, feed: Feed, threads: Threads[Views], registry: Registry) -> None:
        self._feed = feed
        self._threads = threads
        self._registry = registry
        self._task: asyncio.Task[None] | None = None
        self._series: Mapping[tuple[str, str], Sequence[Series]] = {}
        self._devices: Sequence[Device] = ()
        self._tick = 0

    def start(self) -> None:
        """Begin unless it goes on already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="device updates")

    def close(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    async def _run(self) -> None:
        """Tick as a supervised task, until nobody is connected: where the store is away it tries again."""
        trouble = ""
        while self._feed.clients:
            try:
                await self._look()
                trouble = ""
            except CloudError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    _log.warning("live readings wait: %s", error)
            self._tick += 1
            await asyncio.sleep(TICK_S)

    async def _look(self) -> None:
        listeners = [client for client in self._feed.clients if _listens(client)]
        if not listeners:
            return
        if not self._series or self._tick % _SERIES_EVERY_TICKS == 0:
            self._devices, self._series = await self._threads.run(self._learn)
        wanted = [device for device in self._devices if any(self._is_due(device, client) for client in listeners)]
        if not wanted:
            return
        newest = await self._threads.run(lambda views: self._read(views, wanted[:MOST_DEVICES]))
        for one in newest:
            for client in listeners:
                self._tell(one, client)

    def _tell(self, one: Newest, client: Client) -> None:
        if client.told.get(one.device.id) != one.at_us and self._is_due(one.device, client):
            client.told[one.device.id] = one.at_us
            client.tell(one.event())

    def _is_due(self, device: Device, client: Client) -> bool:
        rate_hz = client.rooms.rate_hz(device.shown_id, device.source)
        return rate_hz > 0 and self._tick % round(_TICKS_A_SECOND / rate_hz) == 0

    def _learn(self, views: Views) -> tuple[Sequence[Device], Mapping[tuple[str, str], Sequence[Series]]]:
        found: dict[tuple[str, str], list[Series]] = {}
        for series in views.store.series():
            found.setdefault((series.key.source, series.key.device), []).append(series)
        return self._registry.all(views.store.devices), found

    def _read(self, views: Views, wanted: Collection[Device]) -> Sequence[Newest]:
        pairs = [(device, one) for device in wanted for one in self._series.get((device.source, device.device_id), ())]
        points = views.store.latest([series for _, series in pairs])
        by_device: dict[int, list[tuple[Series, Points]]] = {}
        for (device, series), newest in zip(pairs, points, strict=True):
            if len(newest.time_us):
                by_device.setdefault(device.id, []).append((series, newest))
        return [_newest(device, by_device[device.id]) for device in wanted if device.id in by_device]


def _listens(client: Client) -> bool:
    return bool(client.rooms.devices or client.rooms.gateways) and client.may(Scope.DATA_READ)


def _newest(device: Device, found: Sequence[tuple[Series, Points]]) -> Newest:
    return Newest(
        device,
        max(int(points.time_us[0]) for _, points in found),
        {series.key.tag: _value(points) for series, points in found},
        {series.key.tag: Quality(int(points.quality[0])).text for series, points in found},
    )


def _value(points: Points) -> float | int | bool | str | None:
    """Return the value as JSON has it: no NaN, no infinity, nothing where none was read."""
    if not Quality(int(points.quality[0])).has_value:
        return None
    value: float | int | bool | str = points.value[0].item()
    match points.kind:
        case Kind.TEXT:
            return points.texts[int(value)]
        case Kind.BOOL:
            return bool(value)
        case _:
            return value if not isinstance(value, float) or math.isfinite(value) else None
