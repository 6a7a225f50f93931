"""Lane: one direction of one connection, with all that a network does to it."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable

from tests.faults.conditions import Way

_READ_BYTES = 4096
_QUEUED = 64
_STEP_BYTES = 256
"""What a slow line carries at once."""
_LOOK_S = 0.02
_NO_LINGER = struct.pack("ii", 1, 0)


class Lane:
    """Carries bytes from a reader to a writer; way: the conditions now, asked for with each piece; torn: after a reset.

    count: called with the bytes delivered, returns whether the connection is to be reset now.
    """

    def __init__(self, way: Callable[[], Way], rng: random.Random, count: Callable[[int], bool]) -> None:
        self._way = way
        self._rng = rng
        self._count = count
        self._is_dead = False
        self._due_s = 0.0
        self._to_flip = 0.0
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUED)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry until the reader ends; raise a group of OSError where it ends badly."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._deliver(writer), name="deliver")
            both.create_task(self._read(reader), name="read")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(_READ_BYTES):
            await self._pieces.put((self._due(), piece))
        await self._pieces.put((self._due(), b""))

    def _due(self) -> float:
        way, now_s = self._way(), asyncio.get_running_loop().time()
        late_s = max(0.0, way.latency_s + self._rng.uniform(-way.jitter_s, way.jitter_s))
        self._due_s = max(self._due_s, now_s + late_s)
        return self._due_s

    async def _deliver(self, writer: asyncio.StreamWriter) -> None:
        while True:
            due_s, piece = await self._pieces.get()
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
            self._is_dead = self._is_dead or self._way().swallows
            if not self._is_dead and piece:
                await self._write(piece, writer)
            elif not piece:
                if not self._is_dead:
                    writer.close()
                return

    async def _write(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        while piece:
            while self._way().stalls:  # noqa: ASYNC110 - conditions are switched by another thread
                await asyncio.sleep(_LOOK_S)
            way = self._way()
            size = way.segment_bytes or (_STEP_BYTES if way.bytes_per_s else len(piece))
            now, piece = piece[:size], piece[size:]
            writer.write(self._bent(now, way))
            await writer.drain()
            if way.bytes_per_s:
                await asyncio.sleep(len(now) / way.bytes_per_s)
            if self._count(len(now)):
                raise ConnectionResetError("torn on purpose")

    def _bent(self, piece: bytes, way: Way) -> bytes:
        """Return the piece with bits flipped at random distances."""
        if not way.flip_every:
            return piece
        bent = bytearray(piece)
        self._to_flip = self._to_flip or self._rng.expovariate(1 / way.flip_every)
        while self._to_flip < len(bent):
            bent[int(self._to_flip)] ^= 1 << self._rng.randrange(8)
            self._to_flip += max(1.0, self._rng.expovariate(1 / way.flip_every))
        self._to_flip -= len(bent)
        return bytes(bent)


def tear(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a reset, as a router does that forgot it."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


def hurry(writer: asyncio.StreamWriter) -> None:
    """Have each write leave as a segment of its own."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
