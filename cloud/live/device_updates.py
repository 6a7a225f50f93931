"""DeviceUpdates: the newest readings of devices that somebody listens to, read once for all who do.

While somebody listens it is looked often whether the store took anything, which costs next to nothing, so a reading is
told soon after it is durable. Each client has its own rates, and who is slow is told the newest once it listens again.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import Event

from cloud.domain.scopes import Scope
from cloud.errors import CloudError
from cloud.live.events import DEVICE_UPDATES, LiveEvent
from cloud.live.feed import Client, Feed
from cloud.live.newest import Newest, NewestReadings, Plant
from cloud.operations.registry import Registry
from cloud.ports import Clock
from cloud.services import Views
from cloud.threads import Threads

FAST_LOOK_S, SLOW_LOOK_S = 0.02, 0.1
"""Between two looks where somebody wants readings more often than twice a second, and where nobody does."""
_FAST_INTERVAL_S = 0.5
_REST_SHARE = 4.0
"""At least so many times as long as a look took it rests, however much there is to read."""
MOST_TOGETHER = 200
"""So many devices are told of in one message; others come in the next one."""
_PATIENCE_S = 0.1
_log = logging.getLogger(__name__)


class DeviceUpdates:
    """Reads for one feed while somebody listens to a device; lives in the event loop.

    threads: of its own, since it stays in one while it waits for readings.
    """

    def __init__(self, feed: Feed, threads: Threads[Views], registry: Registry, clock: Clock) -> None:
        self._feed = feed
        self._threads = threads
        self._clock = clock
        self._closing = Event()
        self._task: asyncio.Task[None] | None = None
        self._newest = NewestReadings(registry)
        self._plant = Plant()
        self._seen: Mapping[Client, int] = {}
        """The version of the rooms of each who listens."""
        self._wanted: Collection[int] = ()

    def start(self) -> None:
        """Begin unless it goes on already."""
        self._closing.clear()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="device updates")

    def close(self) -> None:
        """End it."""
        self._closing.set()
        if self._task is not None:
            self._task.cancel()
        self._task = None

    async def _run(self) -> None:
        """Look as a supervised task, until nobody is connected: where the store is away it tries again."""
        trouble, rest_s = "", SLOW_LOOK_S
        while self._feed.clients:
            try:
                rest_s = await self._look()
                trouble = ""
            except CloudError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    _log.warning("live readings wait: %s", error)
            await asyncio.sleep(rest_s)
        self._follow(())

    async def _look(self) -> float:
        """Tell what is new and return how long to rest after that, in seconds."""
        listeners = [client for client in self._feed.clients if _listens(client)]
        self._follow(listeners)
        if not listeners:
            return SLOW_LOOK_S
        wanted, patience_s = self._wanted, self._patience_s(listeners)
        changed, rest_s = await self._threads.run(lambda views: self._watch(views, wanted, patience_s))
        self._tell(listeners, changed, self._clock.monotonic_s())
        if self._plant is not self._newest.plant:
            return 0.0
        return rest_s if _is_hasty(listeners) else max(SLOW_LOOK_S, rest_s)

    def _patience_s(self, listeners: Sequence[Client]) -> float:
        """Return how long to stay in the thread while nothing comes, which costs less than to come back each time."""
        if not _is_hasty(listeners):
            return 0.0
        return min(_PATIENCE_S, min(client.turns.next_s for client in listeners) - self._clock.monotonic_s())

    def _watch(self, views: Views, wanted: Collection[int], patience_s: float) -> tuple[Sequence[int], float]:
        """Look until something came or so long; return what changed, and how long to rest before the next look."""
        end_s = self._clock.monotonic_s() + patience_s
        while True:
            begun_s = self._clock.monotonic_s()
            changed = self._newest.look(views.store, wanted)
            now_s = self._clock.monotonic_s()
            rest_s = max(FAST_LOOK_S, _REST_SHARE * (now_s - begun_s))
            if changed or now_s + rest_s > end_s or self._closing.wait(rest_s):
                return changed, rest_s

    def _follow(self, listeners: Sequence[Client]) -> None:
        """Take over who listens to what, where that or the plant is another than it was."""
        seen = {client: client.rooms.version for client in listeners}
        if seen == self._seen and self._plant is self._newest.plant:
            return
        self._seen, self._plant = seen, self._newest.plant
        for client in listeners:
            client.turns.follow(_intervals_s(self._plant, client))
        self._wanted = frozenset().union(*(client.turns.interval_s for client in listeners))

    def _tell(self, listeners: Iterable[Client], changed: Sequence[int], now_s: float) -> None:
        made: dict[tuple[int, ...], LiveEvent] = {}
        for client in listeners:
            client.turns.changed(changed)
            if client.rooms.is_together:
                self._tell_together(client, now_s, made)
            else:
                for one in self._due(client, now_s, client.mailbox.room):
                    client.mailbox.put(one.event)

    def _tell_together(self, client: Client, now_s: float, made: dict[tuple[int, ...], LiveEvent]) -> None:
        if client.mailbox.holds(DEVICE_UPDATES) or not client.mailbox.room:
            return
        found = self._due(client, now_s, MOST_TOGETHER)
        if found:
            devices = tuple(one.device.id for one in found)
            if devices not in made:
                data = {"devices": [one.data for one in found]}
                made[devices] = LiveEvent(DEVICE_UPDATES, data, Scope.DATA_READ, key=DEVICE_UPDATES)
            client.mailbox.put(made[devices])

    def _due(self, client: Client, now_s: float, most: int) -> Sequence[Newest]:
        devices = client.turns.take(now_s, most)
        return [self._newest.of[device] for device in devices if device in self._newest.of]


def _is_hasty(listeners: Iterable[Client]) -> bool:
    return any(client.turns.shortest_s < _FAST_INTERVAL_S for client in listeners)


def _listens(client: Client) -> bool:
    return bool(client.rooms.devices or client.rooms.gateways) and client.may(Scope.DATA_READ)


def _intervals_s(plant: Plant, client: Client) -> Mapping[int, float]:
    """Return how long lies between two tellings of each device that a client wants to hear of."""
    named = [plant.by_name[name] for name in client.rooms.devices if name in plant.by_name]
    of_gateways = [device for name in client.rooms.gateways for device in plant.by_gateway.get(name, ())]
    return {one.id: 1.0 / client.rooms.rate_hz(one.shown_id, one.source) for one in (*named, *of_gateways)}
