"""What a damaged buffer file still gives: whole frames, whose crc holds, stored again under the keys they have."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path

from edge_agent.buffers.books import Book
from edge_agent.buffers.shelf import Shelf
from edge_agent.errors import BufferUnusable
from edge_agent.ports import StoredBatch
from protocols.batch import BatchKind, Header
from protocols.codec import unpack
from protocols.delivery import EpochMarks
from protocols.errors import ProtocolError

_FRAMES_A_COMMIT = 16
_FURTHEST = 1 << 40
Saved = tuple[Header, bytes]


def frames(path: Path, *, gateway: str) -> Generator[Saved, None, None]:
    """Yield the whole frames of this gateway in order of storing, stepping over what cannot be read.

    Raises BufferUnusable where somebody else holds the file.
    """
    try:
        connection = sqlite3.connect(path, timeout=1.0)
    except sqlite3.Error:
        return
    with closing(connection):
        at, step = 0, 1
        while step < _FURTHEST:
            row = _first_from(connection, at)
            if row is None:
                at, step = at + step, step * 2
                continue
            row_id, data = row
            if row_id < 0:
                return
            at, step = row_id + 1, 1
            header = _header(data, gateway)
            if header is not None:
                yield header, data


def _first_from(connection: sqlite3.Connection, at: int) -> tuple[int, bytes] | None:
    """Return the first row from this id on, (-1, nothing) after the last one, None where it cannot be read."""
    try:
        rows = connection.execute("SELECT id, frame FROM batch WHERE id >= ? ORDER BY id LIMIT 1", (at,)).fetchall()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise BufferUnusable(f"a damaged buffer cannot be saved while another process holds it: {error}") from error
        return None
    return rows[0] if rows else (-1, b"")


def refill(shelf: Shelf, saved: Iterable[Saved], *, at_us: int) -> int:
    """Store the frames, a few a commit, with nothing acked; return how many."""
    count = 0
    rest = iter(saved)
    while some := list(islice(rest, _FRAMES_A_COMMIT)):
        with shelf.changing():
            for header, data in some:
                count += _put(shelf, header, data, at_us)
            shelf.save()
    return count


def _put(shelf: Shelf, header: Header, data: bytes, at_us: int) -> bool:
    book = shelf.books.get(header.epoch)
    if book is None:
        first_id = shelf.standing.last_id + 1
        book = Book(header.epoch, first_id, EpochMarks(header.epoch, 0), lo=header.seq, last=header.seq - 1)
    if header.seq <= book.last:
        return False
    stored = StoredBatch(header.key, header.kind, header.count, data)
    shelf.add(book, stored, at_us=at_us, table=header.table if header.kind is BatchKind.TAGS else None)
    return True


def _header(data: object, gateway: str) -> Header | None:
    if not isinstance(data, bytes):
        return None
    try:
        header = unpack(data).header
    except ProtocolError:
        return None
    return header if header.gateway == gateway else None
