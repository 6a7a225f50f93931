"""Hub: what all live connections of one process share: the feed, readings, figures, and who may come in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from cloud.domain.api_key import Principal
from cloud.domain.scopes import Scope
from cloud.domain.times import to_text
from cloud.errors import CloudError, Unauthorized
from cloud.live.device_updates import DeviceUpdates
from cloud.live.events import SYSTEM_METRICS, LiveEvent
from cloud.live.feed import Client, Feed
from cloud.ports import Clock

METRICS_EVERY_S = 5.0
HEARTBEAT_S = 30.0
"""Between two pings; who answered neither of two is dropped."""
LARGEST_MESSAGE = 64 * 1024
"""In bytes; what is larger is never read."""
CHECKED_EVERY_S = 30.0
"""How often it is looked whether who is connected still may be."""
SENT_WITHIN_S = 20.0
"""How long one message may take to go out before the client is dropped."""
Admit = Callable[[HTTPConnection, str], Awaitable[Principal | None]]
"""Returns who connects with this token or without; None without a credential; raises Unauthorized, Unavailable."""
Figures = Callable[[], Awaitable[Mapping[str, object]]]
"""Returns the documented figures of the system; raises Unavailable."""
_SMOOTHING = 0.2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many may be connected by each protocol, and which pages of others may."""

    websockets: int = 100
    socketio: int = 500
    origins: Collection[str] = field(default_factory=tuple)


class Hub:
    """The live side of one process; lives in the event loop."""

    def __init__(
        self, clock: Clock, feed: Feed, updates: DeviceUpdates, admit: Admit, figures: Figures, bounds: Bounds
    ) -> None:
        self.clock = clock
        self.feed = feed
        self.admit = admit
        self.bounds = bounds
        self._figures = figures
        self._updates = updates
        self._ticking: asyncio.Task[None] | None = None
        self._response_ms = 0.0
        feed.on_first(self._start)

    @property
    def connections(self) -> int:
        """Return how many are connected to this process."""
        return len(tuple(self.feed.clients))

    def took(self, seconds: float) -> None:
        """Note how long an answer to a message took."""
        self._response_ms += _SMOOTHING * (1000 * seconds - self._response_ms)

    async def metrics(self) -> LiveEvent:
        """Return the figures as they are now; raise Unavailable."""
        data = {
            "timestamp": to_text(self.clock.now_us()),
            **await self._figures(),
            "active_connections": self.connections,
            "ws_response_time_ms": round(self._response_ms, 3),
        }
        return LiveEvent(SYSTEM_METRICS, data, Scope.SYSTEM_READ, key=SYSTEM_METRICS)

    async def until_unwelcome(self, connection: HTTPConnection, token: str, client: Client) -> str:
        """Return why a client may not stay any more, once that is so; its rights are renewed meanwhile."""
        while True:
            await asyncio.sleep(CHECKED_EVERY_S)
            try:
                principal = await self.admit(connection, token)
            except Unauthorized as error:
                return str(error)
            except CloudError:
                continue  # the records are away: that says nothing about the client
            if principal is None:
                return "the credential is gone"
            client.principal = principal

    def close(self) -> None:
        """End all readers."""
        if self._ticking is not None:
            self._ticking.cancel()
        self._updates.close()
        self.feed.close()

    def _start(self) -> None:
        self._updates.start()
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick(), name="system metrics")

    async def _tick(self) -> None:
        """Tell the figures as a supervised task, until nobody is connected."""
        while self.feed.clients:
            try:
                self.feed.tell_all([await self.metrics()])
            except CloudError as error:
                _log.warning("no figures of the system: %s", error)
            await asyncio.sleep(METRICS_EVERY_S)
