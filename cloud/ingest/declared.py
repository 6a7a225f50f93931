"""Declared: how many readings were in which batches that a gateway gave up, as far as it told them apart.

So that a later declaration with one sum for a range counts what it says beyond those of before it, and no more. The
ranges are those that declarations brought as news; a batch that comes after all is taken out of its range.
"""

from cloud.storage.chunks.database import Database

_OVERLAPPING = "select lo, hi, readings from ledger_declared where epoch_id = ? and lo <= ? and hi >= ? order by lo"
_ADD = (
    "insert into ledger_declared values (?, ?, ?, ?) on conflict do update "
    "set hi = max(hi, excluded.hi), readings = readings + excluded.readings"
)
_TAKE_OUT = (
    "update ledger_declared set readings = max(0, readings - ?) where epoch_id = ? and lo = "
    "(select lo from ledger_declared where epoch_id = ? and lo <= ? and hi >= ? order by hi - lo limit 1)"
)
_FORGET = "delete from ledger_declared where epoch_id = ? and lo = ?"


class Declared:
    """One table; durable with the transaction that it is called in, and undone with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, epoch_id: int, lo: int, hi: int, readings: int) -> None:
        """Note what is declared for the first time."""
        self._database.execute(_ADD, (epoch_id, lo, hi, readings))

    def take_out(self, epoch_id: int, seq: int, readings: int) -> None:
        """Note that a batch which was declared came after all."""
        self._database.execute(_TAKE_OUT, (readings, epoch_id, epoch_id, seq, seq))

    def within(self, epoch_id: int, lo: int, hi: int, *, batches: int) -> int | None:
        """Return how many readings of lo..hi are declared already; None where a part of them cannot be told apart.

        batches: how many of lo..hi are given up by then.
        """
        known = self._overlapping(epoch_id, lo, hi)
        is_whole = all(lo <= first and last <= hi for first, last, _ in known)
        told = sum(last - first + 1 for first, last, _ in known)
        if not is_whole or told < batches:
            return None
        return sum(readings for _, _, readings in known)

    def join(self, epoch_id: int, lo: int, hi: int, more: int) -> None:
        """Make one range of all that lo..hi overlaps, with so many readings more."""
        known = self._overlapping(epoch_id, lo, hi)
        for first, _, _ in known:
            self._database.execute(_FORGET, (epoch_id, first))
        first, last = min([lo, *(one[0] for one in known)]), max([hi, *(one[1] for one in known)])
        self.add(epoch_id, first, last, sum(one[2] for one in known) + more)

    def _overlapping(self, epoch_id: int, lo: int, hi: int) -> list[tuple[int, int, int]]:
        return [(one[0], one[1], one[2]) for one in self._database.execute(_OVERLAPPING, (epoch_id, hi, lo))]
