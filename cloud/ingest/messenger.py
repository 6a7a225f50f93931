"""Messenger: lets other processes tell gateways something and ask for figures, over the door of ingest; blocking."""

import itertools
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cloud.errors import Unavailable
from cloud.ingest.door_messages import (
    MAX_MESSAGE_BYTES,
    Publish,
    Reply,
    Request,
    Tell,
    framed,
    refusal_of,
    short_path,
)
from cloud.ingest.figures import Sample

_LENGTH = struct.Struct(">I")
_AWAY = "INGEST_AWAY"


class Messenger:
    """Connects when first used and again after each loss. For one thread."""

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._line: socket.socket | None = None

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        """Return when the message is on its way to the broker; raise Invalid, or Unavailable where that is away."""
        self._ask(Publish(next(self._numbers), topic, payload, is_retained))

    def samples(self) -> Sequence[Sample]:
        """Return what the ingest process counted; raise Unavailable where it is away."""
        return self._ask(Tell(next(self._numbers))).samples or ()

    def _ask(self, request: Request) -> Reply:
        try:
            line = self._connected()
            line.sendall(framed(request))
            reply = msgspec.msgpack.decode(_received(line), type=Reply)
        except (OSError, msgspec.MsgspecError) as error:
            self.close()
            raise Unavailable(f"the ingest process is away: {error}", code=_AWAY) from error
        refusal = refusal_of(reply)
        if refusal is not None:
            raise refusal
        return reply

    def close(self) -> None:
        """Hang up; always safe to call."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _connected(self) -> socket.socket:
        if self._line is None:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(self._timeout_s)
            try:
                with short_path(self._path) as address:
                    line.connect(address)
            except OSError:
                line.close()
                raise
            self._line = line
        return self._line


def _received(line: socket.socket) -> bytes:
    """Return the next message's bytes; raise OSError where the other side hung up or makes no sense."""
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > MAX_MESSAGE_BYTES:
        raise OSError(f"a message of {length} bytes on the door is over {MAX_MESSAGE_BYTES}")
    return _exactly(line, length)


def _exactly(line: socket.socket, n_bytes: int) -> bytes:
    data = b""
    while len(data) < n_bytes:
        piece = line.recv(n_bytes - len(data))
        if not piece:
            raise OSError("it hung up")
        data += piece
    return data
