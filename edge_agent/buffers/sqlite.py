"""SqliteBuffer: the buffer on disk. A row is a sealed batch; what is settled is kept as ranges, one row an epoch.

So an ack, and even un-acking millions of batches, writes one small row, and no question scans what is settled.
Invariants: I4 a key is given once: the epoch is drawn at each open, the seq inside the storing transaction; I9 ids
rise with time, seqs with ids; generation and marks change in one transaction; the books' readings (I8) change in the
transaction that stores, settles, purges or gives up the rows they count.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from edge_agent.buffers.ballast import Ballast
from edge_agent.buffers.books import Book
from edge_agent.buffers.database import PAGE_BYTES, Database
from edge_agent.buffers.due import Due
from edge_agent.buffers.marks import gaps, newly_settled, settled
from edge_agent.buffers.place import BufferPlace, draw_epoch
from edge_agent.buffers.retention import MAX_ROWS_A_STEP, Room, Row, declare, policy_cap, row_bytes, take
from edge_agent.buffers.shelf import Shelf
from edge_agent.errors import BufferDamaged, BufferFull
from edge_agent.ports import Ledger, StoredBatch
from protocols.batch import BatchKind, Key, SealedBatch
from protocols.codec import pack, seal_drop
from protocols.delivery import Ack, EpochMarks, EpochRange
from protocols.errors import InvalidContent

_HEADER_BYTES = 160
_SHRINK_PAGES = 200


class SqliteBuffer:
    """The Buffer port over one file. Raises BufferDamaged where the file is none; see `file.py` for what then."""

    def __init__(
        self, settings: BufferPlace, *, ballast: Ballast | None = None, draw: Callable[[], int] = draw_epoch
    ) -> None:
        self._gateway = settings.gateway
        self._ballast = ballast
        self._database = Database(settings.path, max_bytes=settings.max_bytes)
        try:
            self._shelf = Shelf(self._database)
        except (ValueError, TypeError, IndexError) as error:
            self._database.close()
            raise BufferDamaged(f"{settings.path} does not hold what a buffer does: {error}") from error
        except BaseException:
            self._database.close()
            raise
        self._epoch = draw()
        self._full_cap = self._cap = policy_cap(settings.max_bytes)
        self._segment = 0
        self._table = ""
        if ballast is not None:
            ballast.lay()

    @property
    def epoch(self) -> int:
        """Return the epoch that new batches are written under."""
        return self._epoch

    @property
    def generation(self) -> int:
        """Return the highest store generation an ack has told of; 0 before the first."""
        return self._shelf.standing.generation

    @property
    def last_at_us(self) -> int:
        """Return the time that the newest batch was stored with, 0 where there never was one."""
        return self._shelf.standing.at_us

    def append(self, batches: Sequence[SealedBatch], *, at_us: int) -> Sequence[Key]:
        """Store all durably in one transaction; where the disk is full, give up ballast, then old batches, for it."""
        try:
            return self._append(batches, at_us)
        except BufferFull as error:
            if error.__cause__ is None:  # the policy itself found nothing to give up
                raise
            self._grow_no_more()
        return self._append(batches, at_us)

    def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        """Return at most `limit` due batches, none in skip: events first, then the `newest` newest, then the oldest."""
        with self._database.reading():
            return self._shelf.fetch(Due(self._shelf, skip).pick(limit=limit, newest=newest).items())

    def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        """Return the newest tags batch of each of these tables that the buffer has, acked or not."""
        newest = {table: row_id for row_id, table in self._shelf.tags}
        found = [newest[table] for table in dict.fromkeys(hashes) if table in newest]
        with self._database.reading():
            return self._shelf.fetch((row_id, self._key(row_id)) for row_id in found)

    def apply(self, ack: Ack) -> bool:
        """Take over the marks of an ack, generation included; a power cut may undo it whole, which costs a resend."""
        if ack.generation < self.generation:
            return False
        raised = ack.generation > self.generation
        known = [marks for marks in ack.epochs if marks.epoch in self._shelf.books]
        if not raised and not any(self._shelf.books[marks.epoch].learns(marks) for marks in known):
            return True
        with self._shelf.changing(durable=raised):
            if raised:
                self._forget()
                self._shelf.standing = replace(self._shelf.standing, generation=ack.generation)
            for marks in known:
                self._settle(marks)
            if not self._purge():
                self._shelf.save() if raised else self._shelf.save_books()
        return True

    def unack(self) -> int:
        """Un-ack every retained batch, because the store went back; return how many."""
        count = sum(book.acked_rows for book in self._shelf.in_order())
        with self._shelf.changing():
            self._forget()
            self._shelf.save_books()
        return count

    def epochs(self) -> Sequence[EpochRange]:
        """Return each epoch with unpurged batches, oldest first."""
        return [book.range(closed=book.epoch != self._epoch) for book in self._shelf.in_order() if book.rows]

    def marks(self) -> Sequence[EpochMarks]:
        """Return what is known to be settled of each epoch with unpurged batches, in the generation known."""
        return [book.marks for book in self._shelf.in_order() if book.rows]

    def ledger(self) -> Ledger:
        """Count readings sealed, acked, dropped and waiting, per epoch."""
        books = self._shelf.in_order()
        with self._database.reading():
            first = next(Due(self._shelf, frozenset()).oldest(), None)
            oldest = self._shelf.at_us(first[0]) if first else None
        return Ledger(
            epochs=tuple(book.account() for book in books),
            batches_waiting=sum(book.rows - book.acked_rows for book in books),
            bytes_used=self._shelf.used,
            bytes_cap=self._full_cap,
            oldest_waiting_us=oldest,
            bytes_written_today=self._shelf.standing.written,
        )

    def maintain(self) -> bool:
        """Purge a step, give free pages back to the disk, lay the ballast again; return whether there is more."""
        if self._ballast is None or self._ballast.lay():
            self._cap = self._full_cap
        with self._shelf.changing(durable=False):
            purged = self._purge()
        with self._database.reading():
            spare = self._database.free_pages() * PAGE_BYTES > max(self._full_cap // 8, self._shelf.used // 4)
        if spare:
            self._database.shrink(_SHRINK_PAGES)
        return purged or spare

    def give_up_data(self, *, reason: str, at_us: int) -> int:
        """Drop all data that waits, a step a transaction, and declare it; return the readings. For a person to ask."""
        readings = 0
        while True:
            with self._shelf.changing():
                rows = list(islice(self._open(BatchKind.DATA), MAX_ROWS_A_STEP))
                if not rows:
                    return readings
                self._give_up(rows, at_us, reason)
                self._shelf.save()
            readings += sum(row.readings for row in rows)

    def close(self) -> None:
        """Finish writing and let go of the file."""
        self._database.close()

    def _append(self, batches: Sequence[SealedBatch], at_us: int) -> Sequence[Key]:
        if not batches:
            return ()
        table, segment = self._table, self._segment
        try:
            with self._shelf.changing():
                changed = self._make_room(sum(row_bytes(len(b.body) + _HEADER_BYTES) for b in batches), at_us)
                keys = [self._insert(batch, at_us) for batch in batches]
                self._shelf.count_writing(sum(len(b.body) for b in batches), at_us=at_us)
                if not self._purge() and changed:
                    self._shelf.save()
        except BaseException:
            self._table, self._segment = table, segment
            raise
        return keys

    def _insert(self, batch: SealedBatch, at_us: int) -> Key:
        book = self._shelf.books.get(self._epoch) or self._shelf.begin(self._epoch)
        if batch.kind is BatchKind.TAGS:
            self._table = batch.table
        elif batch.kind is BatchKind.DATA and batch.table != self._table:
            raise InvalidContent(f"data uses tag table {batch.table!r}, the last one stored is {self._table!r}")
        self._segment = batch.segment
        key = Key(self._epoch, book.last + 1)
        stored = StoredBatch(key, batch.kind, batch.count, pack(batch, gateway=self._gateway, key=key))
        self._shelf.add(book, stored, at_us=at_us, table=batch.table if batch.kind is BatchKind.TAGS else None)
        return key

    def _make_room(self, incoming: int, at_us: int) -> bool:
        """Remove what must go before so many bytes more fit; return whether anything went."""
        short = Room(self._shelf.used, self._cap).shortfall(incoming)
        if not short:
            return False
        purged = take(self._acked(only_archived=False), short)
        self._purge_rows(purged)
        short -= sum(row.size for row in purged)
        if short > 0:
            self._give_up(take(chain(self._open(BatchKind.DATA), self._open(BatchKind.EVENT)), short), at_us)
        if self._shelf.used + incoming > self._cap:
            raise BufferFull(f"{incoming} bytes more do not fit: {self._shelf.used} of {self._cap} wait for the cloud")
        return True

    def _give_up(self, given: Sequence[Row], at_us: int, reason: str = "the buffer is full") -> None:
        rows = sorted(given, key=lambda row: row.id)
        self._shelf.remove(rows)
        for row in rows:
            book = self._shelf.books[row.epoch]
            self._shelf.books[row.epoch] = replace(book, dropped=book.dropped + row.readings)
        segment = self._segment
        for drop in declare(rows, reason=reason):
            self._insert(seal_drop(drop, segment=segment), at_us)

    def _purge(self) -> bool:
        """Remove one step of acked batches above the safety copy, inside a transaction; return whether any left."""
        excess = Room(self._shelf.used, self._cap).excess()
        if not excess:
            return False
        archived = any(book.marks.a for book in self._shelf.in_order())
        rows = take(self._acked(only_archived=archived), excess, limit=MAX_ROWS_A_STEP)
        self._purge_rows(rows)
        if rows:
            self._shelf.save()
        return bool(rows)

    def _purge_rows(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self._shelf.remove(rows)
        for row in rows:
            self._count_purged(row)
        while (unused := self._unused_tags()) is not None:
            self._shelf.remove([unused])
            self._count_purged(unused)

    def _count_purged(self, row: Row) -> None:
        book = self._shelf.books[row.epoch]
        acked, purged = book.acked - row.readings, book.purged + row.readings
        self._shelf.books[row.epoch] = replace(book, acked=acked, purged=purged, acked_rows=book.acked_rows - 1)

    def _unused_tags(self) -> Row | None:
        """Return the oldest tags batch if it is acked, not in use and without data that needs it."""
        if len(self._shelf.tags) < 2:
            return None
        (row_id, _), (next_id, _) = self._shelf.tags[:2]
        book = self._book(row_id)
        seq = book.seq_of(row_id)
        if not any(settled(book.marks, seq, seq)) or self._shelf.has_data(row_id, next_id):
            return None
        return next(self._shelf.rows(book, seq, seq))

    def _acked(self, *, only_archived: bool) -> Iterator[Row]:
        for book in self._shelf.in_order():
            last = book.marks.a if only_archived else book.last
            for lo, hi in settled(book.marks, book.lo, last):
                yield from (row for row in self._shelf.rows(book, lo, hi) if row.kind is not BatchKind.TAGS)

    def _open(self, kind: BatchKind) -> Iterator[Row]:
        for book in self._shelf.in_order():
            for lo, hi in gaps(book.marks, book.lo, book.last):
                yield from (row for row in self._shelf.rows(book, lo, hi) if row.kind is kind)

    def _settle(self, marks: EpochMarks) -> None:
        book = self._shelf.books[marks.epoch]
        told = book.told(marks)
        rows, readings = self._shelf.tally(book, newly_settled(book.marks, told, book.last))
        acked_rows = book.acked_rows + rows
        self._shelf.books[marks.epoch] = replace(book, marks=told, acked_rows=acked_rows, acked=book.acked + readings)

    def _forget(self) -> None:
        self._shelf.books = {epoch: book.forgotten() for epoch, book in self._shelf.books.items()}

    def _grow_no_more(self) -> None:
        """Make room inside the file only, until the ballast can be laid again; its place is for the log to work in."""
        if self._ballast is not None:
            self._ballast.give_up()
        self._cap = min(self._cap, self._shelf.used)
        self._database.checkpoint()

    def _book(self, row_id: int) -> Book:
        return next(book for book in reversed(self._shelf.in_order()) if book.first_id <= row_id)

    def _key(self, row_id: int) -> Key:
        book = self._book(row_id)
        return Key(book.epoch, book.seq_of(row_id))
