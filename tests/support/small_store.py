"""SmallStore: the cloud's side of delivery over a real broker, in memory; it loses and repeats acks on request."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from edge_agent.errors import UplinkLost
from edge_agent.uplinks.mqtt import MqttSettings, MqttUplink
from protocols.batch import BatchKind
from protocols.codec import open_data, open_drop, unpack
from protocols.delivery import Ack, EpochMarks, Hello, State, decode, encode
from protocols.topics import GatewayTopic, gateway_topic


class Ledger:
    """What a store has committed, by epoch; the same frame twice is counted as a repeat."""

    def __init__(self) -> None:
        self.frames: dict[int, dict[int, bytes]] = {}
        self.dropped: dict[int, set[int]] = {}
        self.repeats = 0

    def take(self, frame: bytes) -> int:
        """Commit a frame; return its epoch."""
        header = unpack(frame).header
        rows = self.frames.setdefault(header.epoch, {})
        known = rows.setdefault(header.seq, frame)
        assert known == frame, "a payload changed under its key"
        self.repeats += known is not frame
        if header.kind is BatchKind.DROP:
            drop = open_drop(unpack(frame))
            self.dropped.setdefault(drop.epoch, set()).update(range(drop.lo, drop.hi + 1))
        return header.epoch

    def marks(self, epoch: int) -> EpochMarks:
        """Return what is settled of an epoch."""
        settled = self.frames.get(epoch, {}).keys() | self.dropped.get(epoch, set())
        c = 0
        while c + 1 in settled:
            c += 1
        return EpochMarks(epoch, c, tuple((seq, seq) for seq in sorted(settled) if seq > c))

    def values(self) -> list[float]:
        """Return every float value stored, in order of key."""
        found: list[float] = []
        for epoch in self.frames:
            for _, frame in sorted(self.frames[epoch].items()):
                opened = unpack(frame)
                if opened.header.kind is BatchKind.DATA:
                    found += [float(v) for column in open_data(opened).columns for v in column.value]
        return found

    def kinds(self) -> list[BatchKind]:
        """Return the kinds of all batches in order of key."""
        return [unpack(f).header.kind for rows in self.frames.values() for _, f in sorted(rows.items())]


class SmallStore:
    """Subscribes to one gateway and acks what it gets; `filter_ack` may return the ack any number of times."""

    def __init__(self, host: str, port: int, *, gateway: str = "gw-1", generation: int = 1) -> None:
        self.ledger = Ledger()
        self.generation = generation
        self.filter_ack: Callable[[Ack], list[Ack]] = lambda ack: [ack]
        self.hellos: list[Hello] = []
        self.states: list[State] = []
        self.order: list[tuple[int, int]] = []
        self._gateway = gateway
        self._uplink = MqttUplink(MqttSettings(host, port, client_id="store"))
        self._out: deque[Ack] = deque()
        self._stir = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._uplink.listen(gateway_topic(gateway, GatewayTopic.DATA), self._on_data)
        self._uplink.listen(gateway_topic(gateway, GatewayTopic.HELLO), self._on_hello)
        self._uplink.listen(gateway_topic(gateway, GatewayTopic.STATE), self._on_state)

    async def start(self) -> None:
        """Connect, and go on until `stop`."""
        await self._uplink.connect()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Go away without a word."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._uplink.close()

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        """Wait until a condition holds; it is looked at whenever something arrives."""
        async with asyncio.timeout(within_s):
            while not holds():
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._changed.wait()

    async def _run(self) -> None:
        while True:
            self._stir.clear()
            while self._out:
                for ack in self.filter_ack(self._out.popleft()):
                    with suppress(UplinkLost):
                        await self._uplink.publish(gateway_topic(self._gateway, GatewayTopic.ACK), encode(ack))
            waits = [asyncio.ensure_future(self._stir.wait()), asyncio.ensure_future(self._uplink.lost())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if waits[1].done() and not waits[1].cancelled():
                await self._reconnect()

    async def _reconnect(self) -> None:
        while True:
            try:
                await self._uplink.connect()
            except UplinkLost:
                await asyncio.sleep(0.05)
            else:
                return

    def _answer(self, epochs: list[int], nonce: int | None = None) -> None:
        self._out.append(Ack(self.generation, tuple(map(self.ledger.marks, epochs)), nonce=nonce))
        self._stir.set()
        self._changed.set()

    def _on_data(self, payload: bytes) -> None:
        header = unpack(payload).header
        self.order.append((header.epoch, header.seq))
        self._answer([self.ledger.take(payload)])

    def _on_hello(self, payload: bytes) -> None:
        hello = decode(payload, Hello)
        self.hellos.append(hello)
        self._answer([span.epoch for span in hello.epochs], hello.nonce)

    def _on_state(self, payload: bytes) -> None:
        self.states.append(decode(payload, State))
        self._changed.set()
