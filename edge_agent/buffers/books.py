"""The account of one epoch as the buffer keeps it beside its rows, so that no question needs to scan them."""

from dataclasses import dataclass, replace
from typing import Self

import msgspec

from edge_agent.buffers.marks import clip, merge
from protocols.delivery import EpochAccount, EpochMarks, EpochRange

_RANGES = msgspec.json.Decoder(tuple[tuple[int, int], ...])


@dataclass(frozen=True, slots=True)
class Book:
    """What is known of one epoch. Batch `seq` lies at row id `first_id + seq - 1`, where it is still retained.

    last: the highest seq; lo: the lowest retained one; rows, acked_rows: retained batches, those of them that are
    settled; the other figures are readings: sealed in all, acked and retained, acked and purged, given up.
    """

    epoch: int
    first_id: int
    marks: EpochMarks
    last: int = 0
    lo: int = 1
    rows: int = 0
    acked_rows: int = 0
    sealed: int = 0
    acked: int = 0
    purged: int = 0
    dropped: int = 0

    @property
    def last_id(self) -> int:
        """Return the row id of the newest batch."""
        return self.first_id + self.last - 1

    @property
    def waiting(self) -> int:
        """Return the readings that are neither settled nor given up."""
        return self.sealed - self.acked - self.purged - self.dropped

    def id_of(self, seq: int) -> int:
        """Return the row id of this batch."""
        return self.first_id + seq - 1

    def seq_of(self, row_id: int) -> int:
        """Return the seq of the batch in this row."""
        return row_id - self.first_id + 1

    def told(self, marks: EpochMarks) -> EpochMarks:
        """Return the marks as they are when these are taken over too."""
        return merge(self.marks, clip(marks, self.last))

    def learns(self, marks: EpochMarks) -> bool:
        """Return whether these marks say anything new."""
        return self.told(marks) != self.marks

    def forgotten(self) -> Self:
        """Return the book with every retained batch open again."""
        return replace(self, marks=EpochMarks(self.epoch, 0), acked_rows=0, acked=0)

    def account(self) -> EpochAccount:
        """Return the figures as the cloud and people see them."""
        return EpochAccount(self.epoch, self.sealed, self.acked + self.purged, self.waiting, self.dropped)

    def range(self, *, closed: bool) -> EpochRange:
        """Return what of the epoch is retained."""
        return EpochRange(self.epoch, self.lo, self.last, closed)

    def to_row(self) -> tuple[int | str, ...]:
        """Return the columns of table `epoch`, in the order of its definition."""
        sel = msgspec.json.encode(self.marks.sel).decode()
        return (
            *(self.epoch, self.first_id, self.marks.c, sel, self.marks.a, self.last, self.rows, self.acked_rows),
            *(self.sealed, self.acked, self.purged, self.dropped),
        )

    @classmethod
    def from_row(cls, row: tuple[int | str, ...]) -> Self:
        """Return the book that `to_row` wrote; raise ValueError where the columns make none."""
        epoch, first_id, c, sel, a, last, rows, acked_rows, sealed, acked, purged, dropped = row
        marks = EpochMarks(int(epoch), int(c), _RANGES.decode(str(sel)), int(a))
        return cls(
            int(epoch),
            int(first_id),
            marks,
            last=int(last),
            rows=int(rows),
            acked_rows=int(acked_rows),
            sealed=int(sealed),
            acked=int(acked),
            purged=int(purged),
            dropped=int(dropped),
        )
