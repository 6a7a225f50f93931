"""Presence: what the gateway says about itself on its state topic, retained, and the will it leaves behind."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_agent.errors import BufferUnusable
from edge_agent.ports import AsyncBuffer, Clock, Uplink
from protocols.delivery import MAX_ACCOUNTS, State, encode
from protocols.topics import GatewayTopic, gateway_topic
from protocols.wanted import ModelStanding

log = logging.getLogger(__name__)
EVERY_S = 5.0
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this agent is; skipped_polls, clock_is_set, models: asked each time."""

    gateway: str
    version: str
    skipped_polls: Callable[[], int] = lambda: 0
    clock_is_set: Callable[[], bool] = lambda: True
    models: Callable[[], Sequence[ModelStanding]] = tuple


class Presence:
    """Publishes State on each connect and every few seconds while something changes."""

    def __init__(self, *, uplink: Uplink, buffer: AsyncBuffer, clock: Clock, identity: Identity) -> None:
        self._uplink = uplink
        self._buffer = buffer
        self._clock = clock
        self._identity = identity
        self._topic = gateway_topic(identity.gateway, GatewayTopic.STATE)
        self._last: State | None = None

    async def become_ready(self) -> None:
        """Wait until the buffer is open, and leave the will of its epoch behind."""
        while True:
            try:
                epoch = (await self._buffer.opened()).epoch
            except BufferUnusable as error:
                log.warning("delivery waits for the buffer: %s", error)
                await self._clock.sleep(_RETRY_S)
            else:
                will = State(online=False, epoch=epoch, version=self._identity.version)
                self._uplink.leave_behind(self._topic, encode(will))
                return

    async def run(self) -> None:
        """Publish for as long as the connection holds; raise UplinkLost or BufferUnusable."""
        self._last = None
        while True:
            await self.publish(online=True)
            await self._clock.sleep(EVERY_S)

    async def publish(self, *, online: bool) -> None:
        """Publish the present State if it differs from the last one; raise UplinkLost or BufferUnusable."""
        state = await self._state(online=online)
        if state != self._last:
            self._last = state
            at_us = self._clock.now_us()
            await self._uplink.publish(self._topic, encode(_at(state, at_us)), retain=True)

    async def _state(self, *, online: bool) -> State:
        epoch = (await self._buffer.opened()).epoch
        accounts = (await self._buffer.ledger()).epochs[-MAX_ACCOUNTS:]
        skipped = self._identity.skipped_polls()
        return State(
            online=online,
            epoch=epoch,
            version=self._identity.version,
            accounts=accounts,
            skipped_polls=skipped,
            models=tuple(self._identity.models()),
        )


def _at(state: State, at_us: int) -> State:
    return State(state.online, state.epoch, state.version, at_us, state.accounts, state.skipped_polls, state.models)
