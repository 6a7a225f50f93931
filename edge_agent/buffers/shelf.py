"""The rows of a buffer file and the books about them: storing, finding, removing; decides nothing.

Books and standing are mirrored in memory. A row that was added since a book was last saved is found again when the
file is opened, so that storing a batch writes its row and nothing else; what removes or settles rows saves the books.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace

from edge_agent.buffers.books import Book
from edge_agent.buffers.database import PAGE_BYTES, Database
from edge_agent.buffers.marks import Range
from edge_agent.buffers.retention import Row, row_bytes, runs
from edge_agent.ports import StoredBatch
from protocols.batch import BatchKind, Key
from protocols.delivery import EpochMarks

_CHUNK = 256
_KEPT_EMPTY_BOOKS = 32
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for the whole file; last_id, at_us: of the newest row ever; added, removed: bytes; day: since 1970."""

    generation: int = 0
    last_id: int = 0
    at_us: int = 0
    added: int = 0
    removed: int = 0
    day: int = 0
    written: int = 0


class Shelf:
    """All rows of one file. Changes happen inside `changing`, which undoes the mirror too when it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.books: dict[int, Book] = {}
        self.standing = Standing()
        self.tags: tuple[tuple[int, str], ...] = ()
        self.drops: tuple[int, ...] = ()
        self._saved: dict[int, Book] = {}
        with database.reading():
            self._load()

    @property
    def used(self) -> int:
        """Return the bytes that the retained rows take, by `row_bytes`."""
        return self.standing.added - self.standing.removed

    def in_order(self) -> list[Book]:
        """Return the books, oldest first."""
        return list(self.books.values())

    def book_of(self, row_id: int) -> Book:
        """Return the book that this row is in."""
        return next(book for book in reversed(self.in_order()) if book.first_id <= row_id)

    def key_of(self, row_id: int) -> Key:
        """Return the key of the batch in this row."""
        book = self.book_of(row_id)
        return Key(book.epoch, book.seq_of(row_id))

    @contextmanager
    def changing(self, *, durable: bool = True) -> Iterator[None]:
        """Commit all changes made inside, or none."""
        before = (dict(self.books), self.standing, self.tags, self.drops, dict(self._saved))
        try:
            with self._database.transaction(durable=durable):
                yield
        except BaseException:
            self.books, self.standing, self.tags, self.drops, self._saved = before
            raise

    def begin(self, epoch: int) -> Book:
        """Open the book of a new epoch and save it with all others."""
        book = Book(epoch, self.standing.last_id + 1, EpochMarks(epoch, 0))
        self.books[epoch] = book
        self.save()
        return book

    def add(self, book: Book, batch: StoredBatch, *, at_us: int, table: str | None) -> None:
        """Store one row at the end of this book."""
        readings = batch.count if batch.kind is BatchKind.DATA else 0
        book = replace(book, last=batch.key.seq, rows=book.rows + 1, sealed=book.sealed + readings)
        row_id, added = book.id_of(batch.key.seq), self.standing.added + row_bytes(len(batch.frame))
        row = (row_id, int(batch.kind), batch.count, at_us, book.sealed, added, table, batch.frame)
        self._database.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.books[book.epoch] = book
        self.standing = replace(self.standing, last_id=row_id, at_us=at_us, added=added)
        if table is not None:
            self.tags = (*self.tags, (row_id, table))
        if batch.kind is BatchKind.DROP:
            self.drops = (*self.drops, row_id)

    def count_writing(self, frames: int, *, at_us: int) -> None:
        """Add what a commit with so many bytes of frames writes to the disk: log and file, whole pages."""
        pages = 2 + frames // PAGE_BYTES
        day = at_us // _DAY_US
        written = self.standing.written if day == self.standing.day else 0
        self.standing = replace(self.standing, day=day, written=written + 2 * pages * PAGE_BYTES)

    def rows(self, book: Book, lo: int, hi: int) -> Iterator[Row]:
        """Yield the retained rows lo..hi of a book in order, read in chunks."""
        at, end = book.id_of(lo), book.id_of(hi)
        sql = "SELECT id, kind, count, length(frame) FROM batch WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        while at <= end:
            chunk = self._database.execute(sql, (at, end, _CHUNK)).fetchall()
            for row_id, kind, count, length in chunk:
                yield Row(row_id, book.epoch, book.seq_of(row_id), BatchKind(kind), count, row_bytes(length))
            if len(chunk) < _CHUNK:
                return
            at = chunk[-1][0] + 1

    def ids(self, book: Book, lo: int, hi: int, *, limit: int, newest_first: bool = False) -> list[int]:
        """Return at most `limit` row ids of the retained rows lo..hi of a book."""
        rising = "SELECT id FROM batch WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        falling = "SELECT id FROM batch WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
        sql = falling if newest_first else rising
        found = self._database.execute(sql, (book.id_of(lo), book.id_of(hi), limit)).fetchall()
        return [row_id for (row_id,) in found]

    def events(self, lo_id: int, hi_id: int, *, limit: int) -> list[int]:
        """Return at most `limit` row ids of events between these ids, inclusive."""
        sql = "SELECT id FROM batch INDEXED BY event WHERE kind = 3 AND id BETWEEN ? AND ? ORDER BY id LIMIT ?"
        return [row_id for (row_id,) in self._database.execute(sql, (lo_id, hi_id, limit)).fetchall()]

    def fetch(self, keys: Iterable[tuple[int, Key]]) -> list[StoredBatch]:
        """Return the batches in these rows, with the keys given."""
        sql = "SELECT kind, count, frame FROM batch WHERE id = ?"
        found = ((key, self._database.execute(sql, (row_id,)).fetchone()) for row_id, key in keys)
        return [StoredBatch(key, BatchKind(row[0]), row[1], row[2]) for key, row in found if row is not None]

    def tally(self, book: Book, ranges: Iterable[Range]) -> tuple[int, int]:
        """Return how many rows and how many readings are retained in these ranges of seqs."""
        sql = "SELECT count(*), total(CASE kind WHEN 0 THEN count END) FROM batch WHERE id BETWEEN ? AND ?"
        rows = readings = 0
        for lo, hi in ranges:
            some, count = self._database.execute(sql, (book.id_of(lo), book.id_of(hi))).fetchone()
            rows, readings = rows + some, readings + int(count)
        return rows, readings

    def has_data(self, after_id: int, before_id: int) -> bool:
        """Return whether a data batch lies between these ids."""
        sql = "SELECT 1 FROM batch WHERE id > ? AND id < ? AND kind = 0 LIMIT 1"
        return bool(self._database.scalar(sql, (after_id, before_id)))

    def at_us(self, row_id: int) -> int:
        """Return when the batch in this row was stored."""
        return self._database.scalar("SELECT at_us FROM batch WHERE id = ?", (row_id,))

    def remove(self, rows: Sequence[Row]) -> None:
        """Delete rows and mend first rows, retained rows and bytes in the books; the readings are the caller's."""
        for group in runs(rows):
            self._database.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", (group[0].id, group[-1].id))
        gone = {row.id for row in rows}
        self.tags = tuple(tag for tag in self.tags if tag[0] not in gone)
        self.drops = tuple(row_id for row_id in self.drops if row_id not in gone)
        for epoch in dict.fromkeys(row.epoch for row in rows):
            book = self.books[epoch]
            book = replace(book, rows=book.rows - sum(row.epoch == epoch for row in rows))
            self.books[epoch] = self._with_lowest(book)
        removed = self.standing.removed + sum(row.size for row in rows)
        self.standing = replace(self.standing, removed=removed)

    def save(self) -> None:
        """Write the standing and every book that differs from what the file has; forget old empty books."""
        empty = [epoch for epoch, book in self.books.items() if not book.rows][:-_KEPT_EMPTY_BOOKS]
        for epoch in empty:
            del self.books[epoch]
            self._database.execute("DELETE FROM epoch WHERE epoch = ?", (epoch,))
        self.save_books()
        sql = "REPLACE INTO standing VALUES (1, ?, ?, ?, ?, ?, ?, ?)"
        self._database.execute(sql, astuple(self.standing))

    def save_books(self) -> None:
        """Write every book that differs from what the file has."""
        sql = "REPLACE INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        for epoch, book in self.books.items():
            if self._saved.get(epoch) is not book:
                self._database.execute(sql, book.to_row())
        self._saved = dict(self.books)

    def _with_lowest(self, book: Book) -> Book:
        lowest = self.ids(book, book.lo, book.last, limit=1)
        return replace(book, lo=book.seq_of(lowest[0]) if lowest else book.last + 1)

    def _load(self) -> None:
        execute = self._database.execute
        standing = execute("SELECT * FROM standing").fetchone()
        self.standing = Standing(*standing[1:])
        books = [Book.from_row(row) for row in execute("SELECT * FROM epoch ORDER BY first_id").fetchall()]
        tags = execute("SELECT id, tag_table FROM batch INDEXED BY tag_table WHERE kind = 1 ORDER BY id")
        self.tags = tuple(tags.fetchall())
        self.drops = tuple(row_id for (row_id,) in execute("SELECT id FROM batch WHERE kind = 2 ORDER BY id"))
        last = execute("SELECT id, at_us, sealed, bytes FROM batch ORDER BY id DESC LIMIT 1").fetchone()
        if last is not None and books:
            books[-1] = self._caught_up(books[-1], *last)
        self.books = {book.epoch: self._with_lowest(book) for book in books}

    def _caught_up(self, book: Book, row_id: int, at_us: int, sealed: int, added: int) -> Book:
        if row_id > self.standing.last_id:
            self.standing = replace(self.standing, last_id=row_id, at_us=at_us, added=added)
        more = row_id - book.last_id
        return replace(book, last=book.last + more, rows=book.rows + more, sealed=sealed) if more > 0 else book
