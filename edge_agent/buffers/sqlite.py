"""SqliteBuffer: the buffer on disk. A row is a sealed batch; what is settled is kept as ranges, one row an epoch.

So an ack, and even un-acking millions of batches, writes one small row, and no question scans what is settled.
Invariants: I4 a key is given once: the epoch is drawn at each open, the seq inside the storing transaction; I9 ids
rise with time, seqs with ids; generation and marks change in one transaction; the books' readings (I8) change in the
transaction that stores, settles, purges or gives up the rows they count.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from edge_agent.buffers.ballast import BALLAST_BYTES, Ballast
from edge_agent.buffers.database import PAGE_BYTES, Database
from edge_agent.buffers.declaring import FRAME_BYTES, GivenUp, Terms, declare, give_up
from edge_agent.buffers.due import Due
from edge_agent.buffers.leaving import acked, declarations, going, unused_tags, waiting
from edge_agent.buffers.marks import newly_settled
from edge_agent.buffers.place import BufferPlace, draw_epoch
from edge_agent.buffers.retention import MAX_ROWS_A_STEP, Room, Row, policy_cap, row_bytes, take
from edge_agent.buffers.shelf import Shelf
from edge_agent.errors import BufferDamaged, BufferFull
from edge_agent.ports import Ledger, StoredBatch
from protocols.batch import BatchKind, Key, SealedBatch
from protocols.codec import pack, seal_drop
from protocols.delivery import Ack, EpochMarks, EpochRange
from protocols.errors import InvalidContent

_SHRINK_PAGES = 200
_PART_OF_BALLAST = 4


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
        if ballast is not None and not ballast.lay():
            self._settle_in()
            self._grow_no_more(keeps_room=True)

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
        for is_last in (False, True):
            try:
                return self._append(batches, at_us)
            except BufferFull as error:
                if error.__cause__ is None:  # the policy itself found nothing to give up
                    raise
                self._grow_no_more(keeps_room=not is_last)
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
            return self._shelf.fetch((row_id, self._shelf.key_of(row_id)) for row_id in found)

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
            free = self._database.free_pages() * PAGE_BYTES
        spare = self._cap == self._full_cap and free > max(self._full_cap // 8, self._shelf.used // 4)
        if spare:
            self._database.shrink(_SHRINK_PAGES)
        return purged or spare

    def give_up_data(self, *, reason: str, at_us: int) -> int:
        """Drop all data that waits, a step a transaction, and declare it; return the readings. For a person to ask."""
        readings = 0
        while True:
            with self._shelf.changing():
                rows = list(islice(waiting(self._shelf, (BatchKind.DATA,)), MAX_ROWS_A_STEP))
                if not rows:
                    return readings
                drops = declare(rows, declarations(self._shelf), Terms.of(self._cap, reason=reason))
                self._give_up(GivenUp(rows, drops), at_us)
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
                changed = self._make_room(sum(row_bytes(len(b.body) + FRAME_BYTES) for b in batches), at_us)
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
        purged = take(acked(self._shelf, only_archived=False), short)
        self._purge_rows(purged)
        short -= sum(row.size for row in purged)
        if short > 0:
            said = declarations(self._shelf)
            terms = Terms.of(self._cap, reason="the buffer is full")
            self._give_up(give_up(going(self._shelf, said), said, short, terms), at_us)
        if self._shelf.used + incoming > self._cap:
            raise BufferFull(f"{incoming} bytes more do not fit: {self._shelf.used} of {self._cap} wait for the cloud")
        return True

    def _give_up(self, given: GivenUp, at_us: int) -> None:
        self._shelf.remove(given.rows)
        for row in given.rows:
            book = self._shelf.books[row.epoch]
            self._shelf.books[row.epoch] = replace(book, dropped=book.dropped + row.readings)
        segment = self._segment
        for drop in given.drops:
            self._insert(seal_drop(drop, segment=segment), at_us)

    def _purge(self) -> bool:
        """Remove one step of acked batches above the safety copy, inside a transaction; return whether any left."""
        excess = Room(self._shelf.used, self._cap).excess()
        if not excess:
            return False
        archived = any(book.marks.a for book in self._shelf.in_order())
        rows = take(acked(self._shelf, only_archived=archived), excess, limit=MAX_ROWS_A_STEP)
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
        while (unused := unused_tags(self._shelf)) is not None:
            self._shelf.remove([unused])
            self._count_purged(unused)

    def _count_purged(self, row: Row) -> None:
        book = self._shelf.books[row.epoch]
        acked, purged = book.acked - row.readings, book.purged + row.readings
        self._shelf.books[row.epoch] = replace(book, acked=acked, purged=purged, acked_rows=book.acked_rows - 1)

    def _settle(self, marks: EpochMarks) -> None:
        book = self._shelf.books[marks.epoch]
        told = book.told(marks)
        rows, readings = self._shelf.tally(book, newly_settled(book.marks, told, book.last))
        acked_rows = book.acked_rows + rows
        self._shelf.books[marks.epoch] = replace(book, marks=told, acked_rows=acked_rows, acked=book.acked + readings)

    def _forget(self) -> None:
        self._shelf.books = {epoch: book.forgotten() for epoch, book in self._shelf.books.items()}

    def _grow_no_more(self, *, keeps_room: bool) -> None:
        """Make room inside the file only, until the ballast can be laid again; what that gives is for log and rows.

        keeps_room: also in what the file has of the disk without using it.
        """
        if self._ballast is not None and self._ballast.give_up():
            self._settle_in()
        self._database.checkpoint()
        room = policy_cap(self._database.bytes_on_disk()) if keeps_room else 0
        self._cap = min(self._cap, max(room, self._shelf.used))

    def _settle_in(self) -> None:
        self._database.settle_in(min(self._full_cap, BALLAST_BYTES // _PART_OF_BALLAST))
