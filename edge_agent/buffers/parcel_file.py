"""Parcel file: what a buffer held, in one file that can be carried to another gateway; checked from end to end.

    "LSB1" | length u32 | label, JSON | (length u32 | at_us i64 | frame)* | 0 u32 | sha256 over all before

Numbers are little-endian. It is written beside its place and gets its name when all of it is durable.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from edge_agent.errors import ParcelUnusable
from protocols.batch import Header
from protocols.codec import unpack
from protocols.delivery import EpochMarks
from protocols.errors import ProtocolError

MAGIC = b"LSB1"
FORMAT = 1
_LENGTH = struct.Struct("<I")
_TIME = struct.Struct("<q")
_DIGEST_BYTES = hashlib.sha256().digest_size
_MAX_LABEL_BYTES = 64 * 1024 * 1024
_MAX_FRAME_BYTES = 4 * 1024 * 1024


class EpochLabel(msgspec.Struct, frozen=True):
    """The account of one epoch, whose batches follow; readings: sealed and dropped in all; marks: what was settled."""

    marks: EpochMarks
    last: int
    sealed: int
    dropped: int

    @property
    def epoch(self) -> int:
        """Return the epoch."""
        return self.marks.epoch


class Label(msgspec.Struct, frozen=True):
    """Whose batches these are, and what was known of them; generation: of the store that the marks are of."""

    format: int
    program: str
    gateway: str
    at_us: int
    generation: int
    epochs: tuple[EpochLabel, ...]


class Carried(NamedTuple):
    """One batch with its key, and when it was stored."""

    header: Header
    at_us: int
    frame: bytes


def write_parcel(path: Path, label: Label, rows: Iterable[tuple[int, bytes]]) -> int:
    """Write times and frames in order of storing, and return how many; raise ParcelUnusable where they cannot be."""
    if path.exists():
        raise ParcelUnusable(f"{path} is there already: choose another name")
    draft = path.with_name(f".{path.name}.partial")
    try:
        draft.unlink(missing_ok=True)
        try:
            count = _write(draft, label, rows)
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync(path.parent)
    except OSError as error:
        raise ParcelUnusable(f"{path} cannot be written: {error.strerror}") from error
    return count


def read_label(path: Path) -> Label:
    """Return whose batches a file holds, when all of it is as it was written; raise ParcelUnusable."""
    with _reading(path) as file:
        label = _label(path, file)
        _check_digest(path, file)
    return label


def read_parcel(path: Path) -> Iterator[Carried]:
    """Yield the batches of a file in order of storing; raise ParcelUnusable."""
    with _reading(path) as file:
        gateway = _label(path, file).gateway
        while length := _length(path, file):
            if length > _MAX_FRAME_BYTES:
                raise ParcelUnusable(f"{path} is damaged: a batch of {length} bytes")
            (at_us,) = _TIME.unpack(_exactly(path, file, _TIME.size))
            frame = _exactly(path, file, length)
            yield Carried(_header(path, frame, gateway), at_us, frame)


def _write(draft: Path, label: Label, rows: Iterable[tuple[int, bytes]]) -> int:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    digest, count = hashlib.sha256(), 0
    with os.fdopen(descriptor, "wb") as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        told = msgspec.json.encode(label)
        put(MAGIC + _LENGTH.pack(len(told)) + told)
        for at_us, frame in rows:
            put(_LENGTH.pack(len(frame)) + _TIME.pack(at_us) + frame)
            count += 1
        put(_LENGTH.pack(0))
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    return count


def _reading(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ParcelUnusable(f"{path} cannot be read: {error.strerror}") from error


def _label(path: Path, file: BinaryIO) -> Label:
    if file.read(len(MAGIC)) != MAGIC:
        raise ParcelUnusable(f"{path} is not what `buffer export` writes")
    length = _length(path, file)
    if length > _MAX_LABEL_BYTES:
        raise ParcelUnusable(f"{path} is damaged: a label of {length} bytes")
    try:
        label = msgspec.json.decode(_exactly(path, file, length), type=Label)
    except msgspec.MsgspecError as error:
        raise ParcelUnusable(f"{path} is damaged: {error}") from error
    if label.format != FORMAT:
        raise ParcelUnusable(f"{path} is of format {label.format}, this program knows {FORMAT}")
    return label


def _check_digest(path: Path, file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END) - _DIGEST_BYTES
    digest, left = hashlib.sha256(), end
    file.seek(0)
    while left > 0 and (piece := file.read(min(left, 1 << 20))):
        digest.update(piece)
        left -= len(piece)
    if file.read(_DIGEST_BYTES) != digest.digest():
        raise ParcelUnusable(f"{path} is damaged, or torn: its end does not fit to what is before it")


def _length(path: Path, file: BinaryIO) -> int:
    return int(_LENGTH.unpack(_exactly(path, file, _LENGTH.size))[0])


def _exactly(path: Path, file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise ParcelUnusable(f"{path} is torn: it ends too early")
    return data


def _header(path: Path, frame: bytes, gateway: str) -> Header:
    try:
        header = unpack(frame).header
    except ProtocolError as error:
        raise ParcelUnusable(f"{path} holds a damaged batch: {error}") from error
    if header.gateway != gateway:
        raise ParcelUnusable(f"{path} is of gateway {gateway!r}, but holds a batch of {header.gateway!r}")
    return header


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
