"""Conversation: hello, batches and acks of one connection, turn by turn; the outbox decides, this does; it never waits.

A turn applies all acks before it sends, so that nothing is sent by marks that are about to change. Whoever owns it
waits between turns, by the clock or for news.
"""

import logging
from collections.abc import Callable, Sequence

from edge_agent.delivery.outbox import HELLO_S, Meaning, Outbox
from edge_agent.delivery.presence import Identity
from edge_agent.ports import AsyncBuffer, BufferStanding, Clock, Uplink
from protocols.delivery import Ack, Hello, encode
from protocols.topics import GatewayTopic, gateway_topic

log = logging.getLogger(__name__)
_HELLO_SOON_S = 0.5
_HELLO_LATER_S = 15.0
_HELLO_EVERY_S = 300.0
"""Also on a connection that stands: a gateway with nothing to send would not learn that the store was restored."""
_TABLE_AGAIN_S = 5.0
_EPOCHS_IN_HELLO = 1024
_MAX_NONCE = 1 << 53

Record = Callable[[str, dict[str, str | int | float | bool]], None]
"""Takes the name and the detail of an event."""


class Conversation:
    """What a gateway says to the store and does about its answers. random: 0 <= x < 1, for nonces."""

    def __init__(
        self,
        *,
        uplink: Uplink,
        buffer: AsyncBuffer,
        clock: Clock,
        identity: Identity,
        random: Callable[[], float],
        record: Record,
        outbox: Outbox,
    ) -> None:
        self._uplink = uplink
        self._buffer = buffer
        self._clock = clock
        self._identity = identity
        self._random = random
        self._record = record
        self._outbox = outbox
        self._table_sent_s: dict[str, float] = {}
        self._generation = 0
        self._nonce = 0
        self._hello_said_s = self._hello_again_s = self._begun_s = 0.0
        self.batches_sent = self.bytes_sent = self.acks = 0

    async def begin(self) -> None:
        """Say hello on a new connection; raise UplinkLost or BufferUnusable."""
        self._nonce = self._draw_nonce()
        self._begun_s = self._now_s()
        self._outbox.connected(self._nonce, await self._say_hello(), self._begun_s)

    async def turn(self, acks: Sequence[Ack]) -> None:
        """Apply the acks that came, send what is due; raise UplinkLost or BufferUnusable."""
        for ack in acks:
            await self._take(ack)
        self._outbox.expire(self._now_s())
        await self._send()
        if self._now_s() >= self._hello_due_s():
            await self._say_hello_again()

    def rest_s(self) -> float:
        """Return in how many seconds something is due by time alone."""
        now_s = self._now_s()
        wakes_s = self._outbox.wakes_at_s(now_s)
        due_s = self._hello_due_s() if wakes_s is None else min(wakes_s, self._hello_due_s())
        return max(0.0, due_s - now_s)

    def _hello_due_s(self) -> float:
        return self._hello_again_s if self._outbox.awaits_answer else self._hello_said_s + _HELLO_EVERY_S

    async def _say_hello_again(self) -> None:
        if self._outbox.awaits_answer:
            await self._say_hello()
            return
        self._nonce = self._draw_nonce()
        self._outbox.asks(self._nonce, await self._say_hello())

    async def _say_hello(self) -> BufferStanding:
        """Publish a hello and return what it tells; it is repeated, since who should answer may come back later."""
        standing = await self._buffer.standing()
        ledger = await self._buffer.ledger()
        self._generation = standing.generation
        standing = BufferStanding(standing.generation, standing.epochs[-_EPOCHS_IN_HELLO:], standing.marks)
        hello = Hello(
            nonce=self._nonce,
            version=self._identity.version,
            epochs=standing.epochs,
            wall_us=self._clock.now_us(),
            monotonic_us=round(self._clock.monotonic_s() * 1e6),
            generation=standing.generation,
            clock_is_set=self._identity.clock_is_set(),
            buffered_readings=sum(account.waiting for account in ledger.epochs),
            dropped_readings=sum(account.dropped for account in ledger.epochs),
        )
        now_s = self._hello_said_s = self._now_s()
        self._hello_again_s = now_s + (_HELLO_SOON_S if now_s < self._begun_s + HELLO_S else _HELLO_LATER_S)
        await self._uplink.publish(self._topic(GatewayTopic.HELLO), encode(hello))
        return standing

    async def _take(self, ack: Ack) -> None:
        self.acks += 1
        match self._outbox.take(ack, self._now_s(), generation=self._generation):
            case Meaning.VOID:
                return
            case Meaning.WENT_BACK:
                await self._start_over()
            case Meaning.NEWS:
                pass
        await self._buffer.apply(ack)
        self._generation = max(self._generation, ack.generation)
        await self._send_tables(ack)

    async def _start_over(self) -> None:
        count = await self._buffer.unack()
        self._outbox.forget()
        log.error("the store has lost batches that it had acknowledged; %d are sent again", count)
        self._record("store_went_back", {"batches": count, "generation": self._generation})

    async def _send_tables(self, ack: Ack) -> None:
        now_s = self._now_s()
        due = [table for table in ack.need if self._table_sent_s.get(table, -1e9) + _TABLE_AGAIN_S <= now_s]
        for batch in await self._buffer.tables(due) if due else ():
            await self._uplink.publish(self._topic(GatewayTopic.DATA), batch.frame)
        self._table_sent_s.update(dict.fromkeys(due, now_s))

    async def _send(self) -> None:
        while wanted := self._outbox.wants(self._now_s()):
            batches = await self._buffer.unacked(skip=wanted.skip, limit=wanted.limit, newest=wanted.newest)
            for batch in batches:
                await self._uplink.publish(self._topic(GatewayTopic.DATA), batch.frame)
                self._outbox.sent([batch.key], self._now_s())
                self.batches_sent += 1
                self.bytes_sent += len(batch.frame)
            if len(batches) < wanted.limit:
                return

    def _draw_nonce(self) -> int:
        return int(self._random() * _MAX_NONCE)

    def _now_s(self) -> float:
        return self._clock.monotonic_s()

    def _topic(self, part: GatewayTopic) -> str:
        return gateway_topic(self._identity.gateway, part)
