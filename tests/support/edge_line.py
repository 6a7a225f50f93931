"""EdgeLine: sealer, buffer, sender and uplink put together as wiring does, for tests of delivery."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from edge_agent.buffers.file import BufferFile
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.thread import BufferThread
from edge_agent.delivery.plain_sender import PlainSender
from edge_agent.delivery.presence import Identity
from edge_agent.delivery.sealer import Sealer
from edge_agent.delivery.sender import Sender
from edge_agent.uplinks.mqtt import MqttSettings, MqttUplink
from edge_agent.wiring.site import SystemClock
from protocols.tag import TagTable


class EdgeLine:
    """One gateway's delivery; topic: plain JSON goes there, without it batches go to a store."""

    def __init__(  # noqa: PLR0913 - each has a default; a test names the one it is about
        self,
        directory: Path,
        port: int,
        table: TagTable,
        *,
        gateway: str = "gw-1",
        topic: str = "",
        max_bytes: int = 16 << 20,
        max_unsealed_s: float = 0.01,
        silence_s: float = 60.0,
    ) -> None:
        clock = SystemClock()
        place = BufferPlace(directory / "buffer.db", gateway, max_bytes)
        self.buffer = BufferThread(BufferFile(place, now_us=clock.now_us).open)
        self.uplink = MqttUplink(MqttSettings("127.0.0.1", port, client_id=gateway, timeout_s=2.0))
        self.sealer = Sealer(
            buffer=self.buffer, clock=clock, table=table, max_unsealed_s=max_unsealed_s, wake=self._wake
        )
        self.sender: Sender | PlainSender
        if topic:
            self.sender = PlainSender(
                uplink=self.uplink, buffer=self.buffer, clock=clock, gateway=gateway, random=random.random, topic=topic
            )
        else:
            self.sender = Sender(
                uplink=self.uplink,
                buffer=self.buffer,
                clock=clock,
                identity=Identity(gateway, "0.1.0"),
                random=random.random,
                record=lambda name, detail: self.sealer.record(name, detail=detail),
                silence_s=silence_s,
            )
        self._tasks: list[asyncio.Task[None]] = []

    def _wake(self) -> None:
        self.sender.wake()

    def start(self) -> None:
        """Begin to seal and to send."""
        self._tasks = [asyncio.create_task(self.sealer.run()), asyncio.create_task(self.sender.run())]

    async def stop(self) -> None:
        """Seal what waits and end in order."""
        await self.sealer.flush()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.sender.farewell()
        await self.uplink.close()
        await self.buffer.close()
