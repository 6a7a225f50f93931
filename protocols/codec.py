"""Batch <-> bytes: the frame around every batch, versioned, bounded, with a crc32; `columns.py` is the body of data.

    "LB" | version u8 | length of the header u16 | header, msgpack | body, zstd | crc32 u32 over all before

Numbers are little-endian. The version stands at a fixed place and is looked at before anything else is believed.
`unpack` raises MalformedFrame (the sender must send again); `open_*` raise InvalidContent (the sender cannot mend it).
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from protocols import columns
from protocols.batch import (
    MAX_ACCEPTED_BYTES,
    MAX_BODY_BYTES,
    MAX_SMALL_BODY_BYTES,
    BatchKind,
    Drop,
    GatewayEvent,
    Header,
    Key,
    SealedBatch,
)
from protocols.compression import compress, decompress
from protocols.errors import ChecksumMismatch, InvalidContent, MalformedFrame, Oversized, Truncated, UnknownVersion
from protocols.reading import ReadingBlock
from protocols.tag import MAX_TABLE_BYTES, TagTable
from protocols.topics import NAME

MAGIC = b"LB"
VERSION = 1
_PROLOGUE = struct.Struct("<2sBH")
_CRC = struct.Struct("<I")
_TABLE_HASH = re.compile(r"[0-9a-f]{16}")
_MAX_NUMBER = (1 << 63) - 1
Content = TypeVar("Content", Drop, GatewayEvent)


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch as it came off the wire; body: still compressed; crc: of header and body, the batch's fingerprint."""

    header: Header
    body: bytes
    crc: int


def seal_data(block: ReadingBlock, *, segment: int, table: str) -> SealedBatch:
    """Return readings as a batch; table: hash of the tag table that their indices mean.

    Raises InvalidContent where the block has more readings or longer texts than a batch may hold.
    """
    return SealedBatch(BatchKind.DATA, segment, table, len(block), compress(columns.encode(block)))


def seal_tags(table: TagTable, *, segment: int) -> SealedBatch:
    """Return a tag table as a batch that bears the table's hash."""
    return SealedBatch(BatchKind.TAGS, segment, table.hash, 0, compress(table.body))


def seal_drop(drop: Drop, *, segment: int) -> SealedBatch:
    """Return a declaration of readings given up as a batch."""
    return SealedBatch(BatchKind.DROP, segment, "", drop.readings, compress(msgspec.msgpack.encode(drop)))


def seal_event(event: GatewayEvent, *, segment: int) -> SealedBatch:
    """Return an event as a batch."""
    return SealedBatch(BatchKind.EVENT, segment, "", 0, compress(msgspec.msgpack.encode(event)))


def pack(sealed: SealedBatch, *, gateway: str, key: Key) -> bytes:
    """Return the frame that goes on the wire.

    Raises Oversized where no decoder would take it, MalformedFrame where a part of the header is not valid.
    """
    header = Header(sealed.kind, gateway, key.epoch, key.seq, sealed.segment, sealed.table, sealed.count)
    _check(header)
    head = msgspec.msgpack.encode(header)
    content = b"".join((_PROLOGUE.pack(MAGIC, VERSION, len(head)), head, sealed.body))
    if len(content) + _CRC.size > MAX_ACCEPTED_BYTES:
        raise Oversized(f"a frame of {len(content) + _CRC.size} bytes is over {MAX_ACCEPTED_BYTES}")
    return content + _CRC.pack(zlib.crc32(content))


def unpack(frame: bytes) -> Frame:
    """Return header, compressed body and crc; raise MalformedFrame, or the kind of it that says more."""
    if len(frame) > MAX_ACCEPTED_BYTES:
        raise Oversized(f"a frame of {len(frame)} bytes is over {MAX_ACCEPTED_BYTES}")
    if len(frame) < _PROLOGUE.size:
        raise Truncated(f"a frame of {len(frame)} bytes ends before its prologue does")
    magic, version, length = _PROLOGUE.unpack_from(frame)
    if magic != MAGIC:
        raise MalformedFrame(f"a frame begins with {MAGIC!r}, not {magic!r}")
    if version != VERSION:
        raise UnknownVersion(f"a frame of version {version}; this one knows {VERSION}")
    begin, end = _PROLOGUE.size + length, len(frame) - _CRC.size
    if begin > end:
        raise Truncated(f"a frame of {len(frame)} bytes ends inside its header of {length}")
    (crc,) = _CRC.unpack_from(frame, end)
    if zlib.crc32(memoryview(frame)[:end]) != crc:
        raise ChecksumMismatch(f"a frame of {len(frame)} bytes does not have the crc32 {crc:08x} that it says")
    return Frame(_read_header(frame[_PROLOGUE.size : begin]), frame[begin:end], crc)


