"""Sender: keeps a conversation with the cloud's store going over every connection; it waits, the conversation acts."""

import asyncio
import logging
from collections.abc import Callable

from edge_agent.delivery.connection import Connection
from edge_agent.delivery.conversation import Conversation, Record
from edge_agent.delivery.inbox import Inbox
from edge_agent.delivery.outbox import Outbox
from edge_agent.delivery.presence import Identity, Presence
from edge_agent.errors import BufferUnusable, UplinkLost
from edge_agent.ports import AsyncBuffer, Clock, Uplink
from protocols.topics import GatewayTopic, gateway_topic

log = logging.getLogger(__name__)
_RETRY_S = 1.0


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
        self._clock = clock
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
        while True:
            self._news.clear()
            await self.conversation.turn(self.inbox.take())
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self.conversation.rest_s()):
                await self._news.wait()
        except TimeoutError:
            return
