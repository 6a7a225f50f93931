"""The invariants of delivery, over the real outbox and buffers, with every fault that a network and a cloud have.

A rule-based machine sends, loses, repeats and reorders messages, kills the agent, and restores the store from backups;
the buffer is the memory one or the SQLite one. At the end the faults stop, and everything must arrive (I7).
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from edge_agent.buffers.memory import MemoryBuffer
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.delivery.outbox import HELLO_S, Meaning, Outbox
from edge_agent.ports import Buffer, BufferStanding
from protocols.batch import BatchKind, Key, SealedBatch
from protocols.codec import unpack
from protocols.delivery import Ack
from tests.support.batches import START_US, counted_epochs, data, drop_in, event, tag_table, tags
from tests.support.small_store import Ledger

CAP = 512 * 1024
TABLE = tag_table(3)


class Delivery(RuleBasedStateMachine):
    """One agent, one store, and what is on the wire between them."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.draw = counted_epochs()
        self.now_s = 0.0
        self.nonce = 0
        self.frames: dict[Key, bytes] = {}
        self.ever_stored: set[Key] = set()
        self.old_acks: list[Ack] = []
        self.image: MemoryBuffer | dict[str, bytes] | None = None
        self.imaged: set[Key] = set()
        self.given_away: set[Key] = set()
        self.reconnects = True
        self.up: list[bytes] = []
        self.down: list[Ack] = []
        self.store, self.generation = Ledger(), 1
        self.backup = Ledger()
        self.outbox = Outbox(random=lambda: 0.5)
        self.online = False
        self.went_back = 0
        self.buffer: Buffer

    def teardown(self) -> None:
        try:
            if hasattr(self, "buffer"):
                self._recover()
        finally:
            if hasattr(self, "buffer"):
                self.buffer.close()
            self.directory.cleanup()

    @initialize(sqlite=st.booleans(), reconnects=st.booleans())
    def begin(self, *, sqlite: bool, reconnects: bool) -> None:
        self.reconnects = reconnects
        place = BufferPlace(Path(self.directory.name) / "buffer.db", "gw-1", CAP)
        self.place = place if sqlite else None
        self.buffer = self._open() if sqlite else MemoryBuffer(gateway="gw-1", max_bytes=CAP, draw=self.draw)
        self._append([tags(TABLE)])

    @rule(sizes=st.lists(st.sampled_from([50, 50, 20_000, 60_000]), min_size=1, max_size=4), has_event=st.booleans())
    def seal(self, sizes: list[int], *, has_event: bool) -> None:
        batches = [data(2, table=TABLE, body_bytes=size) for size in sizes]
        self._append([event(), *batches] if has_event else batches)

    @rule()
    def connect(self) -> None:
        self.nonce += 1
        self.online = True
        self.up.clear()
        self.down.clear()
        standing = BufferStanding(self.buffer.generation, tuple(self.buffer.epochs()), tuple(self.buffer.marks()))
        self.outbox.connected(self.nonce, standing, self.now_s)
        self._hello(standing)

    @precondition(lambda self: self.online)
    @rule()
    def send(self) -> None:
        wanted = self.outbox.wants(self.now_s)
        if wanted is None:
            return
        for batch in self.buffer.unacked(skip=wanted.skip, limit=wanted.limit, newest=wanted.newest):
            self.up.append(batch.frame)
            self.outbox.sent([batch.key], self.now_s)

    @precondition(lambda self: self.up)
    @rule(choice=st.randoms(use_true_random=False), keep=st.booleans())
    def arrive(self, choice: Any, *, keep: bool) -> None:  # noqa: ANN401  # hypothesis gives it no public type
        at = choice.randrange(len(self.up))
        frame = self.up[at] if keep else self.up.pop(at)
        self._commit(frame)

    @precondition(lambda self: self.down)
    @rule(choice=st.randoms(use_true_random=False), keep=st.booleans())
    def ack(self, choice: Any, *, keep: bool) -> None:  # noqa: ANN401  # the same
        at = choice.randrange(len(self.down))
        self._take(self.down[at] if keep else self.down.pop(at))

    @rule(keep_acks=st.booleans(), count=st.integers(0, 2))
    def have_a_quiet_spell(self, *, keep_acks: bool, count: int) -> None:
        """Send all that is due, have everything arrive in order; old acks may come a second time later."""
        if not self.online:
            self.connect()
        self._append([data(1, table=TABLE, body_bytes=50) for _ in range(count)])
        for _ in range(30):
            self.send()
            while self.up:
                self._commit(self.up.pop(0))
            acks, self.down = self.down, []
            for ack in acks:
                self._take(ack)
            self.old_acks += acks if keep_acks else []
            if not acks:
                return

    @precondition(lambda self: self.old_acks)
    @rule()
    def get_old_acks_again(self) -> None:
        self.down += self.old_acks[-3:]
        self.old_acks = []

    @rule()
    def back_the_gateway_up(self) -> None:
        self.imaged = set(self.frames)
        if isinstance(self.buffer, MemoryBuffer):
            self.image = self.buffer.image()
        else:
            self.buffer.close()
            self.image = _files(self.directory.name)
            self.buffer = self._open()
            self._append([tags(TABLE)])
            self.online = False

    @precondition(lambda self: self.image is not None)
    @rule()
    def restore_the_gateway(self) -> None:
        """Lose what was made since the image; the keys of all that must not come again."""
        self.online = False
        self.outbox = Outbox(random=lambda: 0.5)
        if isinstance(self.image, MemoryBuffer):
            self.buffer = self.image.image().reopened()
        elif self.image is not None:
            self.buffer.close()
            for old in Path(self.directory.name).iterdir():
                old.unlink()
            for name, content in self.image.items():
                (Path(self.directory.name) / name).write_bytes(content)
            self.buffer = self._open()
        self.given_away |= self.frames.keys() - self.imaged
        self._append([tags(TABLE)])

    @rule()
    def lose_all_that_is_on_the_wire(self) -> None:
        self.up.clear()
        self.down.clear()

    @rule(seconds=st.sampled_from([0.1, 4.0, 30.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.outbox.expire(self.now_s)

    @rule()
    def kill_the_agent(self) -> None:
        self.online = False
        self.outbox = Outbox(random=lambda: 0.5)
        if isinstance(self.buffer, MemoryBuffer):
            self.buffer = self.buffer.reopened()
        else:
            self.buffer.close()
            self.buffer = self._open()
        self._append([tags(TABLE)])

    @rule()
    def back_the_store_up(self) -> None:
        self.backup = _copy(self.store)

    @rule()
    def restore_the_store(self) -> None:
        self.store, self.generation = _copy(self.backup), self.generation + 1

    @rule()
    def put_an_old_store_in_its_place_unnoticed(self) -> None:
        self.store = _copy(self.backup)
        self.connect()

    @invariant()
    def no_more_than_the_window_is_in_flight(self) -> None:
        assert len(self.outbox.in_flight) <= 8

    @invariant()
    def readings_are_accounted_for(self) -> None:
        if hasattr(self, "buffer"):
            for account in self.buffer.ledger().epochs:
                assert account.sealed == account.acked + account.waiting + account.dropped
                assert account.waiting >= 0

    def _declared(self) -> set[Key]:
        drops = [drop_in(frame) for frame in self.frames.values() if unpack(frame).header.kind is BatchKind.DROP]
        return {Key(drop.epoch, seq) for drop in drops for seq in range(drop.lo, drop.hi + 1)}

    def _append(self, batches: list[SealedBatch]) -> None:
        self.buffer.append(batches, at_us=START_US)
        for batch in self._due():
            assert self.frames.setdefault(batch.key, batch.frame) == batch.frame, "a key was used twice"

    def _due(self) -> Any:  # noqa: ANN401
        return self.buffer.unacked(skip=frozenset(), limit=10_000)

    def _open(self) -> SqliteBuffer:
        assert self.place is not None
        return SqliteBuffer(self.place, draw=self.draw)

    def _commit(self, frame: bytes) -> None:
        header = unpack(frame).header
        self.store.take(frame)
        self.ever_stored.add(header.key)
        self._answer([header.epoch])

    def _hello(self, standing: BufferStanding) -> None:
        if standing.generation > self.generation:
            self.generation = standing.generation + 1
        self._answer([span.epoch for span in standing.epochs], self.nonce)

    def _answer(self, epochs: list[int], nonce: int | None = None) -> None:
        self.down.append(Ack(self.generation, tuple(map(self.store.marks, epochs)), nonce=nonce))

    def _take(self, ack: Ack) -> None:
        meaning = self.outbox.take(ack, self.now_s, generation=self.buffer.generation)
        if meaning is Meaning.VOID:
            return
        if meaning is Meaning.WENT_BACK:
            self.went_back += 1
            self.buffer.unack()
            self.outbox.forget()
        self.buffer.apply(ack)

    def _recover(self) -> None:
        """I7: without further faults everything that is retained ends stored and acked."""
        if self.reconnects or not self.online:
            self.connect()
        self._append([data(1, table=TABLE, body_bytes=50)])
        for _ in range(400):
            while self.down:
                self._take(self.down.pop(0))
            self.send()
            for frame in self.up:
                self._commit(frame)
            self.up.clear()
            if not self.down and not self._due():
                break
            self.now_s += 10 * HELLO_S
            self.outbox.expire(self.now_s)
        assert not self._due(), "I7: something waits for ever"
        self.buffer.unack()
        retained = {batch.key for batch in self._due()}
        stored = {Key(epoch, seq) for epoch, rows in self.store.frames.items() for seq in rows}
        assert retained <= stored, "I3: acked, but not in the store of this generation"
        lost = self.frames.keys() - retained - self._declared() - self.ever_stored - self.given_away
        assert not lost, "I1: gone from the gateway before any store had it"


def _files(directory: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def _copy(ledger: Ledger) -> Ledger:
    other = Ledger()
    other.frames = {epoch: dict(rows) for epoch, rows in ledger.frames.items()}
    other.dropped = {epoch: set(seqs) for epoch, seqs in ledger.dropped.items()}
    return other


def test_the_invariants_of_delivery_hold_under_every_fault() -> None:
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