def open_data(frame: Frame) -> ReadingBlock:
    """Return the readings of a data batch; raise InvalidContent."""
    block = columns.decode(_body(frame, BatchKind.DATA, MAX_BODY_BYTES))
    if len(block) != frame.header.count:
        raise InvalidContent(f"the header says {frame.header.count} readings, the body has {len(block)}")
    return block


def open_tags(frame: Frame) -> TagTable:
    """Return the tag table of a tags batch; raise InvalidContent."""
    body = _body(frame, BatchKind.TAGS, MAX_TABLE_BYTES)
    table = TagTable.from_body(body)
    if table.body != body or table.hash != frame.header.table:
        raise InvalidContent(f"the header says tag table {frame.header.table}, the body has {table.hash}")
    return table


def open_drop(frame: Frame) -> Drop:
    """Return the declaration of a drop batch; raise InvalidContent."""
    drop = _small(frame, BatchKind.DROP, Drop)
    if drop.readings != frame.header.count or drop.lo > drop.hi:
        said = f"batches {drop.lo}..{drop.hi} with {drop.readings} readings"
        raise InvalidContent(f"a Drop of {said} contradicts itself or the header's count of {frame.header.count}")
    _check_counts(drop)
    return drop


def open_event(frame: Frame) -> GatewayEvent:
    """Return the event of an event batch; raise InvalidContent."""
    return _small(frame, BatchKind.EVENT, GatewayEvent)


def _check_counts(drop: Drop) -> None:
    """Raise InvalidContent where what each batch held is not what all held."""
    batches, readings = sum(many for many, _ in drop.counts), sum(many * each for many, each in drop.counts)
    if drop.counts and (batches, readings) != (drop.hi - drop.lo + 1, drop.readings):
        said = f"batches {drop.lo}..{drop.hi} with {drop.readings} readings"
        raise InvalidContent(f"a Drop of {said} counts {batches} batches with {readings}")


def _body(frame: Frame, kind: BatchKind, limit: int) -> bytes:
    if frame.header.kind != kind:
        raise InvalidContent(f"a batch of kind {frame.header.kind.name} is not {kind.name}")
    return decompress(frame.body, limit=limit)


def _small(frame: Frame, kind: BatchKind, form: type[Content]) -> Content:
    body = _body(frame, kind, MAX_SMALL_BODY_BYTES)
    try:
        return msgspec.msgpack.decode(body, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent(f"not a {form.__name__}: {error}") from error


def _read_header(head: bytes) -> Header:
    try:
        header = msgspec.msgpack.decode(head, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(f"the header cannot be read: {error}") from error
    _check(header)
    return header


def _check(header: Header) -> None:
    """Raise MalformedFrame where a part of the header is out of its range."""
    if not NAME.fullmatch(header.gateway):
        raise MalformedFrame(f"the header names gateway {header.gateway[:80]!r}, which is no name")
    if not (1 <= header.epoch <= _MAX_NUMBER and 1 <= header.seq <= _MAX_NUMBER):
        raise MalformedFrame(f"the header's epoch {header.epoch} or seq {header.seq} is not in 1..2^63-1")
    if not (0 <= header.segment <= _MAX_NUMBER and 0 <= header.count <= _MAX_NUMBER):
        raise MalformedFrame(f"the header's segment {header.segment} or count {header.count} is not in 0..2^63-1")
    has_table = header.kind in (BatchKind.DATA, BatchKind.TAGS)
    if bool(_TABLE_HASH.fullmatch(header.table)) != has_table or bool(header.table) != has_table:
        raise MalformedFrame(f"a {header.kind.name} batch cannot have the tag table {header.table[:80]!r}")
