"""Which batches leave a buffer: acked copies when there are many, and what is given up when it is full; pure.

Acked batches stay as a safety copy and leave oldest first above a quarter of the cap. A full buffer gives up the
oldest data first and events last; tag tables never go before the data that uses them, declarations never at all.
Each time a little more is freed than is needed, so that neither happens at every commit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from protocols.batch import MAX_COUNTS, BatchKind, Drop

_SAFETY_COPY = 4
"""One part in so many of the cap may be filled with batches that the cloud already has."""
_STRIDE = 64
_PAGE_BYTES = 4096
_PAGE_ROOM = _PAGE_BYTES - 8
_ROW_OVERHEAD = 24
_OVERFLOW_ROOM = _PAGE_BYTES - 4
_MOST_INLINE = _PAGE_BYTES - 35
_LEAST_INLINE = (_PAGE_BYTES - 12) * 32 // 255 - 23
MAX_ROWS_A_STEP = 512


@dataclass(frozen=True, slots=True)
class Row:
    """A stored batch without its frame; id: its place in the order of storing; size: `row_bytes` of its frame."""

    id: int
    epoch: int
    seq: int
    kind: BatchKind
    count: int
    size: int

    @property
    def readings(self) -> int:
        """Return how many readings are in it; a declaration counts those of other batches."""
        return self.count if self.kind is BatchKind.DATA else 0


@dataclass(frozen=True, slots=True)
class Room:
    """How full a buffer is; bytes by `row_bytes`."""

    used: int
    cap: int

    def excess(self) -> int:
        """Return how many bytes of acked batches should leave now."""
        allowed = self.cap // _SAFETY_COPY
        return self.used - allowed + self.cap // _STRIDE if self.used > allowed else 0

    def shortfall(self, incoming: int) -> int:
        """Return how many bytes must leave before `incoming` more fit; 0 where they fit."""
        over = self.used + incoming - self.cap
        return over + self.cap // _STRIDE if over > 0 else 0


def policy_cap(max_bytes: int) -> int:
    """Return how many bytes of rows a buffer may hold whose file may have `max_bytes`: pages are not filled evenly."""
    return max_bytes - max_bytes // 32


def row_bytes(length: int) -> int:
    """Return what a frame of so many bytes takes in the file: SQLite fills pages of 4096 bytes."""
    payload = length + _ROW_OVERHEAD
    if payload <= _MOST_INLINE:
        return _PAGE_BYTES // max(1, _PAGE_ROOM // payload)
    inline = _LEAST_INLINE + (payload - _LEAST_INLINE) % _OVERFLOW_ROOM
    inline = inline if inline <= _MOST_INLINE else _LEAST_INLINE
    pages = (payload - inline) // _OVERFLOW_ROOM + 1
    return pages * _PAGE_BYTES + _PAGE_BYTES // max(1, _PAGE_ROOM // inline)


def take(rows: Iterable[Row], need: int, *, limit: int | None = None) -> list[Row]:
    """Return the first rows that free `need` bytes together, or at most `limit` of them."""
    taken: list[Row] = []
    for row in rows:
        if need <= 0 or len(taken) == limit:
            break
        taken.append(row)
        need -= row.size
    return taken


def runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the rows in groups without a hole between their seqs, so that a range names these and no others."""
    group: list[Row] = []
    for row in rows:
        if group and (row.epoch, row.seq) != (group[-1].epoch, group[-1].seq + 1):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def declare(rows: Sequence[Row], *, reason: str) -> list[Drop]:
    """Return what must be said of rows that were given up."""
    return [drop for group in runs(rows) for drop in _declare_run(group, reason)]


def _declare_run(rows: Sequence[Row], reason: str) -> Iterator[Drop]:
    """Yield what must be said of rows without a hole: one Drop, or some where their readings change too often."""
    alike = [(sum(1 for _ in same), each) for each, same in groupby(row.readings for row in rows)]
    lo = rows[0].seq
    for at in range(0, len(alike), MAX_COUNTS):
        counts = tuple(alike[at : at + MAX_COUNTS])
        hi = lo + sum(many for many, _ in counts) - 1
        yield Drop(rows[0].epoch, lo, hi, sum(many * each for many, each in counts), reason, counts)
        lo = hi + 1
