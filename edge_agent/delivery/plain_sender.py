"""PlainSender: readings as plain JSON for a broker without a Lineside behind it; a PUBACK is all the safety there is.

Batches leave the buffer when the broker has acknowledged every message made of them: at least once, up to the
broker's own loss. Events and declarations have no plain form and are settled unsent.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from edge_agent.delivery.connection import Connection
from edge_agent.errors import BufferUnusable
from edge_agent.ports import AsyncBuffer, Clock, StoredBatch, Uplink
from protocols.batch import BatchKind, Key
from protocols.codec import Frame, open_data, open_tags, unpack
from protocols.delivery import Ack, EpochMarks
from protocols.errors import InvalidContent, ProtocolError
from protocols.plain_json import encode
from protocols.tag import TagTable

log = logging.getLogger(__name__)
_WINDOW = 8
_MESSAGES_IN_FLIGHT = 16
_RETRY_S = 1.0


class PlainSender:
    """Delivery with the broker's acknowledgement. topic: may hold `{device}` and `{gateway}`."""

    def __init__(
        self,
        *,
        uplink: Uplink,
        buffer: AsyncBuffer,
        clock: Clock,
        gateway: str,
        random: Callable[[], float],
        topic: str,
    ) -> None:
        self._uplink = uplink
        self._buffer = buffer
        self._clock = clock
        self._topic = topic.replace("{gateway}", gateway)
        self._news = asyncio.Event()
        self._tables: dict[str, TagTable] = {}
        self.connection = Connection(uplink=uplink, talk=self._talk, clock=clock, random=random)
        self.batches_sent = self.bytes_sent = self.messages_sent = self.readings_unsendable = 0

    def wake(self) -> None:
        """Look again what there is to send. Call it on the loop."""
        self._news.set()

    async def run(self) -> None:
        """Deliver for ever."""
        await self.connection.run()

    async def farewell(self) -> None:
        """Say nothing: a broker of somebody else's has no topic for it."""

    async def _talk(self) -> None:
        try:
            await self._send_on()
        except BufferUnusable as error:
            log.warning("delivery waits for the buffer: %s", error)
            await self._clock.sleep(_RETRY_S)

    async def _send_on(self) -> None:
        while True:
            self._news.clear()
            batches = await self._buffer.unacked(skip=frozenset(), limit=_WINDOW)
            for batch in batches:
                await self._send(batch)
            if batches:
                await self._settle([batch.key for batch in batches])
            else:
                await self._news.wait()

    async def _send(self, batch: StoredBatch) -> None:
        if batch.kind is not BatchKind.DATA:
            return
        waiting: list[asyncio.Task[None]] = []
        for topic, payload in await self._messages(batch):
            waiting.append(asyncio.create_task(self._uplink.publish_confirmed(topic, payload)))
            self.messages_sent += 1
            self.bytes_sent += len(payload)
            if len(waiting) >= _MESSAGES_IN_FLIGHT:
                await _all(waiting)
                waiting = []
        await _all(waiting)
        self.batches_sent += 1

    async def _messages(self, batch: StoredBatch) -> Sequence[tuple[str, bytes]]:
        try:
            frame = unpack(batch.frame)
            table = await self._table(frame)
            block = open_data(frame)
        except ProtocolError as error:
            self.readings_unsendable += batch.count
            log.warning("batch %d of epoch %d cannot be sent: %s", batch.key.seq, batch.key.epoch, error)
            return ()
        return [
            (self._topic.replace("{device}", device.id), payload)
            for device in table.devices
            for payload in encode(block, table, device.id)
        ]

    async def _table(self, frame: Frame) -> TagTable:
        name = frame.header.table
        if name not in self._tables:
            found = await self._buffer.tables([name])
            if not found:
                raise InvalidContent(f"the buffer has no tag table {name}")
            self._tables = {name: open_tags(unpack(found[0].frame))}
        return self._tables[name]

    async def _settle(self, keys: Sequence[Key]) -> None:
        epochs = dict.fromkeys(key.epoch for key in keys)
        marks = tuple(
            EpochMarks(epoch, 0, tuple((key.seq, key.seq) for key in keys if key.epoch == epoch)) for epoch in epochs
        )
        generation = (await self._buffer.standing()).generation
        await self._buffer.apply(Ack(generation, marks))


async def _all(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Wait for every task, then raise the first error."""
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
