"""Sender: keeps a conversation with the cloud's store going over every connection; it waits, the conversation acts."""

import asyncio
import logging
from collections.abc import Callable

from edge_agent.delivery.connection import Connection
from edge_agent.delivery.conversation import Conversation, Record
from edge_agent.delivery.inbox import Inbox
from edge_agent.delivery.outbox import LONGEST_S, Outbox
from edge_agent.delivery.presence import Identity, Presence
from edge_agent.delivery.silence import Silence
from edge_agent.errors import BufferUnusable, UplinkLost
from edge_agent.ports import AsyncBuffer, Clock, Uplink
from protocols.topics import GatewayTopic, gateway_topic

log = logging.getLogger(__name__)
_RETRY_S = 1.0


class Sender:
    """Delivery with the store's acknowledgement. random: 0 <= x < 1, for jitter and nonces.

    silence_s: how long a connection may stand without an ack while one is awaited, before it is given up.
    """

    def __init__(
        self,
        *,
        uplink: Uplink,
        buffer: AsyncBuffer,
        clock: Clock,
        identity: Identity,
        random: Callable[[], float],
        record: Record,
        silence_s: float = LONGEST_S,
    ) -> None:
        self._clock = clock
        self._silence = Silence(random=random, shortest_s=silence_s)
        self._news = asyncio.Event()
        self._presence = Presence(uplink=uplink, buffer=buffer, clock=clock, identity=identity)
        self.inbox = Inbox(self.wake)
        self.outbox = Outbox(random=random)
        self.conversation = Conversation(
            uplink=uplink,
            buffer=buffer,
            clock=clock,
            identity=identity,
            random=random,
            record=record,
            outbox=self.outbox,
        )
        self.connection = Connection(uplink=uplink, talk=self._talk, clock=clock, random=random)
        uplink.listen(gateway_topic(identity.gateway, GatewayTopic.ACK), self.inbox.receive)

    @property
    def batches_sent(self) -> int:
        """Return how many batches went out, repeats included."""
        return self.conversation.batches_sent

    @property
    def bytes_sent(self) -> int:
        """Return how many bytes of batches went out."""
        return self.conversation.bytes_sent

    @property
    def acks(self) -> int:
        """Return how many acks came."""
        return self.conversation.acks

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
        await self.conversation.begin()
        self._silence.connected()
        while True:
            self._news.clear()
            acks = self.inbox.take()
            if acks:
                self._silence.heard()
            await self.conversation.turn(acks)
            await self._wait(self._patience_s())

    def _patience_s(self) -> float:
        """Return for how long to go on waiting for an ack; raise UplinkLost where it was long enough."""
        now_s = self._clock.monotonic_s()
        awaits = bool(self.outbox.in_flight) or self.outbox.awaits_answer
        ends_s = self._silence.ends_s(now_s, awaits=awaits)
        if ends_s is not None and now_s >= ends_s:
            raise UplinkLost("no ack came for too long on a connection that stands")
        return float("inf") if ends_s is None else ends_s - now_s

    async def _wait(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(min(most_s, self.conversation.rest_s())):
                await self._news.wait()
        except TimeoutError:
            return
