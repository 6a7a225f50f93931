"""Feed: one reader a process that follows what happens and hands it to every client that may and wants to know.

A client costs no query. The reader looks at the highest number four times a second, which is one seek in an index on
SQLite and on PostgreSQL alike, and only while somebody is connected.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from cloud.domain.api_key import Principal
from cloud.domain.notice import Notice
from cloud.domain.scopes import Scope
from cloud.errors import CloudError
from cloud.live.events import REPLAY_GAP, LiveEvent, event_of
from cloud.live.mailbox import Mailbox
from cloud.live.rooms import Rooms
from cloud.live.source import Source
from cloud.live.turns import Turns

EVERY_S = 0.25
_AT_ONCE = 100
"""Fewer than a mailbox holds: between two readings of a flood, those who listen take what came."""
MOST_REPLAYED = 5_000
_log = logging.getLogger(__name__)


class Client:
    """One that is connected: who it is, where it listens, what waits for it."""

    def __init__(self, principal: Principal, mailbox: Mailbox | None = None) -> None:
        self.principal = principal
        self.mailbox = mailbox or Mailbox()
        self.rooms = Rooms()
        self.turns = Turns()
        """When it is told the newest readings of which device."""

    def may(self, scope: Scope | None) -> bool:
        """Return whether it may be told what takes this scope."""
        return scope is None or self.principal.allows(scope)

    def tell(self, event: LiveEvent) -> None:
        """Hand it an event if it may and wants to know."""
        if self.may(event.scope) and self.rooms.holds(event):
            self.mailbox.put(event)


class Feed:
    """The clients of one process and the reader that serves them; lives in the event loop."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._clients: set[Client] = set()
        self._position: int | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed: list[Callable[[], None]] = []

    @property
    def clients(self) -> Iterable[Client]:
        """Return who is connected."""
        return tuple(self._clients)

    @property
    def position(self) -> int:
        """Return the number of the last notice that was handed on."""
        return self._position or 0

    def on_first(self, start: Callable[[], None]) -> None:
        """Call this whenever somebody comes, so that other sources of events begin with the first client."""
        self._changed.append(start)

    async def join(self, client: Client, *, replays: bool = False) -> None:
        """Let a client hear what happens once this returned; raise Unavailable.

        replays: it asks for older events next, and what is new waits until they came.
        """
        if self._position is None:
            newest = await self._source.newest()
            self._position = newest if self._position is None else self._position
        if replays:
            client.mailbox.hold()
        self._clients.add(client)
        self._start()

    async def replay(self, client: Client, since: int) -> None:
        """Tell a client that joined what happened after a number, before what happens now; raise Unavailable."""
        client.mailbox.hold()
        try:
            await self._replay(client, since, self.position)
        finally:
            client.mailbox.release()

    def leave(self, client: Client) -> None:
        """Forget a client; without any the reader rests."""
        self._clients.discard(client)
        if not self._clients:
            self._stop()

    def tell_all(self, events: Sequence[LiveEvent]) -> None:
        """Hand events to everybody who may and wants to know."""
        for event in events:
            for client in self._clients:
                client.tell(event)

    def close(self) -> None:
        """Read no more."""
        self._stop()

    def _start(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="live feed")
        for start in self._changed:
            start()

    def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading, self._position = None, None

    async def _read(self) -> None:
        """Follow the notices as a supervised task: where the records are away it tries again."""
        trouble = ""
        while True:
            has_more = False
            try:
                notices = await self._source.notices(self.position, _AT_ONCE)
                self._hand_on(notices)
                has_more, trouble = len(notices) == _AT_ONCE, ""
            except CloudError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    _log.warning("live feeds wait: %s", error)
            await asyncio.sleep(0 if has_more else EVERY_S)

    def _hand_on(self, notices: Sequence[Notice]) -> None:
        self.tell_all([event_of(notice) for notice in notices])
        if notices:
            self._position = notices[-1].sequence

    async def _replay(self, client: Client, since: int, until: int) -> None:
        oldest = await self._source.oldest()
        first = max(since, until - MOST_REPLAYED, (oldest or until + 1) - 1)
        if first > since or since > until:
            gap = {"since": since, "replayed_from": min(first, until), "seq": until}
            client.mailbox.put_first(LiveEvent(REPLAY_GAP, gap))
        while first < until:
            notices = await self._source.notices(first, _AT_ONCE)
            due = [notice for notice in notices if notice.sequence <= until]
            for event in map(event_of, due):
                await client.mailbox.has_room()
                if client.may(event.scope) and client.rooms.holds(event):
                    client.mailbox.put_first(event)
            if not due or client.mailbox.is_over:
                return
            first = due[-1].sequence
