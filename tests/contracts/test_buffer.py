"""What every Buffer owes, asked of the memory one and of the SQLite one."""

import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.buffers.memory import MemoryBuffer
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.errors import BufferFull
from edge_agent.ports import Buffer
from protocols.batch import BatchKind, Key
from protocols.codec import unpack
from protocols.delivery import Ack
from protocols.errors import InvalidContent
from tests.support.batches import START_US, ack, counted_epochs, data, drop_in, event, tag_table, tags

KIB = 1024
CAP = 1024 * KIB
NOTHING: frozenset[Key] = frozenset()
SWIFT = Path("/dev/shm")  # noqa: S108 - where it is there; the names in it are random


class Workbench:
    """One Buffer, and the way to have it as it is after a crash."""

    def __init__(self, kind: str, directory: Path, *, cap: int = CAP) -> None:
        self._settings = BufferPlace(directory / "buffer.db", "gw-1", cap)
        self._draw = counted_epochs()
        self._is_memory = kind == "memory"
        self.buffer: Buffer = self._open()

    def _open(self) -> Buffer:
        if self._is_memory:
            return MemoryBuffer(gateway="gw-1", max_bytes=self._settings.max_bytes, draw=self._draw)
        return SqliteBuffer(self._settings, draw=self._draw)

    def reopen(self) -> Buffer:
        if isinstance(self.buffer, MemoryBuffer):
            self.buffer = self.buffer.reopened()
        else:
            self.buffer.close()
            self.buffer = self._open()
        return self.buffer


@pytest.fixture(params=["memory", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workbench]:
    bench = Workbench(request.param, tmp_path)
    yield bench
    bench.buffer.close()


@pytest.fixture(params=["memory", "sqlite"])
def small(request: pytest.FixtureRequest) -> Iterator[Workbench]:
    """Return a bench with room for some fifty batches, on a disk in memory, where a commit costs no flush."""
    with tempfile.TemporaryDirectory(dir=SWIFT if SWIFT.is_dir() else None) as directory:
        bench = Workbench(request.param, Path(directory), cap=16 * KIB)
        yield bench
        bench.buffer.close()


@pytest.fixture
def buffer(bench: Workbench) -> Buffer:
    return bench.buffer


def seqs(buffer: Buffer, *, limit: int = 1000, newest: int = 0, skip: frozenset[Key] = NOTHING) -> list[int]:
    return [batch.key.seq for batch in buffer.unacked(skip=skip, limit=limit, newest=newest)]


def fill(buffer: Buffer, count: int, *, size: int = 16 * KIB) -> None:
    buffer.append([tags()], at_us=START_US)
    for at in range(count):
        buffer.append([data(3, body_bytes=size)], at_us=START_US + at)


def held(buffer: Buffer) -> list[int]:
    """Return the seqs of the newest epoch that the buffer still has, in order."""
    marks = {one.epoch: one for one in buffer.marks()}
    generation, newest = buffer.generation, buffer.epochs()[-1].epoch
    buffer.unack()
    found = [batch.key.seq for batch in buffer.unacked(skip=NOTHING, limit=1000) if batch.key.epoch == newest]
    buffer.apply(Ack(generation, tuple(marks.values())))
    return sorted(found)


def test_keys_count_up_inside_the_epoch(buffer: Buffer) -> None:
    keys = buffer.append([tags(), data(), data()], at_us=START_US)
    assert list(keys) == [Key(buffer.epoch, 1), Key(buffer.epoch, 2), Key(buffer.epoch, 3)]


def test_a_frame_bears_the_key_and_the_gateway(buffer: Buffer) -> None:
    buffer.append([tags(), data(5)], at_us=START_US)
    header = unpack(buffer.unacked(skip=NOTHING, limit=9)[1].frame).header
    assert (header.gateway, header.key, header.count) == ("gw-1", Key(buffer.epoch, 2), 5)


def test_storing_nothing_begins_no_epoch(buffer: Buffer) -> None:
    assert list(buffer.append([], at_us=START_US)) == []
    assert list(buffer.epochs()) == []


def test_an_acked_batch_is_not_due_any_more(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data()], at_us=START_US)
    assert buffer.apply(ack(buffer.epoch, 2))
    assert seqs(buffer) == [3]


def test_ranges_beyond_c_are_settled_too(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 1, (3, 3)))
    assert seqs(buffer) == [2, 4]


def test_marks_never_fall_within_a_generation(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 3, a=2))
    buffer.apply(ack(buffer.epoch, 1))
    (marks,) = buffer.marks()
    assert (marks.c, marks.a) == (3, 2)


