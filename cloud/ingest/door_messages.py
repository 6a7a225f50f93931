"""What goes over the door's socket: msgpack behind a length of four bytes, columns as raw little-endian bytes."""

import asyncio
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from cloud.errors import CloudError, Invalid, Unavailable
from cloud.ingest.figures import Sample
from cloud.ingest.parcels import Outcome
from cloud.logs import current_request_id
from cloud.ports import Arrival, Written
from protocols.errors import InvalidContent
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import TagTable

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_LONGEST_SOCKET_PATH = 100
_REFUSALS: tuple[type[CloudError], ...] = (Invalid, Unavailable)


class WireColumn(msgspec.Struct, frozen=True, array_like=True):
    """A Column as bytes."""

    kind: Kind
    tag: bytes
    time_us: bytes
    value: bytes
    quality: bytes


class Take(msgspec.Struct, frozen=True, tag="take"):
    """Please store these readings; number: comes back with the reply; request_id: of the request that brought them."""

    number: int
    source: str
    table: bytes
    columns: tuple[WireColumn, ...]
    texts: tuple[str, ...]
    received_us: int
    request_id: str = ""


class Tell(msgspec.Struct, frozen=True, tag="tell"):
    """Please say what you counted."""

    number: int


class Publish(msgspec.Struct, frozen=True, tag="publish"):
    """Please put this on a topic of a gateway, retained or not."""

    number: int
    topic: str
    payload: bytes
    is_retained: bool


class Handed(msgspec.Struct, frozen=True, array_like=True):
    """A message from the broker as it came; is_hello: the first words of a gateway, else a batch."""

    gateway: str
    payload: bytes
    is_hello: bool = False


class Hand(msgspec.Struct, frozen=True, tag="hand"):
    """Please settle these messages, which another consumer of the broker took; the reply comes when all are durable."""

    number: int
    messages: tuple[Handed, ...]


class Archive(msgspec.Struct, frozen=True, tag="archive"):
    """Please note that these are in a backup: gateway, epoch, and up to which seq."""

    number: int
    marks: tuple[tuple[str, int, int], ...]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a request; refusal: the error's name, message and code."""

    number: int
    written: tuple[int, int, int, int, int] | None = None
    samples: tuple[Sample, ...] | None = None
    refusal: tuple[str, str, str] | None = None


Request = Take | Tell | Publish | Hand | Archive


def ask_take(number: int, arrival: Arrival) -> Take:
    """Return the request to store this arrival."""
    columns = tuple(
        WireColumn(
            column.kind,
            column.tag.tobytes(),
            column.time_us.tobytes(),
            column.value.tobytes(),
            column.quality.tobytes(),
        )
        for column in arrival.block.columns
    )
    block = arrival.block
    return Take(
        number, arrival.source, arrival.table.body, columns, block.texts, arrival.received_us, current_request_id()
    )


def arrival_of(request: Take) -> Arrival:
    """Return the arrival that is asked to be stored; raise Invalid where it is none."""
    try:
        block = ReadingBlock(tuple(_column(column) for column in request.columns), request.texts)
        table = TagTable.from_body(request.table)
    except (InvalidContent, ValueError) as error:
        raise Invalid(f"not readings: {error}", code="INVALID_READINGS") from error
    return Arrival(request.source, table, block, received_us=request.received_us)


def reply_of(number: int, outcome: Outcome) -> Reply:
    """Return what is said of this outcome."""
    match outcome:
        case Written():
            counts = (outcome.stored, outcome.duplicate, outcome.replaced, outcome.rejected, outcome.late)
            return Reply(number, written=counts)
        case CloudError():
            return Reply(number, refusal=(type(outcome).__name__, str(outcome), outcome.code))
        case None:
            return Reply(number, written=(0, 0, 0, 0, 0))


def refusal_of(reply: Reply) -> CloudError | None:
    """Return the error that a reply tells of."""
    if reply.refusal is None:
        return None
    name, message, code = reply.refusal
    kind = next((kind for kind in _REFUSALS if kind.__name__ == name), CloudError)
    return kind(message, code=code)


def framed(message: Request | Reply) -> bytes:
    """Return the message as it goes over the socket; raise Invalid where it is too large."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise Invalid(f"{len(body)} bytes of readings at once are over {MAX_MESSAGE_BYTES}", code="TOO_LARGE")
    return _LENGTH.pack(len(body)) + body


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Return the next message's bytes; raise Unavailable where the other side is gone or makes no sense."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_MESSAGE_BYTES:
            raise Unavailable(f"a message of {length} bytes on the door is over {MAX_MESSAGE_BYTES}")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Unavailable("the other side of the door is gone", code="INGEST_AWAY") from error


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name for this path that fits into a socket address, however deep the directory lies."""
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def _column(wire: WireColumn) -> Column:
    return Column(
        wire.kind,
        np.frombuffer(wire.tag, dtype=np.uint32),
        np.frombuffer(wire.time_us, dtype=np.int64),
        np.frombuffer(wire.value, dtype=wire.kind.dtype),
        np.frombuffer(wire.quality, dtype=np.uint8),
    )
