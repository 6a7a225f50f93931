"""Modbus servers on the wire, byte by byte so that they can lie: over TCP and TLS; see `rtu.py` for serial lines.

Written here and not taken from a library: half frames, foreign units and rows that switch between two answers
need the bytes, and an answerer of its own is an independent witness for drivers that use the library.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from random import Random
from ssl import SSLContext

from firmware_sim.endpoints import Security
from firmware_sim.errors import CannotListen
from firmware_sim.machine import Machine
from firmware_sim.mischief import Mischief, MischiefKind, Mischiefs
from firmware_sim.truth import TruthWriter
from firmware_sim.unit import BUSY, DEVICE_FAILURE, ILLEGAL_ADDRESS, NO_ANSWER, Reply, Unit, exception

MBAP_BYTES = 7
MAX_PDU = 253
REFUSALS = {
    MischiefKind.ILLEGAL_ADDRESS: ILLEGAL_ADDRESS,
    MischiefKind.DEVICE_FAILURE: DEVICE_FAILURE,
    MischiefKind.BUSY: BUSY,
}
Frame = Callable[[int, bytes], bytes]
"""Turns a unit id and a PDU into what goes on the wire."""


class Wire:
    """One connection or serial line, as an answer sees it."""

    def is_open(self) -> bool:
        """Return whether what is written can still go out."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Hand bytes to the operating system."""
        raise NotImplementedError

    def break_off(self) -> None:
        """Break the connection off."""
        raise NotImplementedError


class Responder:
    """Answers requests for the units of one server, honestly or not, and tells the truth about it."""

    def __init__(self, units: Sequence[Unit], mischiefs: Mischiefs, truth: TruthWriter, random: Random) -> None:
        self._units = {unit.number: unit for unit in units}
        self._mischiefs = mischiefs
        self._truth = truth
        self._random = random

    def knows(self, number: int) -> bool:
        """Return whether this unit is here."""
        return number in self._units

    def respond(self, number: int, pdu: bytes, frame: Frame, wire: Wire) -> None:
        """Answer one request on the wire that it came from."""
        unit = self._units.get(number)
        if unit is None:
            wire.write(frame(number, exception(pdu[0], NO_ANSWER).pdu))
            return
        mischief = self._mischiefs.of(unit.machine.name)
        if mischief is None:
            self._serve(unit.answer(pdu), number, frame, wire)
        else:
            self._misbehave(mischief, unit, pdu, frame, wire)

    def _serve(self, reply: Reply, number: int, frame: Frame, wire: Wire, *, is_late: bool = False) -> None:
        if not wire.is_open():
            return
        wire.write(frame(number, reply.pdu))
        if reply.span is not None and reply.row is not None:
            self._truth.served(reply.span, reply.row, is_late=is_late)

    def _misbehave(self, mischief: Mischief, unit: Unit, pdu: bytes, frame: Frame, wire: Wire) -> None:
        match mischief.kind:
            case MischiefKind.SILENCE:
                pass
            case MischiefKind.RESET:
                wire.break_off()
            case MischiefKind.DELAY:
                asyncio.get_running_loop().call_later(mischief.delay_s, self._serve_late, unit, pdu, frame, wire)
            case kind if kind in REFUSALS:
                wire.write(frame(unit.number, exception(pdu[0], REFUSALS[kind]).pdu))
            case kind if kind.is_of_the_server:
                self._serve(unit.answer(pdu), unit.number, frame, wire)
            case kind:
                wire.write(self._lie(kind, unit, pdu, frame))

    def _serve_late(self, unit: Unit, pdu: bytes, frame: Frame, wire: Wire) -> None:
        self._serve(unit.answer(pdu), unit.number, frame, wire, is_late=True)

    def _lie(self, kind: MischiefKind, unit: Unit, pdu: bytes, frame: Frame) -> bytes:
        honest = frame(unit.number, unit.answer(pdu).pdu)
        match kind:
            case MischiefKind.HALF_FRAME:
                return honest[: len(honest) // 2]
            case MischiefKind.WRONG_UNIT:
                return frame((unit.number + 1) % 256, unit.answer(pdu).pdu)
            case MischiefKind.OTHER_UNIT:
                other = next((each for each in self._units.values() if each is not unit), unit)
                return frame(other.number if other is not unit else unit.number + 1, other.answer(pdu).pdu)
            case MischiefKind.WRONG_TRANSACTION:
                return bytes((honest[0] ^ 0x55,)) + honest[1:]
            case _:
                return self._random.randbytes(len(honest))


class TcpServer:
    """Modbus TCP, or TLS with a context; keeps its port over restarts."""

    def __init__(
        self,
        responder: Responder,
        host: str,
        port: int,
        *,
        tls: SSLContext | None = None,
        security: Security | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.security = security
        self._responder = responder
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def url(self) -> str:
        """Return the address."""
        return f"{'tls' if self._tls else 'tcp'}://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen; raise CannotListen."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self._responder, self._connections), self.host, self.port, ssl=self._tls
            )
        except OSError as error:
            raise CannotListen(f"cannot listen on {self.host}:{self.port}: {error}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Break every connection off and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            connection.break_off()
        await self._server.wait_closed()
        self._server = None

    async def reset(self) -> None:
        """Break every connection off and go on listening."""
        for connection in tuple(self._connections):
            connection.break_off()

    async def publish(self, machine: Machine) -> None:
        """Do nothing: Modbus has no subscribers."""

    def renew_certificate(self) -> None:
        """Keep the certificate: only OPC UA clients pin one."""

    def close(self) -> None:
        """Do nothing: no files were made."""


class _Connection(asyncio.Protocol, Wire):
    """One client: MBAP frames in, MBAP frames out."""

    def __init__(self, responder: Responder, connections: set["_Connection"]) -> None:
        self._responder = responder
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the client in."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the client."""
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request; what is no Modbus ends the connection."""
        data = self._buffer + data if self._buffer else data
        at = 0
        while len(data) - at >= MBAP_BYTES + 1:
            transaction, protocol, length, unit = struct.unpack_from(">HHHB", data, at)
            if protocol != 0 or not 2 <= length <= MAX_PDU + 1:
                self.break_off()
                return
            end = at + MBAP_BYTES - 1 + length
            if end > len(data):
                break
            self._responder.respond(unit, data[at + MBAP_BYTES : end], _mbap(transaction), self)
            at = end
        self._buffer = data[at:]

    def is_open(self) -> bool:
        """Return whether the client is still there."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket."""
        if self._transport is not None:
            self._transport.write(data)

    def break_off(self) -> None:
        """Break the connection off with a reset, as a device does that was switched off."""
        if self._transport is None:
            return
        plain = self._transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _mbap(transaction: int) -> Frame:
    def frame(unit: int, pdu: bytes) -> bytes:
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu

    return frame