def test_an_ack_never_settles_what_is_still_to_come(buffer: Buffer) -> None:
    buffer.append([tags(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 900, (950, 999)))
    buffer.append([data()], at_us=START_US)
    assert seqs(buffer) == [3]


def test_an_ack_of_an_unknown_epoch_changes_nothing(buffer: Buffer) -> None:
    buffer.append([tags(), data()], at_us=START_US)
    assert buffer.apply(ack(7, 50))
    assert seqs(buffer) == [1, 2]


def test_a_higher_generation_opens_every_batch_again_and_then_applies(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 3, generation=4))
    assert buffer.apply(ack(buffer.epoch, 1, generation=5))
    assert (seqs(buffer), buffer.generation) == ([2, 3], 5)


def test_a_lower_generation_is_void(buffer: Buffer) -> None:
    buffer.append([tags(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 1, generation=5))
    assert not buffer.apply(ack(buffer.epoch, 2, generation=4))
    assert (seqs(buffer), buffer.generation) == ([2], 5)


def test_un_acking_opens_every_batch_and_says_how_many(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data()], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 2))
    assert buffer.unack() == 2
    assert seqs(buffer) == [1, 2, 3]


def test_events_go_first_then_new_ones_then_the_oldest(buffer: Buffer) -> None:
    buffer.append([tags(), data(), data(), event(), data(), data()], at_us=START_US)
    assert seqs(buffer, limit=4, newest=1) == [4, 6, 1, 2]


def test_what_is_in_flight_is_not_due(buffer: Buffer) -> None:
    buffer.append([tags(), data(), event()], at_us=START_US)
    skip = frozenset({Key(buffer.epoch, 3), Key(buffer.epoch, 1)})
    assert seqs(buffer, skip=skip) == [2]


def test_a_tag_table_is_found_by_its_hash_also_when_acked(buffer: Buffer) -> None:
    table = tag_table(7)
    buffer.append([tags(), tags(table), data(table=table)], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 3))
    (found,) = buffer.tables([table.hash, "0" * 16])
    assert (found.key.seq, unpack(found.frame).header.table) == (2, table.hash)


def test_data_without_its_tag_table_is_refused_and_nothing_is_stored(buffer: Buffer) -> None:
    with pytest.raises(InvalidContent, match="tag table"):
        buffer.append([tags(), data(table=tag_table(9))], at_us=START_US)
    assert seqs(buffer) == []
    assert list(buffer.append([tags()], at_us=START_US)) == [Key(buffer.epoch, 1)]


def test_reopening_keeps_all_under_their_keys_and_begins_a_new_epoch(bench: Workbench) -> None:
    old = bench.buffer.epoch
    bench.buffer.append([tags(), data(), data()], at_us=START_US)
    bench.buffer.apply(ack(old, 2, generation=3))
    buffer = bench.reopen()
    assert buffer.epoch != old
    assert [batch.key for batch in buffer.unacked(skip=NOTHING, limit=9)] == [Key(old, 3)]
    assert (buffer.generation, buffer.last_at_us) == (3, START_US)
    assert [(r.lo, r.hi, r.closed) for r in buffer.epochs()] == [(1, 3, True)]


def test_the_ledger_counts_readings_per_epoch(bench: Workbench) -> None:
    bench.buffer.append([tags(), data(3), data(4)], at_us=START_US)
    bench.buffer.apply(ack(bench.buffer.epoch, 2))
    buffer = bench.reopen()
    buffer.append([tags(), data(5), event()], at_us=START_US + 9)
    ledger = buffer.ledger()
    assert [(e.sealed, e.acked, e.waiting, e.dropped) for e in ledger.epochs] == [(7, 3, 4, 0), (5, 0, 5, 0)]
    assert (ledger.batches_waiting, ledger.oldest_waiting_us) == (4, START_US)


def test_a_full_buffer_gives_up_the_oldest_data_and_declares_it(buffer: Buffer) -> None:
    fill(buffer, 100)
    due = buffer.unacked(skip=NOTHING, limit=1000)
    drops = [drop_in(batch.frame) for batch in due if batch.kind is BatchKind.DROP]
    kept = {batch.key.seq for batch in due if batch.kind is BatchKind.DATA}
    declared = {seq for drop in drops for seq in range(drop.lo, drop.hi + 1)}
    (account,) = buffer.ledger().epochs
    assert drops[0].lo == 2
    assert declared | kept | {1} | {b.key.seq for b in due if b.kind is BatchKind.DROP} == set(range(1, max(kept) + 1))
    assert min(kept) > max(declared)
    assert account.dropped == 3 * (100 - len([b for b in due if b.kind is BatchKind.DATA])) > 0
    assert account.sealed == 300 == account.waiting + account.dropped
    assert buffer.ledger().bytes_used <= CAP


def test_events_are_given_up_last(buffer: Buffer) -> None:
    buffer.append([tags(), event("first")], at_us=START_US)
    fill(buffer, 100)
    assert buffer.unacked(skip=NOTHING, limit=1)[0].kind is BatchKind.EVENT


