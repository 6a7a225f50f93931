"""The control port: one JSON request a line, one JSON answer a line, on loopback, for tests and the demo.

    {"do": "status"}
    {"do": "mischief", "kind": "silence", "machine": "pump-1", "for_s": 2}      {"do": "calm", "id": 3}
    {"do": "fault", "machine": "pump-1", "kind": "cavitation", "sigma": 6, "for_s": 10}
    {"do": "set", "machine": "pump-1", "channel": "flow", "value": 12.5}        value null: give it back
    {"do": "hold"}      no row changes any more, so that nothing is on its way; "on": false: go on
    {"do": "stop"}

An answer holds `"ok": true` and what was asked for, or `"ok": false` and `"error"`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from firmware_sim.errors import CannotListen, Refused
from firmware_sim.faults import FaultKind
from firmware_sim.mischief import MischiefKind

MAX_LINE = 64 * 1024
HOST = "127.0.0.1"


class Status(msgspec.Struct, frozen=True, tag_field="do", tag="status", forbid_unknown_fields=True):
    """Say what goes on."""


class StartMischief(msgspec.Struct, frozen=True, tag_field="do", tag="mischief", forbid_unknown_fields=True):
    """Begin to misbehave; without machine: all; without for_s: until `calm`."""

    kind: MischiefKind
    machine: str | None = None
    for_s: float = 0.0
    value: float = 0.0


class Calm(msgspec.Struct, frozen=True, tag_field="do", tag="calm", forbid_unknown_fields=True):
    """End one mischief, or all."""

    id: int | None = None


class InjectFault(msgspec.Struct, frozen=True, tag_field="do", tag="fault", forbid_unknown_fields=True):
    """Have a fault begin with the next tick."""

    machine: str
    kind: FaultKind
    sigma: float = 6.0
    for_s: float = 10.0
    channel: str | None = None


class SetValue(msgspec.Struct, frozen=True, tag_field="do", tag="set", forbid_unknown_fields=True):
    """Have a channel show a value at once, until it is given back with null."""

    machine: str
    channel: str
    value: float | int | bool | str | None


class Hold(msgspec.Struct, frozen=True, tag_field="do", tag="hold", forbid_unknown_fields=True):
    """Have all machines stand still: they answer, and their rows do not change; false: go on."""

    on: bool = True


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """Shut the plant down."""


Request = Status | StartMischief | Calm | InjectFault | SetValue | Hold | Stop
Perform = Callable[[Request], Awaitable[dict[str, Any]]]


class ControlPort:
    """Listens for requests and has them done."""

    def __init__(self, perform: Perform, port: int = 0) -> None:
        self.port = port
        self._perform = perform
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen on loopback; raise CannotListen."""
        try:
            self._server = await asyncio.start_server(self._talk, HOST, self.port, limit=MAX_LINE)
        except OSError as error:
            raise CannotListen(f"cannot listen on {HOST}:{self.port}: {error}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up and stop listening."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._open):
                writer.close()
            await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                    await writer.drain()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request: Request = msgspec.json.decode(line, type=Request)
            return {"ok": True} | await self._perform(request)
        except (msgspec.MsgspecError, UnicodeDecodeError, Refused, CannotListen) as error:
            return {"ok": False, "error": str(error)}
