"""Carrying a buffer's batches to another gateway of the same name: out of a buffer at rest, and into one at rest.

Keys and frames stay as they are, so that the cloud stores each once, whichever gateway sends it. An import is made in a
copy of the buffer, which takes the buffer's place when it is whole: what fails, or is cut short, has changed nothing.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from edge_agent.buffers.books import Book
from edge_agent.buffers.database import Database
from edge_agent.buffers.file import being_saved, lock_path
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.marks import clip, settled
from edge_agent.buffers.parcel_file import FORMAT, Carried, EpochLabel, Label, read_label, read_parcel, write_parcel
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.retention import policy_cap, row_bytes
from edge_agent.buffers.shelf import Shelf
from edge_agent.errors import BufferDamaged, BufferFull, BufferUnusable, ParcelUnusable
from edge_agent.ports import StoredBatch
from protocols.batch import BatchKind, Key
from protocols.delivery import EpochMarks

_ROWS_A_COMMIT = 16
_SIDE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Carriage:
    """What was carried; known: batches that the buffer had already, or had had."""

    batches: int
    readings: int
    epochs: int
    known: int = 0


def export_buffer(place: BufferPlace, target: Path, *, program: str, at_us: int, waiting_only: bool) -> Carriage:
    """Write what the buffer holds to a new file; waiting_only: without the safety copy of what the cloud has.

    Raises BufferUnusable where an agent has the buffer or it cannot be read, ParcelUnusable.
    """
    if not place.path.is_file():
        raise BufferUnusable(f"there is no buffer at {place.path}")
    with _at_rest(place), _shelf(place.path, place.max_bytes) as shelf:
        books = [book for book in shelf.in_order() if book.rows]
        epochs = tuple(EpochLabel(book.marks, book.last, book.sealed, book.dropped) for book in books)
        label = Label(FORMAT, program, place.gateway, at_us, shelf.standing.generation, epochs)
        readings = 0

        def rows() -> Iterator[tuple[int, bytes]]:
            nonlocal readings
            for book in books:
                for row_id, batch in _held(shelf, book, waiting_only=waiting_only):
                    readings += batch.count if batch.kind is BatchKind.DATA else 0
                    yield shelf.at_us(row_id), batch.frame

        count = write_parcel(target, label, rows())
    return Carriage(count, readings, len(books))


def import_buffer(place: BufferPlace, source: Path) -> Carriage:
    """Add the batches of a file to the buffer, which need not be there yet; those it knows by their key are skipped.

    Raises ParcelUnusable where the file is not whole, or of another gateway; BufferUnusable, BufferFull.
    """
    label = read_label(source)
    if label.gateway != place.gateway:
        other = f"{source} holds batches of gateway {label.gateway!r}, this is {place.gateway!r}"
        raise ParcelUnusable(f"{other}: a batch keeps its name for ever")
    work = place.path.with_name(f"{place.path.name}.importing")
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
        with _at_rest(place):
            _remove(work)
            try:
                _copy(place, work)
                carriage = _import(place, work, source, label)
                _put_in_place(work, place.path)
            finally:
                _remove(work)
    except OSError as error:
        raise BufferUnusable(f"nothing was imported into {place.path}: {error.strerror}") from error
    return carriage


class _Import:
    """The new epochs of a file on their way into a shelf; an epoch that the shelf knows is only compared."""

    def __init__(self, shelf: Shelf, label: Label, source: Path) -> None:
        self._shelf = shelf
        self._source = source
        self._generation = label.generation
        self._labels = {one.epoch: one for one in label.epochs}
        self._known = dict(shelf.books)
        self._reserved_id = 0
        self._newest_us = shelf.standing.at_us
        self.known = 0

    def look_through(self) -> int:
        """Return how many bytes of rows are new; raise ParcelUnusable where a key has other content here."""
        size = 0
        for carried in read_parcel(self._source):
            book = self._known.get(carried.header.epoch)
            if book is None:
                size += row_bytes(len(carried.frame))
            else:
                self._compare(book, carried)
                self.known += 1
        return size

    def new(self) -> Iterator[Carried]:
        """Yield the batches whose epoch is new here."""
        return (one for one in read_parcel(self._source) if one.header.epoch not in self._known)

    def put_all(self, some: Sequence[Carried]) -> None:
        """Store a few batches under the keys they have, in one transaction."""
        with self._shelf.changing():
            for carried in some:
                self._put(carried)

    def finish(self) -> Carriage:
        """Take over the accounts and, where they are of a store that the buffer knows no other of, the marks."""
        shelf = self._shelf
        is_of_our_store = shelf.standing.generation in (0, self._generation)
        new = [epoch for epoch in shelf.books if epoch not in self._known]
        readings = sum(shelf.books[epoch].sealed for epoch in new)
        batches = sum(shelf.books[epoch].rows for epoch in new)
        for epoch in new:
            shelf.books[epoch] = self._accounted(shelf.books[epoch], has_marks=is_of_our_store)
        generation = self._generation if is_of_our_store else shelf.standing.generation
        last_id = max(shelf.standing.last_id, self._reserved_id)
        shelf.standing = replace(shelf.standing, generation=generation, last_id=last_id, at_us=self._newest_us)
        shelf.save()
        return Carriage(batches, readings, len(new), self.known)

    def _put(self, carried: Carried) -> None:
        header = carried.header
        book = self._shelf.books.get(header.epoch) or self._begin(header.epoch, header.seq)
        if header.seq <= book.last:
            raise ParcelUnusable(f"{self._source} is damaged: batch {header.seq} follows batch {book.last}")
        stored = StoredBatch(header.key, header.kind, header.count, carried.frame)
        table = header.table if header.kind is BatchKind.TAGS else None
        self._shelf.add(book, stored, at_us=carried.at_us, table=table)
        self._newest_us = max(self._newest_us, carried.at_us)

    def _begin(self, epoch: int, seq: int) -> Book:
        label = self._labels.get(epoch)
        if label is None:
            raise ParcelUnusable(f"{self._source} is damaged: its label knows nothing of epoch {epoch:016x}")
        first_id = max(self._shelf.standing.last_id, self._reserved_id) + 1
        book = Book(epoch, first_id, EpochMarks(epoch, 0), lo=seq, last=seq - 1)
        self._reserved_id = book.id_of(label.last)
        return book

    def _accounted(self, book: Book, *, has_marks: bool) -> Book:
        label = self._labels[book.epoch]
        purged = label.sealed - label.dropped - book.sealed
        if purged < 0 or book.last > label.last:
            raise ParcelUnusable(f"{self._source} is damaged: epoch {book.epoch:016x} holds more than its label says")
        marks = clip(label.marks, label.last) if has_marks else EpochMarks(book.epoch, 0)
        book = replace(book, marks=marks, last=label.last, sealed=label.sealed, dropped=label.dropped, purged=purged)
        acked_rows, acked = self._shelf.tally(book, settled(marks, book.lo, book.last))
        return replace(book, acked_rows=acked_rows, acked=acked)

    def _compare(self, book: Book, carried: Carried) -> None:
        key = carried.header.key
        if key.seq > book.last:
            beyond = f"epoch {key.epoch:016x} goes on in {self._source} after batch {book.last}, the last one here"
            raise ParcelUnusable(f"{beyond}: this buffer is an older copy; import into an empty one")
        here = self._shelf.fetch([(book.id_of(key.seq), key)])
        if here and here[0].frame != carried.frame:
            raise ParcelUnusable(f"batch {key.seq} of epoch {key.epoch:016x} is here already, with other content")


def _import(place: BufferPlace, work: Path, source: Path, label: Label) -> Carriage:
    with _shelf(work, place.max_bytes) as shelf:
        importing = _Import(shelf, label, source)
        size, cap = importing.look_through(), policy_cap(place.max_bytes)
        if shelf.used + size > cap:
            over = (shelf.used + size - cap) / 2**20
            raise BufferFull(f"{over:.1f} MiB too much for {place.path}: raise buffer.max_size_mib")
        rest = importing.new()
        while some := list(islice(rest, _ROWS_A_COMMIT)):
            importing.put_all(some)
        with shelf.changing():
            return importing.finish()


def _held(shelf: Shelf, book: Book, *, waiting_only: bool) -> Iterator[tuple[int, StoredBatch]]:
    """Yield row ids and batches; a tag table always comes with the data that may need it."""
    for row in shelf.rows(book, book.lo, book.last):
        if not waiting_only or row.kind is BatchKind.TAGS or not book.marks.covers(row.seq):
            (batch,) = shelf.fetch([(row.id, Key(book.epoch, row.seq))])
            yield row.id, batch


@contextmanager
def _at_rest(place: BufferPlace) -> Iterator[None]:
    """Be the only one at the buffer: it takes one connection, so no agent may run."""
    with FileLock(lock_path(place.path)):
        if being_saved(place.path).exists():
            raise BufferUnusable(f"{place.path} was damaged and is being saved: start the agent once, then stop it")
        yield


@contextmanager
def _shelf(path: Path, max_bytes: int) -> Iterator[Shelf]:
    database = Database(path, max_bytes=max_bytes)
    try:
        try:
            shelf = Shelf(database)
        except (ValueError, TypeError, IndexError) as error:
            raise BufferDamaged(f"{path} does not hold what a buffer does: {error}") from error
        yield shelf
    finally:
        database.close()


def _copy(place: BufferPlace, work: Path) -> None:
    if not place.path.exists():
        return
    Database(place.path, max_bytes=place.max_bytes).close()
    _require_one_file(place.path)
    shutil.copyfile(place.path, work)


def _put_in_place(work: Path, path: Path) -> None:
    _require_one_file(work)
    for synced in (work, path.parent):
        descriptor = os.open(synced, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if synced is work:
            work.replace(path)


def _require_one_file(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise BufferUnusable(f"{path} cannot be brought together with its log: is the disk full?")


def _remove(path: Path) -> None:
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