def test_a_declaration_counts_each_batch_that_was_given_up(buffer: Buffer) -> None:
    buffer.append([tags()], at_us=START_US)
    held: dict[int, int] = {}
    for size in [3, 3, 3, 5, 0, 7] * 15:
        (key,) = buffer.append([data(size, body_bytes=16 * KIB) if size else event()], at_us=START_US)
        held[key.seq] = size
    drops = [drop_in(one.frame) for one in buffer.unacked(skip=NOTHING, limit=1000) if one.kind is BatchKind.DROP]
    assert any(len(drop.counts) > 1 for drop in drops)
    for drop in drops:
        counted = [each for many, each in drop.counts for _ in range(many)]
        assert counted == [held[seq] for seq in range(drop.lo, drop.hi + 1)]
        assert all(one[1] != other[1] for one, other in pairwise(drop.counts))


def check_all_is_held_or_declared(buffer: Buffer, made: Mapping[Key, int]) -> None:
    """made: the readings of each batch that was ever stored, none of them acked; declarations are in it by the way."""
    due = {batch.key: batch for batch in buffer.unacked(skip=NOTHING, limit=10_000)}
    drops = [drop_in(batch.frame) for batch in due.values() if batch.kind is BatchKind.DROP]
    declared = {Key(drop.epoch, seq) for drop in drops for seq in range(drop.lo, drop.hi + 1)}
    last = {span.epoch: span.hi for span in buffer.epochs()}
    assert not declared & due.keys()
    assert declared | due.keys() == {Key(epoch, seq) for epoch, hi in last.items() for seq in range(1, hi + 1)}
    for drop in drops:
        held = [made.get(Key(drop.epoch, seq), 0) for seq in range(drop.lo, drop.hi + 1)]
        assert drop.readings == sum(held)
        assert not drop.counts or held == [each for many, each in drop.counts for _ in range(many)]
    assert sum(one.dropped for one in buffer.ledger().epochs) == sum(made.get(key, 0) for key in declared)


def test_a_buffer_that_stays_full_keeps_the_newest_for_ever_and_declares_all_else(small: Workbench) -> None:
    buffer, made = small.buffer, dict[Key, int]()
    buffer.append([tags()], at_us=START_US)
    for at in range(5000):
        size = 1 + at * 7 % 5
        batches = [data(size, body_bytes=100), *([event()] if at % 500 == 250 else [])]
        keys = buffer.append(batches, at_us=START_US + at)
        made[keys[0]] = size
        if at % 250 == 249:
            check_all_is_held_or_declared(buffer, made)
    due = buffer.unacked(skip=NOTHING, limit=10_000)
    kept = [batch.key for batch in due if batch.kind is BatchKind.DATA]
    assert kept == list(made)[-len(kept) :]
    assert len(kept) > 25
    assert sum(batch.kind is BatchKind.EVENT for batch in due) == 10


def test_a_buffer_that_stays_full_over_restarts_declares_all_of_every_epoch(small: Workbench) -> None:
    made = dict[Key, int]()
    for life in range(8):
        buffer = small.reopen()
        buffer.append([tags()], at_us=START_US)
        for at in range(60 + life):
            (key,) = buffer.append([data(1 + at % 3, body_bytes=100)], at_us=START_US)
            made[key] = 1 + at % 3
        check_all_is_held_or_declared(buffer, made)


def test_a_declaration_on_its_way_is_never_changed_under_its_number(small: Workbench) -> None:
    buffer, sent = small.buffer, dict[Key, bytes]()
    buffer.append([tags()], at_us=START_US)
    for at in range(400):
        buffer.append([data(1 + at % 2, body_bytes=100)], at_us=START_US)
        for batch in buffer.unacked(skip=NOTHING, limit=10_000):
            assert sent.setdefault(batch.key, batch.frame) == batch.frame


def test_declarations_that_the_store_has_are_not_said_again(small: Workbench) -> None:
    buffer = small.buffer
    buffer.append([tags()], at_us=START_US)
    for _ in range(100):
        (last,) = buffer.append([data(3, body_bytes=100)], at_us=START_US)
    buffer.apply(ack(buffer.epoch, last.seq))
    for _ in range(100):
        buffer.append([data(3, body_bytes=100)], at_us=START_US)
    due = buffer.unacked(skip=NOTHING, limit=10_000)
    drops = [drop_in(batch.frame) for batch in due if batch.kind is BatchKind.DROP]
    assert drops
    assert min(drop.lo for drop in drops) > last.seq


