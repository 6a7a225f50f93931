"""Consumer: takes a share of what gateways send from the broker and hands it, many messages at once, to the writer.

One process owns the readings. What the others take off it is the conversation with the broker: packets are read, named
and gathered here, and a message is acknowledged to the broker only when the writer says that it is durable. A consumer
that dies loses nothing: gateways send again what was never acknowledged to them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cloud.errors import Unavailable
from cloud.ingest.door_messages import Handed
from cloud.ingest.link import Link
from cloud.ingest.remote import RemoteIntake
from cloud.sections.readings import MqttSettings
from protocols.errors import InvalidTopic
from protocols.topics import GatewayTopic, gateway_filter, parse_gateway

_log = logging.getLogger(__name__)
_MOST_WAITING = 1024
_MOST_AT_ONCE = 64
_MOST_BYTES = 4 * 1024 * 1024
_UNDER_WAY = 4
"""Groups handed at the same time: while one is written the next is on its way."""
_RETRY_S = 0.5
_LAST_S = 5.0
"""For so long after its end a consumer tries to hand on what it has; gateways send the rest again."""
_PARTS = {GatewayTopic.DATA: False, GatewayTopic.HELLO: True}


class _Waiting(NamedTuple):
    message: Handed
    done: Callable[[], None]


class Consumer:
    """For one event loop; name: of this process among the broker's clients."""

    def __init__(self, settings: MqttSettings, password: str, door: Path, *, name: str) -> None:
        self._intake = RemoteIntake(door, timeout_s=30.0)
        self._waiting: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._is_closing = False
        self._loop = asyncio.get_running_loop()
        filters = [gateway_filter(part, share=settings.share) for part in _PARTS]
        self._link = Link(settings, password, name=name, kept=False, filters=filters, receive=self._receive)

    @property
    def is_connected(self) -> bool:
        """Return whether the broker is there."""
        return self._link.is_connected

    async def run(self, stop: asyncio.Event) -> None:
        """Hand on until told to stop; what was taken by then is handed on first."""
        handing = [asyncio.create_task(self._hand_on(), name=f"hand on {index}") for index in range(_UNDER_WAY)]
        self._link.start()
        try:
            await stop.wait()
        finally:
            await asyncio.to_thread(self._link.stop)
            self._is_closing = True
            self._news.set()
            _, late = await asyncio.wait(handing, timeout=_LAST_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*handing, return_exceptions=True)
            await self._intake.close()

    def _receive(self, topic: str, payload: bytes, _: bool, done: Callable[[], None]) -> bool:  # noqa: FBT001 the form of Receive
        """Take one message; in the link's thread."""
        try:
            gateway, part = parse_gateway(topic)
        except InvalidTopic:
            done()
            return True
        if part not in _PARTS:
            done()
            return True
        if len(self._waiting) >= _MOST_WAITING:
            return False
        self._waiting.append(_Waiting(Handed(gateway, payload, _PARTS[part]), done))
        self._loop.call_soon_threadsafe(self._news.set)
        return True

    async def _hand_on(self) -> None:
        while True:
            group = self._next_group()
            if not group:
                if self._is_closing:
                    return
                self._news.clear()
                await self._news.wait()
                continue
            await self._hand(group)

    async def _hand(self, group: list[_Waiting]) -> None:
        is_known_away = False
        while True:
            try:
                await self._intake.hand([one.message for one in group])
                break
            except Unavailable as error:
                if not is_known_away:
                    _log.warning("messages cannot be handed on: %s", error)
                is_known_away = True
                await asyncio.sleep(_RETRY_S)
        for one in group:
            one.done()

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < _MOST_AT_ONCE and size < _MOST_BYTES:
            group.append(self._waiting.popleft())
            size += len(group[-1].message.payload)
        return group
