"""The cloud's part of the invariants of delivery, over the real intake and chunk store, with every fault it can have.

A rule-based machine brings batches in any order, repeats them, contradicts them, gives them up, fills the disk, kills
the process, and restores the file from backups; a plain set of numbers is the model of what must be settled.
"""

import shutil
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cloud.errors import Unavailable
from cloud.fleet.accounting import Accounting
from cloud.fleet.gateways import Gateways
from cloud.storage.chunks.database import Database, Space
from cloud.storage.chunks.store import ChunkStore
from protocols.delivery import Ack
from tests.support.cloud_clock import HandClock
from tests.support.ingest import EPOCH, GATEWAY, Desk, data, drop, hello, tags

READINGS = 3
DROPS = 1000
"""Drop batches have numbers from here on, in the same epoch."""
seqs = st.integers(2, 14)


@dataclass
class Model:
    """What must be settled; drops: how many drop batches came; counts: whether all of them counted each batch."""

    stored: set[int] = field(default_factory=lambda: {1})
    dropped: set[int] = field(default_factory=set)
    drops: int = 0
    counts: bool = True

    def covers(self, seq: int) -> bool:
        """Return whether this batch must be settled."""
        return seq in self.stored or seq in self.dropped or DROPS < seq <= DROPS + self.drops


class Settling(RuleBasedStateMachine):
    """One gateway, one store."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.path = self.directory / "readings.db"
        self.clock = HandClock()
        self.free_bytes = 1 << 40
        self.model = Model()
        self.backup: Model | None = None
        self.generations: list[int] = []
        self.desk = self._open()

    def teardown(self) -> None:
        self.desk.database.close()
        shutil.rmtree(self.directory)

    @initialize()
    def begin(self) -> None:
        self._settle(tags(1))

    @rule(group=st.lists(seqs, min_size=1, max_size=6))
    def batches_arrive_in_any_order_and_more_than_once(self, group: list[int]) -> None:
        self.model.stored.update(group)
        self._settle(*(data(seq, readings=READINGS) for seq in group))

    @rule(seq=seqs)
    def another_content_comes_under_a_key(self, seq: int) -> None:
        if seq in self.model.stored:
            self._settle(data(seq, readings=READINGS, value=99.0))

    @rule(lo=seqs, more=st.integers(0, 4), counts=st.booleans())
    def the_gateway_gives_up_a_range(self, lo: int, more: int, *, counts: bool) -> None:
        self.model.drops += 1
        self.model.counts &= counts
        self.model.dropped.update(set(range(lo, lo + more + 1)) - self.model.stored)
        each = ((more + 1, READINGS),) if counts else ()
        self._settle(drop(DROPS + self.model.drops, lo, lo + more, READINGS * (more + 1), counts=each))

    @rule(seq=seqs)
    def the_disk_is_full_for_a_while(self, seq: int) -> None:
        self.free_bytes = 0
        with pytest.raises(Unavailable):
            self.desk.batches(data(seq, readings=READINGS))
        self.free_bytes = 1 << 40

    @rule()
    def the_process_is_killed(self) -> None:
        self.desk.database.close()
        self.desk = self._open()

    @rule()
    def the_store_is_backed_up(self) -> None:
        target = self.directory / "backup.db"
        target.unlink(missing_ok=True)
        self.desk.database.execute("vacuum into ?", (str(target),))
        self.backup = deepcopy(self.model)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_backup_is_restored(self) -> None:
        assert self.backup is not None
        self.desk.database.close()
        for old in self.directory.glob("readings.db*"):
            old.unlink()
        shutil.copy(self.directory / "backup.db", self.path)
        self.model = deepcopy(self.backup)
        self.clock.move(60)
        self.desk = self._open()
        told = self.desk.books.ledger.restored(now_s=self.clock.now_us() // 1_000_000)
        assert told > max(self.generations), "I3: a generation was used twice"

    @rule(more=st.integers(0, 5))
    def a_hello_believes_as_much_or_more(self, more: int) -> None:
        believed = max(self.generations) + more
        ack = self.desk.hello(hello(generation=believed, hi=20))
        assert ack.generation >= believed
        assert (ack.generation > believed) == (more > 0) or ack.generation > max(self.generations)
        self._check(ack)

    @invariant()
    def readings_are_stored_once_and_nothing_else_is(self) -> None:
        expected = READINGS * (len(self.model.stored) - 1)
        for tag in ("flow", "pressure"):
            assert len(self.desk.values(tag=tag)) == (expected if tag == "flow" else 0)

    @invariant()
    def every_reading_is_accounted_for(self) -> None:
        if not self.generations:
            return
        total = Gateways(self.desk.database).get(GATEWAY).total
        assert total.stored == READINGS * (len(self.model.stored) - 1)
        assert total.made == _settled(total)
        dropped = READINGS * len(self.model.dropped - self.model.stored)
        assert total.dropped == dropped if self.model.counts else total.dropped <= dropped

    def _settle(self, *payloads: bytes) -> None:
        ((_, ack),) = self.desk.batches(*payloads)
        self._check(ack)

    def _check(self, ack: Ack) -> None:
        (said,) = [one for one in ack.epochs if one.epoch == EPOCH]
        wrong = [
            seq for seq in (*range(1, 25), *range(DROPS + 1, DROPS + 40)) if said.covers(seq) != self.model.covers(seq)
        ]
        assert wrong == [], "I3: an ack says another thing than the store holds"
        assert not self.generations or ack.generation >= max(self.generations)
        self.generations.append(ack.generation)

    def _open(self) -> Desk:
        database = Database(self.path, space=lambda _: Space(1 << 40, self.free_bytes))
        return Desk(self.path, database=database, store=ChunkStore(database, self.clock), clock=self.clock)


def _settled(total: Accounting) -> int:
    return total.stored + total.replaced + total.duplicates + total.quarantined + total.dropped


TestSettling = pytest.mark.filterwarnings("error")(Settling.TestCase)
TestSettling.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
