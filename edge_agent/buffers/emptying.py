"""Giving up on purpose what waits, as a person may ask of a gateway; declared like any other loss."""

from itertools import islice

from edge_agent.buffers.retention import MAX_ROWS_A_STEP
from edge_agent.buffers.sqlite import SqliteBuffer
from protocols.batch import BatchKind


class EmptyingBuffer(SqliteBuffer):
    """A buffer whose waiting readings can be given up; events and tag tables stay."""

    def give_up_all(self, *, at_us: int, reason: str) -> int:
        """Drop every batch of readings that waits, a step a transaction, and declare it; return the readings."""
        readings = 0
        while rows := list(islice(self._open(BatchKind.DATA), MAX_ROWS_A_STEP)):
            with self._shelf.changing():
                self._give_up(rows, at_us, reason)
                self._shelf.save()
            readings += sum(row.readings for row in rows)
        return readings
