"""The SQLite buffer behaves as the memory one under any sequence of operations, crashes included."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from edge_agent.buffers.memory import MemoryBuffer
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.ports import Buffer
from protocols.batch import Key, SealedBatch
from protocols.delivery import Ack, EpochMarks
from tests.support.batches import START_US, counted_epochs, data, event, tag_table, tags

CAP = 400 * 1024
TABLES = (tag_table(2), tag_table(3))
FIRST_EPOCH = 101
SEQ = st.integers(min_value=1, max_value=60)
MARKS = st.tuples(st.integers(0, 4), st.integers(0, 60), st.lists(st.tuples(SEQ, SEQ), max_size=3), st.integers(0, 9))


class Twins(RuleBasedStateMachine):
    """One buffer in memory and one in a file, always asked the same."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.place = BufferPlace(Path(self.directory.name) / "buffer.db", "gw-1", CAP)
        self.model: Buffer = MemoryBuffer(gateway="gw-1", max_bytes=CAP, draw=counted_epochs())
        self.draw = counted_epochs()
        self.real: Buffer = SqliteBuffer(self.place, draw=self.draw)
        self.at_us = START_US
        self.table: int | None = None

    def teardown(self) -> None:
        self.real.close()
        self.directory.cleanup()

    @rule(
        table=st.integers(0, 1),
        sizes=st.lists(st.sampled_from([30, 700, 30_000]), max_size=4),
        events=st.integers(0, 2),
    )
    def append(self, table: int, sizes: list[int], events: int) -> None:
        batches: list[SealedBatch] = [event() for _ in range(events)]
        if sizes and table != self.table:
            batches.append(tags(TABLES[table]))
            self.table = table
        batches += [data(size % 7, table=TABLES[table], body_bytes=size) for size in sizes]
        self.at_us += 1
        model = self.model.append(batches, at_us=self.at_us)
        assert list(self.real.append(batches, at_us=self.at_us)) == list(model)

    @rule(generation=st.integers(0, 3), told=st.lists(MARKS, max_size=3))
    def apply(self, generation: int, told: list[Any]) -> None:
        marks = tuple(
            EpochMarks(FIRST_EPOCH + epoch, c, tuple((min(r), max(r)) for r in sel), a) for epoch, c, sel, a in told
        )
        ack = Ack(generation, marks)
        assert self.real.apply(ack) == self.model.apply(ack)

    @rule()
    def unack(self) -> None:
        assert self.real.unack() == self.model.unack()

    @rule()
    def crash(self) -> None:
        assert isinstance(self.model, MemoryBuffer)
        self.model = self.model.reopened()
        self.real.close()
        self.real = SqliteBuffer(self.place, draw=self.draw)
        self.table = None

    @rule()
    def keep_house(self) -> None:
        self.model.maintain()
        self.real.maintain()

    @rule(limit=st.integers(0, 9), newest=st.integers(0, 4), skip=st.sets(st.tuples(st.integers(101, 103), SEQ)))
    def ask_for_some(self, limit: int, newest: int, skip: set[tuple[int, int]]) -> None:
        wanted = {"skip": frozenset(Key(*key) for key in skip), "limit": limit, "newest": newest}
        assert list(self.real.unacked(**wanted)) == list(self.model.unacked(**wanted))  # type: ignore[arg-type]

    @invariant()
    def both_tell_the_same(self) -> None:
        skip: frozenset[Key] = frozenset()
        assert list(self.real.unacked(skip=skip, limit=500)) == list(self.model.unacked(skip=skip, limit=500))
        assert list(self.real.epochs()) == list(self.model.epochs())
        assert list(self.real.marks()) == list(self.model.marks())
        assert (self.real.generation, self.real.last_at_us) == (self.model.generation, self.model.last_at_us)
        hashes = [table.hash for table in TABLES]
        assert list(self.real.tables(hashes)) == list(self.model.tables(hashes))
        real, model = self.real.ledger(), self.model.ledger()
        assert (real.epochs, real.batches_waiting) == (model.epochs, model.batches_waiting)
        assert (real.bytes_used, real.oldest_waiting_us) == (model.bytes_used, model.oldest_waiting_us)


def test_the_sqlite_buffer_behaves_as_the_memory_one() -> None:
    run_state_machine_as_test(
        Twins,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
