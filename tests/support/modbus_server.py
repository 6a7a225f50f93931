"""A Modbus TCP server that is never the bottleneck, and that answers wrongly on request.

As a program it serves registers that change with time, prints `listening on PORT` and runs until it is killed:
`python -m tests.support.modbus_server --port 0 --registers 1000`
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2
HEADER_BYTES = 6


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; at and count mean value and rest of a write."""

    transaction: bytes
    unit: int
    function: int
    address: int
    count: int
    rest: bytes = b""

    def answer(self, body: bytes, *, unit: int | None = None, function: int | None = None) -> bytes:
        """Return a whole frame for this request, or for what is asked of it instead."""
        shown = bytes((self.unit if unit is None else unit, self.function if function is None else function))
        return self.transaction + b"\0\0" + (len(body) + 2).to_bytes(2, "big") + shown + body

    def refuse(self, code: int) -> bytes:
        """Return an exception answer."""
        return self.answer(bytes((code,)), function=self.function | 0x80)


Respond = Callable[[Request], bytes | None]
"""Returns what goes on the wire; None: nothing, b"": hang up."""


@dataclass
class Memory:
    """Registers and bits of every unit; addresses in `illegal` are refused."""

    size: int = 65_536
    illegal: frozenset[int] = frozenset()
    bits: bytearray = field(init=False)
    words: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.words = bytearray(self.size * 2)
        self.bits = bytearray(self.size)

    def set_registers(self, address: int, values: list[int]) -> None:
        """Store 16-bit values from this address on."""
        packed = np.array(values, dtype=">u2").tobytes()
        self.words[2 * address : 2 * address + len(packed)] = packed

    def register(self, address: int) -> int:
        """Return one register."""
        return int.from_bytes(self.words[2 * address : 2 * address + 2], "big")

    def respond(self, request: Request) -> bytes | None:
        """Answer as a well-behaved device would."""
        first, function = request.address, request.function
        count = request.count if function in (1, 2, 3, 4, 15, 16) else 1
        if function not in (1, 2, 3, 4, 5, 6, 15, 16):
            return request.refuse(ILLEGAL_FUNCTION)
        if first + count > self.size or (self.illegal and not self.illegal.isdisjoint(range(first, first + count))):
            return request.refuse(ILLEGAL_ADDRESS)
        if function in (3, 4):
            return request.answer(bytes((2 * count,)) + self.words[2 * first : 2 * (first + count)])
        if function in (1, 2):
            packed = np.packbits(np.frombuffer(self.bits, np.uint8)[first : first + count], bitorder="little").tobytes()
            return request.answer(bytes((len(packed),)) + packed)
        return self._write(request)

    def _write(self, request: Request) -> bytes:
        first, count = request.address, request.count
        if request.function == 5:
            self.bits[first] = count != 0
        elif request.function == 6:
            self.set_registers(first, [count])
        elif request.function == 16:
            self.words[2 * first : 2 * (first + count)] = request.rest[1:]
        else:
            unpacked = np.unpackbits(np.frombuffer(request.rest[1:], np.uint8), bitorder="little")[:count]
            self.bits[first : first + count] = unpacked.tobytes()
        return request.answer(first.to_bytes(2, "big") + count.to_bytes(2, "big"))


class Connection(asyncio.Protocol):
    """One client; answers each whole frame at once."""

    def __init__(self, server: "RawServer") -> None:
        self._server = server
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.append(transport)
        self._server.accepted += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._server.connections.remove(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that has come."""
        data = self._received + data
        while len(data) >= HEADER_BYTES + 6:
            end = HEADER_BYTES + int.from_bytes(data[4:6], "big")
            if len(data) < end:
                break
            self._answer(data[:end])
            data = data[end:]
        self._received = data

    def _answer(self, frame: bytes) -> None:
        address, count = int.from_bytes(frame[8:10], "big"), int.from_bytes(frame[10:12], "big")
        request = Request(frame[:2], frame[6], frame[7], address, count, frame[12:])
        self._server.note(request)
        answer = self._server.respond(request)
        if answer == b"":
            self._transport.abort()
        elif answer is not None:
            self._transport.write(answer)


class RawServer:
    """Listens on loopback; `requests` keeps what was asked, `respond` may be replaced while it runs."""

    def __init__(self, respond: Respond, *, keeps_requests: bool = True) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.accepted = 0
        self.connections: list[asyncio.Transport] = []
        self.port = 0
        self._keeps_requests = keeps_requests
        self._server: asyncio.Server | None = None

    def note(self, request: Request) -> None:
        """Remember what was asked."""
        if self._keeps_requests:
            self.requests.append(request)

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1, on a free port unless one is named."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up and stop listening."""
        if self._server is not None:
            self._server.close()
            for connection in list(self.connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None


@asynccontextmanager
async def serving(respond: Respond) -> AsyncIterator[RawServer]:
    """Run a server for as long as the block lasts."""
    server = RawServer(respond)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _change(memory: Memory, count: int, every_s: float) -> None:
    values = np.arange(count, dtype=np.uint16)
    while True:
        memory.words[: 2 * count] = values.astype(">u2").tobytes()
        values += np.uint16(1)
        await asyncio.sleep(every_s)


async def _run(port: int, count: int, every_s: float) -> None:
    memory = Memory(size=count)
    server = RawServer(memory.respond, keeps_requests=False)
    await server.start(port)
    print(f"listening on {server.port}", flush=True)  # noqa: T201 - the one who started it reads the port here
    await _change(memory, count, every_s)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--registers", type=int, default=1000)
    parser.add_argument("--change-every-s", type=float, default=0.01)
    given = parser.parse_args()
    asyncio.run(_run(given.port, given.registers, given.change_every_s))


if __name__ == "__main__":
    main()
