"""Which rows of a shelf may leave, oldest first: those the cloud has, those that wait, and tag tables without users."""

from collections.abc import Collection, Iterator

from edge_agent.buffers.marks import gaps, settled
from edge_agent.buffers.retention import Row
from edge_agent.buffers.shelf import Shelf
from protocols.batch import BatchKind, Drop
from protocols.codec import open_drop, unpack
from protocols.errors import ProtocolError


def acked(shelf: Shelf, *, only_archived: bool) -> Iterator[Row]:
    """Yield what is settled, without tag tables; only_archived: no more than a backup has."""
    for book in shelf.in_order():
        last = book.marks.a if only_archived else book.last
        for lo, hi in settled(book.marks, book.lo, last):
            yield from (row for row in shelf.rows(book, lo, hi) if row.kind is not BatchKind.TAGS)


def waiting(shelf: Shelf, kinds: Collection[BatchKind]) -> Iterator[Row]:
    """Yield what is not settled, of these kinds."""
    for book in shelf.in_order():
        for lo, hi in gaps(book.marks, book.lo, book.last):
            yield from (row for row in shelf.rows(book, lo, hi) if row.kind in kinds)


def going(shelf: Shelf, said: Collection[int]) -> Iterator[Row]:
    """Yield what a full buffer gives up: data, with the declarations in the rows `said`, and then events."""
    for row in waiting(shelf, (BatchKind.DATA, BatchKind.DROP)):
        if row.kind is BatchKind.DATA or row.id in said:
            yield row
    yield from waiting(shelf, (BatchKind.EVENT,))


def declarations(shelf: Shelf) -> dict[int, Drop]:
    """Return what is declared and not settled, by row id; what nobody can read stays as it is."""
    found: dict[int, Drop] = {}
    keys = {row_id: shelf.key_of(row_id) for row_id in shelf.drops}
    due = [(row_id, key) for row_id, key in keys.items() if not shelf.books[key.epoch].marks.covers(key.seq)]
    for (row_id, _), batch in zip(due, shelf.fetch(due), strict=True):
        try:
            found[row_id] = open_drop(unpack(batch.frame))
        except ProtocolError:
            continue
    return found


def unused_tags(shelf: Shelf) -> Row | None:
    """Return the oldest tags batch if it is acked, not in use and without data that needs it."""
    if len(shelf.tags) < 2:
        return None
    (row_id, _), (next_id, _) = shelf.tags[:2]
    book = shelf.book_of(row_id)
    seq = book.seq_of(row_id)
    if not any(settled(book.marks, seq, seq)) or shelf.has_data(row_id, next_id):
        return None
    return next(shelf.rows(book, seq, seq))
