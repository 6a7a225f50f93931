"""Which rows of a shelf are due to be sent, in order, found without looking at what is settled."""

from collections.abc import Iterator

from edge_agent.buffers.books import Book
from edge_agent.buffers.marks import gaps
from edge_agent.buffers.shelf import Shelf
from protocols.batch import Key

_CHUNK = 64


class Due:
    """The open rows of a shelf, seen from the oldest, the newest, and by events only; skip: keys not wanted now."""

    def __init__(self, shelf: Shelf, skip: frozenset[Key]) -> None:
        self._shelf = shelf
        self._skip = skip
        self._books = [book for book in shelf.in_order() if book.acked_rows < book.rows]

    def pick(self, *, limit: int, newest: int) -> dict[int, Key]:
        """Return row ids and keys: events first, then the `newest` newest, then the oldest."""
        picked: dict[int, Key] = {}
        _fill(picked, self.events(), limit)
        _fill(picked, self.newest(), min(limit, len(picked) + newest))
        _fill(picked, self.oldest(), limit)
        return picked

    def events(self) -> Iterator[tuple[int, Key]]:
        """Yield the open events, oldest first."""
        for book in self._books:
            at = book.id_of(max(book.lo, book.marks.c + 1))
            while chunk := self._shelf.events(at, book.last_id, limit=_CHUNK):
                yield from (found for found in self._keyed(book, chunk) if not book.marks.covers(found[1].seq))
                at = chunk[-1] + 1

    def oldest(self) -> Iterator[tuple[int, Key]]:
        """Yield all open rows, oldest first."""
        for book in self._books:
            for lo, hi in gaps(book.marks, book.lo, book.last):
                at = lo
                while chunk := self._shelf.ids(book, at, hi, limit=_CHUNK):
                    yield from self._keyed(book, chunk)
                    at = book.seq_of(chunk[-1]) + 1

    def newest(self) -> Iterator[tuple[int, Key]]:
        """Yield all open rows, newest first."""
        for book in reversed(self._books):
            for lo, hi in reversed(list(gaps(book.marks, book.lo, book.last))):
                at = hi
                while chunk := self._shelf.ids(book, lo, at, limit=_CHUNK, newest_first=True):
                    yield from self._keyed(book, chunk)
                    at = book.seq_of(chunk[-1]) - 1

    def _keyed(self, book: Book, row_ids: list[int]) -> Iterator[tuple[int, Key]]:
        keyed = ((row_id, Key(book.epoch, book.seq_of(row_id))) for row_id in row_ids)
        return (found for found in keyed if found[1] not in self._skip)


def _fill(picked: dict[int, Key], found: Iterator[tuple[int, Key]], wanted: int) -> None:
    if len(picked) >= wanted:
        return
    for row_id, key in found:
        picked.setdefault(row_id, key)
        if len(picked) >= wanted:
            return
