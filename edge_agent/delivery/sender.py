"""Sender: brings batches from the buffer to the cloud's store and its acks back; the outbox decides, this does.

One loop applies acks and sends, in turns, so that nothing is sent by marks that are about to change.
"""

import asyncio
import logging
from collections.abc import Callable

from edge_agent.delivery.connection import Connection
from edge_agent.delivery.inbox import Inbox
from edge_agent.delivery.outbox import HELLO_S, Meaning, Outbox
from edge_agent.delivery.presence import Identity, Presence
from edge_agent.errors import BufferUnusable, UplinkLost
from edge_agent.ports import AsyncBuffer, BufferStanding, Clock, Uplink
from protocols.delivery import Ack, Hello, encode
from protocols.topics import GatewayTopic, gateway_topic

log = logging.getLogger(__name__)
_RETRY_S = 1.0
_HELLO_SOON_S = 0.5
_HELLO_LATER_S = 15.0
_TABLE_AGAIN_S = 5.0
_EPOCHS_IN_HELLO = 1024
_MAX_NONCE = 1 << 53

Record = Callable[[str, dict[str, str | int | float | bool]], None]
"""Takes the name and the detail of an event."""


class Sender:
    """Delivery with the store's acknowledgement. random: 0 <= x < 1, for jitter and nonces."""

    def __init__(
        self,
        *,
        uplink: Uplink,
        buffer: AsyncBuffer,
        clock: Clock,
        identity: Identity,
        random: Callable[[], float],
        record: Record,
    ) -> None:
        self._uplink = uplink
        self._buffer = buffer
        self._clock = clock
        self._identity = identity
        self._random = random
        self._record = record
        self._news = asyncio.Event()
        self._presence = Presence(uplink=uplink, buffer=buffer, clock=clock, identity=identity)
        self._table_sent_s: dict[str, float] = {}
        self._generation = 0
        self._hello_again_s = self._begun_s = 0.0
        self.inbox = Inbox(self.wake)
        self.outbox = Outbox(random=random)
        self.connection = Connection(uplink=uplink, talk=self._talk, clock=clock, random=random)
        self.batches_sent = self.bytes_sent = self.acks = 0
        uplink.listen(self._topic(GatewayTopic.ACK), self.inbox.receive)

    def wake(self) -> None:
        """Look again what there is to do: a batch was stored, or an ack came. Call it on the loop."""
        self._news.set()

    async def run(self) -> None:
        """Deliver for ever."""
        await self._presence.become_ready()
        await self.connection.run()

    async def farewell(self) -> None:
        """Say that the gateway goes offline on purpose, if there is a connection."""
        try:
            await self._presence.publish(online=False)
        except (UplinkLost, BufferUnusable) as error:
            log.info("could not say goodbye: %s", error)

    async def _talk(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._presence.run(), name="presence")
                tasks.create_task(self._converse(), name="conversation")
        except* BufferUnusable as group:
            log.warning("delivery waits for the buffer: %s", group.exceptions[0])
            await self._clock.sleep(_RETRY_S)
        except* UplinkLost as group:
            raise UplinkLost(str(group.exceptions[0])) from group

    async def _converse(self) -> None:
        nonce = int(self._random() * _MAX_NONCE)
        self._begun_s = self._now_s()
        self.outbox.connected(nonce, await self._say_hello(nonce), self._begun_s)
        while True:
            self._news.clear()
            await self._take_acks()
            self.outbox.expire(self._now_s())
            await self._send()
            if self.outbox.awaits_answer and self._now_s() >= self._hello_again_s:
                await self._say_hello(nonce)
            await self._wait()

    async def _say_hello(self, nonce: int) -> BufferStanding:
        """Publish a hello and return what it tells; it is repeated, since who should answer may come back later."""
        standing = await self._buffer.standing()
        ledger = await self._buffer.ledger()
        self._generation = standing.generation
        standing = BufferStanding(standing.generation, standing.epochs[-_EPOCHS_IN_HELLO:], standing.marks)
        hello = Hello(
            nonce=nonce,
            version=self._identity.version,
            epochs=standing.epochs,
            wall_us=self._clock.now_us(),
            monotonic_us=round(self._clock.monotonic_s() * 1e6),
            generation=standing.generation,
            clock_is_set=self._identity.clock_is_set(),
            buffered_readings=sum(account.waiting for account in ledger.epochs),
            dropped_readings=sum(account.dropped for account in ledger.epochs),
        )
        now_s = self._now_s()
        self._hello_again_s = now_s + (_HELLO_SOON_S if now_s < self._begun_s + HELLO_S else _HELLO_LATER_S)
        await self._uplink.publish(self._topic(GatewayTopic.HELLO), encode(hello))
        return standing

    async def _take_acks(self) -> None:
        for ack in self.inbox.take():
            self.acks += 1
            match self.outbox.take(ack, self._now_s(), generation=self._generation):
                case Meaning.VOID:
                    continue
                case Meaning.WENT_BACK:
                    await self._start_over()
                case Meaning.NEWS:
                    pass
            await self._buffer.apply(ack)
            self._generation = max(self._generation, ack.generation)
            await self._send_tables(ack)

    async def _start_over(self) -> None:
        count = await self._buffer.unack()
        self.outbox.forget()
        log.error("the store has lost batches that it had acknowledged; %d are sent again", count)
        self._record("store_went_back", {"batches": count, "generation": self._generation})

    async def _send_tables(self, ack: Ack) -> None:
        now_s = self._now_s()
        due = [table for table in ack.need if self._table_sent_s.get(table, -1e9) + _TABLE_AGAIN_S <= now_s]
        for batch in await self._buffer.tables(due) if due else ():
            await self._uplink.publish(self._topic(GatewayTopic.DATA), batch.frame)
        self._table_sent_s.update(dict.fromkeys(due, now_s))

    async def _send(self) -> None:
        while wanted := self.outbox.wants(self._now_s()):
            batches = await self._buffer.unacked(skip=wanted.skip, limit=wanted.limit, newest=wanted.newest)
            for batch in batches:
                await self._uplink.publish(self._topic(GatewayTopic.DATA), batch.frame)
                self.outbox.sent([batch.key], self._now_s())
                self.batches_sent += 1
                self.bytes_sent += len(batch.frame)
            if len(batches) < wanted.limit:
                return

    async def _wait(self) -> None:
        now_s = self._now_s()
        wakes = self.outbox.wakes_at_s(now_s)
        due = [at for at in (wakes, self._hello_again_s if self.outbox.awaits_answer else None) if at is not None]
        try:
            async with asyncio.timeout(max(0.0, min(due) - now_s) if due else None):
                await self._news.wait()
        except TimeoutError:
            return

    def _now_s(self) -> float:
        return self._clock.monotonic_s()

    def _topic(self, part: GatewayTopic) -> str:
        return gateway_topic(self._identity.gateway, part)
