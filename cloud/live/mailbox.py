"""Mailbox: what waits for one client, with a bound and an answer to "full".

First the newest of what replaces itself stays and older ones go, such as readings of one device; where that is not
enough, a client that lost something would not know it, so it is dropped and told why, and replays when it comes back.
"""

import asyncio
from collections import OrderedDict

from cloud.live.events import LiveEvent

MOST_WAITING = 256
TOO_SLOW = "too slow: what happened meanwhile is replayed when you come back"


class Mailbox:
    """The events of one client, in order; one task takes them."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: OrderedDict[str, LiveEvent] = OrderedDict()
        self._held: list[LiveEvent] | None = None
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._number = 0
        self.is_over = False
        """Whether something that may not be lost had no room."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def room(self) -> int:
        """Return how much of what can wait elsewhere may be put in; half of the room is for what cannot."""
        return 0 if self._held is not None else max(0, self._most // 2 - len(self._waiting))

    def holds(self, key: str) -> bool:
        """Return whether an event of this key waits."""
        return key in self._waiting

    def put(self, event: LiveEvent) -> None:
        """Keep an event until it is taken; never waits."""
        if self._held is None:
            self._keep(event)
        elif len(self._held) < self._most:
            self._held.append(event)
        else:
            self._overflow()

    def hold(self) -> None:
        """Keep back what comes from now on, until `release`, so that older events go first."""
        self._held = self._held or []

    def put_first(self, event: LiveEvent) -> None:
        """Keep an event before all that is held back."""
        self._keep(event)

    def release(self) -> None:
        """Let go on what was held back."""
        held, self._held = self._held or [], None
        for event in held:
            self._keep(event)

    def end(self) -> None:
        """Give nothing more: the client is to be dropped."""
        self._overflow()

    async def take(self) -> LiveEvent | None:
        """Return the next event, once there is one; None where the client is to be dropped."""
        while not self._waiting and not self.is_over:
            self._news.clear()
            await self._news.wait()
        if self.is_over:
            return None
        self._taken.set()
        return self._waiting.popitem(last=False)[1]

    async def has_room(self) -> None:
        """Return once at least half of the room is free, or the client is to be dropped."""
        while len(self._waiting) > self._most // 2 and not self.is_over:
            self._taken.clear()
            await self._taken.wait()

    def _keep(self, event: LiveEvent) -> None:
        if event.key and event.key in self._waiting:
            self._waiting[event.key] = event
            return
        if len(self._waiting) >= self._most and not self._make_room():
            self._overflow()
            return
        self._number += 1
        self._waiting[event.key or f"#{self._number}"] = event
        self._news.set()

    def _make_room(self) -> bool:
        stale = next((key for key in self._waiting if not key.startswith("#")), None)
        if stale is None:
            return False
        del self._waiting[stale]
        return True

    def _overflow(self) -> None:
        self.is_over = True
        self._news.set()
        self._taken.set()
