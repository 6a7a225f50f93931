"""MemoryBuffer: the model of a Buffer, told in the plainest way; the SQLite one must behave the same."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from edge_agent.buffers.declaring import FRAME_BYTES, Terms, give_up
from edge_agent.buffers.marks import clip, merge
from edge_agent.buffers.retention import MAX_ROWS_A_STEP, Room, Row, policy_cap, row_bytes, take
from edge_agent.errors import BufferFull
from edge_agent.ports import Ledger, StoredBatch
from protocols.batch import BatchKind, Drop, Key, SealedBatch
from protocols.codec import open_drop, pack, seal_drop, unpack
from protocols.delivery import Ack, EpochAccount, EpochMarks, EpochRange
from protocols.errors import InvalidContent


@dataclass(frozen=True, slots=True)
class _Kept:
    batch: StoredBatch
    row: Row
    at_us: int
    table: str


@dataclass(frozen=True, slots=True)
class _Figures:
    last: int = 0
    sealed: int = 0
    purged: int = 0
    dropped: int = 0


class MemoryBuffer:
    """The Buffer port over lists. `reopened` is what opening the file again would give."""

    def __init__(self, *, gateway: str, max_bytes: int, draw: Callable[[], int]) -> None:
        self._gateway = gateway
        self._draw = draw
        self._epoch = draw()
        self._cap = policy_cap(max_bytes)
        self._kept: list[_Kept] = []
        self._marks: dict[int, EpochMarks] = {}
        self._figures: dict[int, _Figures] = {}
        self._generation = 0
        self._last_at_us = 0
        self._next_id = 1
        self._table = ""
        self._segment = 0

    def reopened(self) -> Self:
        """Return the buffer as it is after a crash: all that was stored, under a new epoch."""
        self._epoch, self._table, self._segment = self._draw(), "", 0
        return self

    def image(self) -> Self:
        """Return what a backup of the file would hold."""
        image = copy.copy(self)
        vars(image).update(_kept=list(self._kept), _figures=dict(self._figures), _marks=dict(self._marks))
        return image

    @property
    def epoch(self) -> int:
        """Return the epoch that new batches are written under."""
        return self._epoch

    @property
    def generation(self) -> int:
        """Return the highest store generation an ack has told of; 0 before the first."""
        return self._generation

    @property
    def last_at_us(self) -> int:
        """Return the time that the newest batch was stored with, 0 where there never was one."""
        return self._last_at_us

    def append(self, batches: Sequence[SealedBatch], *, at_us: int) -> Sequence[Key]:
        """Store all, dropping old ones by policy; nothing changes where that fails."""
        before = dict(vars(self))
        self._kept, self._figures, self._marks = list(self._kept), dict(self._figures), dict(self._marks)
        try:
            if batches:
                self._make_room(sum(row_bytes(len(b.body) + FRAME_BYTES) for b in batches), at_us)
            keys = [self._insert(batch, at_us) for batch in batches]
        except BaseException:
            vars(self).update(before)
            raise
        self._purge()
        return keys

    def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        """Return at most `limit` due batches, none in skip: events first, then the `newest` newest, then the oldest."""
        due = [kept.batch for kept in self._kept if not self._is_acked(kept.row) and kept.batch.key not in skip]
        events = [batch for batch in due if batch.kind is BatchKind.EVENT][:limit]
        others = [batch for batch in due if batch not in events]
        new = others[::-1][: max(0, min(newest, limit - len(events)))]
        return (events + new + [batch for batch in others if batch not in new])[:limit]

    def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        """Return the newest tags batch of each of these tables that the buffer has, acked or not."""
        newest = {kept.table: kept.batch for kept in self._kept if kept.batch.kind is BatchKind.TAGS}
        return [newest[table] for table in dict.fromkeys(hashes) if table in newest]

    def apply(self, ack: Ack) -> bool:
        """Take over the marks of an ack, generation included; return False where it is void."""
        if ack.generation < self._generation:
            return False
        if ack.generation > self._generation:
            self._generation = ack.generation
            self._marks = {}
        for told in ack.epochs:
            if told.epoch in self._figures:
                known = self._known(told.epoch)
                self._marks[told.epoch] = merge(known, clip(told, self._figures[told.epoch].last))
        self._purge()
        return True

    def unack(self) -> int:
        """Un-ack every retained batch; return how many."""
        count = sum(self._is_acked(kept.row) for kept in self._kept)
        self._marks = {}
        return count

    def epochs(self) -> Sequence[EpochRange]:
        """Return each epoch with unpurged batches, oldest first."""
        return [
            EpochRange(epoch, min(self._seqs(epoch)), self._figures[epoch].last, epoch != self._epoch)
            for epoch in self._retained()
        ]

    def marks(self) -> Sequence[EpochMarks]:
        """Return what is known to be settled of each epoch with unpurged batches."""
        return [self._known(epoch) for epoch in self._retained()]

    def ledger(self) -> Ledger:
        """Count readings sealed, acked, dropped and waiting, per epoch."""
        waiting = [kept for kept in self._kept if not self._is_acked(kept.row)]
        return Ledger(
            epochs=tuple(self._account(epoch) for epoch in self._figures),
            batches_waiting=len(waiting),
            bytes_used=self._used(),
            bytes_cap=self._cap,
            oldest_waiting_us=waiting[0].at_us if waiting else None,
            bytes_written_today=0,
        )

    def maintain(self) -> bool:
        """Purge a step; return whether there was anything."""
        return self._purge()

    def close(self) -> None:
        """Keep everything, as a file would."""

    def _account(self, epoch: int) -> EpochAccount:
        figures = self._figures[epoch]
        rows = [kept.row for kept in self._kept if kept.row.epoch == epoch]
        acked = sum(row.readings for row in rows if self._is_acked(row)) + figures.purged
        waiting = sum(row.readings for row in rows if not self._is_acked(row))
        return EpochAccount(epoch, figures.sealed, acked, waiting, figures.dropped)

    def _insert(self, batch: SealedBatch, at_us: int) -> Key:
        if batch.kind is BatchKind.TAGS:
            self._table = batch.table
        elif batch.kind is BatchKind.DATA and batch.table != self._table:
            raise InvalidContent(f"data uses tag table {batch.table!r}, the last one stored is {self._table!r}")
        figures = self._figures.get(self._epoch, _Figures())
        key = Key(self._epoch, figures.last + 1)
        frame = pack(batch, gateway=self._gateway, key=key)
        row = Row(self._next_id, key.epoch, key.seq, batch.kind, batch.count, row_bytes(len(frame)))
        self._kept.append(_Kept(StoredBatch(key, batch.kind, batch.count, frame), row, at_us, batch.table))
        self._figures[self._epoch] = replace(figures, last=key.seq, sealed=figures.sealed + row.readings)
        self._next_id, self._last_at_us, self._segment = self._next_id + 1, at_us, batch.segment
        return key

    def _make_room(self, incoming: int, at_us: int) -> None:
        short = Room(self._used(), self._cap).shortfall(incoming)
        if not short:
            return
        purged = take(self._acked(), short)
        self._remove_acked(purged)
        short -= sum(row.size for row in purged)
        given = give_up(self._open(), self._said(), short, Terms.of(self._cap, reason="the buffer is full"))
        self._remove(given.rows)
        for row in given.rows:
            figures = self._figures[row.epoch]
            self._figures[row.epoch] = replace(figures, dropped=figures.dropped + row.readings)
        segment = self._segment
        for drop in given.drops:
            self._insert(seal_drop(drop, segment=segment), at_us)
        if self._used() + incoming > self._cap:
            raise BufferFull(f"{incoming} bytes more do not fit")

    def _purge(self) -> bool:
        excess = Room(self._used(), self._cap).excess()
        rows = list(self._acked())
        if any(marks.a for marks in self._marks.values()):
            rows = [row for row in rows if row.seq <= self._known(row.epoch).a]
        taken = take(rows, excess, limit=MAX_ROWS_A_STEP)
        self._remove_acked(taken)
        return bool(taken)

    def _remove_acked(self, rows: Iterable[Row]) -> None:
        gone = list(rows)
        if not gone:
            return
        self._remove(gone)
        self._count_purged(gone)
        while unused := self._unused_tags():
            self._remove(unused)

    def _unused_tags(self) -> list[Row]:
        tags = [at for at, kept in enumerate(self._kept) if kept.row.kind is BatchKind.TAGS]
        if len(tags) < 2 or not self._is_acked(self._kept[tags[0]].row):
            return []
        users = [kept for kept in self._kept[tags[0] : tags[1]] if kept.row.kind is BatchKind.DATA]
        return [] if users else [self._kept[tags[0]].row]

    def _count_purged(self, rows: Iterable[Row]) -> None:
        for row in rows:
            figures = self._figures[row.epoch]
            self._figures[row.epoch] = replace(figures, purged=figures.purged + row.readings)

    def _remove(self, rows: Iterable[Row]) -> None:
        gone = {row.id for row in rows}
        self._kept = [kept for kept in self._kept if kept.row.id not in gone]

    def _acked(self) -> Iterator[Row]:
        return (k.row for k in self._kept if self._is_acked(k.row) and k.row.kind is not BatchKind.TAGS)

    def _open(self) -> Iterator[Row]:
        for kinds in ((BatchKind.DATA, BatchKind.DROP), (BatchKind.EVENT,)):
            yield from (k.row for k in self._kept if not self._is_acked(k.row) and k.row.kind in kinds)

    def _said(self) -> dict[int, Drop]:
        drops = (k for k in self._kept if k.row.kind is BatchKind.DROP and not self._is_acked(k.row))
        return {kept.row.id: open_drop(unpack(kept.batch.frame)) for kept in drops}

    def _used(self) -> int:
        return sum(kept.row.size for kept in self._kept)

    def _is_acked(self, row: Row) -> bool:
        return self._known(row.epoch).covers(row.seq)

    def _known(self, epoch: int) -> EpochMarks:
        return self._marks.get(epoch, EpochMarks(epoch, 0))

    def _retained(self) -> list[int]:
        return list(dict.fromkeys(kept.row.epoch for kept in self._kept))

    def _seqs(self, epoch: int) -> list[int]:
        return [kept.row.seq for kept in self._kept if kept.row.epoch == epoch]
