"""Which batches leave a buffer: acked copies when there are many, and what is given up when it is full; pure.

Acked batches stay as a safety copy and leave oldest first above a quarter of the cap. A full buffer gives up the
oldest data first, declarations with it once others say the same (see `declaring.py`), and events last; tag tables
never go before the data that uses them.
Each time a little more is freed than is needed, so that neither happens at every commit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from protocols.batch import BatchKind

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
    rest = iter(rows)
    while need > 0 and len(taken) != limit and (row := next(rest, None)) is not None:
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
