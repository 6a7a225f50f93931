"""What a full buffer declares is what the store counts, exactly, whichever acks were lost and whatever came late."""

import random
from pathlib import Path

import pytest

from edge_agent.buffers.memory import MemoryBuffer
from protocols.batch import BatchKind, Key
from tests.support.batches import START_US, counted_epochs, data, drop_in, event, tags
from tests.support.ingest import GATEWAY, Desk

CAP = 16 * 1024
"""So little that declarations come to be told as sums."""


class Line:
    """A gateway's buffer and a store, and what was made and arrived."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self._rng = rng
        self._desk = Desk(path)
        self._buffer = MemoryBuffer(gateway=GATEWAY, max_bytes=CAP, draw=counted_epochs())
        self._made: dict[Key, int] = {}
        self._arrived: set[Key] = set()
        self.sums = 0
        self._buffer.append([tags()], at_us=START_US)

    def make(self, count: int) -> None:
        """Commit batches of one to five readings, and now and then an event."""
        for _ in range(count):
            readings = self._rng.randrange(1, 6)
            batches = [data(readings), *([event()] if self._rng.random() < 0.02 else [])]
            self._made[self._buffer.append(batches, at_us=START_US)[0]] = readings

    def send_some(self, *, is_heard: bool) -> None:
        """Let some batches from anywhere arrive; is_heard: and their acks."""
        due = self._buffer.unacked(skip=frozenset(), limit=1000)
        for batch in self._rng.sample(due, min(len(due), self._rng.randrange(9))):
            self._send(batch.key, batch.frame, is_heard=is_heard)

    def drain(self) -> None:
        """Let everything arrive that still waits, and close the store's file."""
        while due := self._buffer.unacked(skip=frozenset(), limit=1000):
            self.sums += sum(batch.kind is BatchKind.DROP and not drop_in(batch.frame).counts for batch in due)
            for batch in due:
                self._send(batch.key, batch.frame, is_heard=True)

    def check(self) -> None:
        """I8: what the store counts as dropped is what was made and never arrived."""
        account = self._desk.books.ledger.entry(GATEWAY, self._buffer.epoch, now_us=START_US).account
        self._desk.database.close()
        assert account.dropped == sum(readings for key, readings in self._made.items() if key not in self._arrived)

    def _send(self, key: Key, frame: bytes, *, is_heard: bool) -> None:
        ((_, ack),) = self._desk.batches(frame)
        self._arrived.add(key)
        if is_heard:
            self._buffer.apply(ack)


@pytest.mark.parametrize("seed", range(3))
def test_i8_accounting_when_a_full_buffer_is_heard_now_and_then(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    line = Line(tmp_path / "readings.db", rng)
    heard = rng.choice([0.0, 0.2, 0.6])
    for _ in range(12):
        line.make(rng.randrange(1, 60))
        line.send_some(is_heard=rng.random() < heard)
    line.drain()
    line.check()


def test_i8_accounting_when_declarations_have_become_sums(tmp_path: Path) -> None:
    line = Line(tmp_path / "readings.db", random.Random(7))
    for _ in range(20):
        line.make(60)
        line.send_some(is_heard=False)
    line.drain()
    assert line.sums > 0
    line.check()
