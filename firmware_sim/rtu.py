"""Modbus RTU over a pseudo-terminal that is made here: a serial line without a cable."""

import asyncio
import contextlib
import os
import tty
from pathlib import Path

from firmware_sim.clock import Clock
from firmware_sim.endpoints import Security
from firmware_sim.errors import CannotListen
from firmware_sim.machine import Machine
from firmware_sim.modbus import Responder, Wire

RTU_SILENCE_S = 0.05
"""A partial request is forgotten after this pause."""


class RtuServer(Wire):
    """Modbus RTU on a pseudo-terminal that is made here; `path` is what a client opens."""

    def __init__(self, responder: Responder, clock: Clock, link: Path | None = None) -> None:
        self.path = Path()
        self.security: Security | None = None
        self._responder = responder
        self._clock = clock
        self._link = link
        self._ends: tuple[int, int] | None = None
        self._buffer = b""
        self._heard_s = 0.0

    @property
    def url(self) -> str:
        """Return the path that a client opens."""
        return f"rtu://{self.path}"

    async def start(self) -> None:
        """Make the pair and answer on it; raise CannotListen where the link cannot be made."""
        if self._ends is None:
            self._open()
        asyncio.get_running_loop().add_reader(self._controller, self._hear)

    def _open(self) -> None:
        controller, terminal = os.openpty()
        tty.setraw(terminal)
        os.set_blocking(controller, False)
        self._ends = controller, terminal
        self.path = Path(os.ttyname(terminal))
        if self._link is None:
            return
        try:
            if self._link.is_symlink():
                self._link.unlink()
            self._link.symlink_to(self.path)
        except OSError as error:
            raise CannotListen(f"cannot link {self._link} to {self.path}: {error}") from error
        self.path = self._link

    async def stop(self) -> None:
        """Answer nothing any more; the line stays, as a cable does."""
        if self._ends is not None:
            asyncio.get_running_loop().remove_reader(self._controller)

    def close(self) -> None:
        """Take the line away."""
        for end in self._ends or ():
            os.close(end)
        self._ends = None
        if self._link is not None and self._link.is_symlink():
            self._link.unlink()

    @property
    def _controller(self) -> int:
        return self._ends[0] if self._ends else -1

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            heard = os.read(self._controller, 4096)
            now_s = self._clock.monotonic_s()
            fresh = now_s - self._heard_s > RTU_SILENCE_S
            self._buffer = heard if fresh else self._buffer + heard
            self._heard_s = now_s
        while (size := _rtu_size(self._buffer)) and len(self._buffer) >= size:
            request, self._buffer = self._buffer[:size], self._buffer[size:]
            if crc16(request[:-2]) != request[-2:]:
                self._buffer = b""
            elif self._responder.knows(request[0]):
                self._responder.respond(request[0], request[1:-2], _rtu, self)

    def is_open(self) -> bool:
        """Return whether the line is there."""
        return self._ends is not None

    def write(self, data: bytes) -> None:
        """Hand bytes to the line; what does not fit is lost, as on a wire that nobody listens to."""
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._controller, data)

    def break_off(self) -> None:
        """Say nothing: a wire has no connection to break."""

    async def reset(self) -> None:
        """Do nothing, for the same reason."""

    async def publish(self, machine: Machine) -> None:
        """Do nothing: Modbus has no subscribers."""

    def renew_certificate(self) -> None:
        """Do nothing: a serial line has no certificate."""


def _rtu(unit: int, pdu: bytes) -> bytes:
    body = bytes((unit,)) + pdu
    return body + crc16(body)


def _rtu_size(data: bytes) -> int:
    """Return how long the request at the front is with its checksum; 0: too early to say."""
    if len(data) < 2:
        return 0
    if data[1] in (15, 16):
        return 9 + data[6] if len(data) > 6 else 0
    return 8


def crc16(data: bytes) -> bytes:
    """Return the Modbus checksum of a frame, low byte first as it goes on the wire."""
    crc = 0xFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc.to_bytes(2, "little")


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRC_TABLE = tuple(_crc_of(byte) for byte in range(256))