def test_a_declared_range_never_covers_a_batch_that_is_kept(buffer: Buffer) -> None:
    buffer.append([tags()], at_us=START_US)
    for _ in range(80):
        buffer.append([data(3, body_bytes=16 * KIB), event()], at_us=START_US)
    due = buffer.unacked(skip=NOTHING, limit=1000)
    declared = [drop_in(batch.frame) for batch in due if batch.kind is BatchKind.DROP]
    kept = {batch.key.seq for batch in due}
    assert declared
    assert not any(drop.lo <= seq <= drop.hi for drop in declared for seq in kept)


def test_what_can_never_fit_is_refused(buffer: Buffer) -> None:
    buffer.append([tags()], at_us=START_US)
    with pytest.raises(BufferFull):
        buffer.append([data(body_bytes=600 * KIB), data(body_bytes=600 * KIB)], at_us=START_US)
    assert seqs(buffer) == [1]


def test_acked_batches_stay_as_a_safety_copy_up_to_a_quarter_of_the_cap(buffer: Buffer) -> None:
    fill(buffer, 10)
    buffer.apply(ack(buffer.epoch, 11))
    assert buffer.unack() == 11


def test_above_a_quarter_the_oldest_acked_batches_leave_first(buffer: Buffer) -> None:
    fill(buffer, 40)
    buffer.apply(ack(buffer.epoch, 41))
    assert buffer.ledger().bytes_used <= CAP // 4
    buffer.unack()
    left = seqs(buffer)
    assert left[0] == 1
    assert left[1:] == list(range(left[1], 42))


def test_with_archive_marks_only_archived_batches_leave_before_the_cap_forces_it(buffer: Buffer) -> None:
    fill(buffer, 40)
    buffer.apply(ack(buffer.epoch, 41, a=5))
    buffer.unack()
    assert seqs(buffer) == [1, *range(6, 42)]


def test_what_no_backup_has_stays_until_one_has_it(bench: Workbench) -> None:
    fill(bench.buffer, 40)
    bench.buffer.apply(ack(bench.buffer.epoch, 41, a=1))
    bench.buffer.unack()
    bench.buffer.apply(ack(bench.buffer.epoch, 41, a=1))
    assert held(bench.buffer) == list(range(1, 42))
    bench.buffer.apply(ack(bench.buffer.epoch, 41, a=20))
    while bench.buffer.maintain():
        pass
    assert held(bench.buffer) == [1, *range(21, 42)]


def test_a_full_buffer_gives_up_acked_batches_that_no_backup_has_before_what_waits(buffer: Buffer) -> None:
    fill(buffer, 40)
    buffer.apply(ack(buffer.epoch, 41, a=2))
    for _ in range(50):
        buffer.append([data(3, body_bytes=16 * KIB)], at_us=START_US)
    (account,) = buffer.ledger().epochs
    assert (account.acked, account.waiting, account.dropped) == (120, 150, 0)
    assert buffer.unack() < 41 - 10


def test_an_epoch_that_is_in_no_backup_yet_waits_for_the_next_one(bench: Workbench) -> None:
    old = bench.buffer.epoch
    fill(bench.buffer, 4)
    bench.buffer.apply(ack(old, 5, a=5))
    buffer = bench.reopen()
    fill(buffer, 40)
    buffer.apply(ack(buffer.epoch, 41))
    assert held(buffer) == list(range(1, 42))
    buffer.apply(ack(buffer.epoch, 41, a=41))
    assert len(held(buffer)) < 20


def test_after_a_restore_only_what_the_backup_has_may_leave(bench: Workbench) -> None:
    fill(bench.buffer, 12)
    bench.buffer.apply(ack(bench.buffer.epoch, 13, a=13, generation=1))
    bench.buffer.append([data(3, body_bytes=16 * KIB) for _ in range(30)], at_us=START_US)
    bench.buffer.apply(ack(bench.buffer.epoch, 43, a=7, generation=2))
    kept = held(bench.reopen())
    assert set(kept) >= set(range(14, 44))


def test_an_unused_tag_table_leaves_after_its_last_user(buffer: Buffer) -> None:
    other = tag_table(6)
    fill(buffer, 2)
    buffer.append([tags(other)], at_us=START_US)
    for _ in range(30):
        buffer.append([data(3, table=other, body_bytes=16 * KIB)], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 34))
    assert list(buffer.tables([tag_table().hash])) == []
    assert len(buffer.tables([other.hash])) == 1


def test_purged_readings_stay_counted_as_acked(bench: Workbench) -> None:
    fill(bench.buffer, 40)
    bench.buffer.apply(ack(bench.buffer.epoch, 41))
    (account,) = bench.reopen().ledger().epochs
    assert (account.sealed, account.acked, account.waiting) == (120, 120, 0)


def test_housekeeping_comes_to_an_end(buffer: Buffer) -> None:
    fill(buffer, 40)
    buffer.apply(ack(buffer.epoch, 41))
    assert any(not buffer.maintain() for _ in range(50))
