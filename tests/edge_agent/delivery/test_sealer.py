"""Sealing: when, in what order, how large, and what happens when the disk or the clock does not play along."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

import numpy as np
import pytest

from edge_agent.buffers.memory import MemoryBuffer
from edge_agent.delivery.clock_watch import BUILT_US
from edge_agent.delivery.pending import Bounds, Pending
from edge_agent.delivery.sealer import Sealer
from edge_agent.delivery.splitting import cut, gather, seal_within
from edge_agent.errors import BufferUnusable
from edge_agent.ports import BufferIdentity, BufferStanding, Ledger, StoredBatch
from protocols.batch import MAX_FRAME_BYTES, BatchKind, GatewayEvent, Key, SealedBatch
from protocols.codec import open_data, unpack
from protocols.delivery import Ack
from protocols.reading import Column, Kind, Quality, ReadingBlock, join
from tests.support.batches import START_US, block, counted_epochs, event_in, tag_table

TABLE = tag_table(4)


class Clocks:
    """A Clock whose wall clock a test may set; waiting is real and short."""

    def __init__(self) -> None:
        self.wall_us = START_US
        self.passed_s = 100.0

    def now_us(self) -> int:
        return self.wall_us + round(self.passed_s * 1e6)

    def monotonic_s(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.passed_s += seconds
        await asyncio.sleep(0)


class Desk:
    """The AsyncBuffer port over a memory buffer; `gate` holds commits up, `refuses` makes them fail."""

    def __init__(self) -> None:
        self.buffer = MemoryBuffer(gateway="gw-1", max_bytes=64 << 20, draw=counted_epochs())
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses = False
        self.commits: list[Sequence[SealedBatch]] = []

    async def opened(self) -> BufferIdentity:
        return BufferIdentity(self.buffer.epoch, self.buffer.last_at_us)

    async def append(self, seal: Callable[[], Sequence[SealedBatch]], *, at_us: int) -> Sequence[Key]:
        batches = seal()
        await self.gate.wait()
        if self.refuses:
            raise BufferUnusable("the disk is full")
        keys = self.buffer.append(batches, at_us=at_us)
        self.commits.append(batches)
        return keys

    async def unacked(self, *, skip: frozenset[Key], limit: int, newest: int = 0) -> Sequence[StoredBatch]:
        return self.buffer.unacked(skip=skip, limit=limit, newest=newest)

    async def tables(self, hashes: Sequence[str]) -> Sequence[StoredBatch]:
        return self.buffer.tables(hashes)

    async def apply(self, ack: Ack) -> bool:
        return self.buffer.apply(ack)

    async def unack(self) -> int:
        return self.buffer.unack()

    async def standing(self) -> BufferStanding:
        return BufferStanding(0, (), ())

    async def ledger(self) -> Ledger:
        return self.buffer.ledger()

    async def maintain(self) -> bool:
        return False

    async def close(self) -> None:
        self.buffer.close()

    def stored(self) -> list[StoredBatch]:
        everything = self.buffer.unacked(skip=frozenset(), limit=100_000)
        return sorted(everything, key=lambda batch: batch.key)

    def kinds(self) -> list[BatchKind]:
        return [batch.kind for batch in self.stored()]

    def readings(self) -> ReadingBlock:
        return join(open_data(unpack(b.frame)) for b in self.stored() if b.kind is BatchKind.DATA)

    def events(self) -> list[str]:
        return [event_in(b.frame).name for b in self.stored() if b.kind is BatchKind.EVENT]


class Bench:
    """A running sealer, its desk and its clocks."""

    def __init__(self, *, max_unsealed_s: float = 0.0, bounds: Bounds | None = None) -> None:
        self.desk, self.clocks = Desk(), Clocks()
        self.sealer = Sealer(
            buffer=self.desk, clock=self.clocks, table=TABLE, max_unsealed_s=max_unsealed_s, bounds=bounds
        )
        self.task = asyncio.create_task(self.sealer.run())

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110  # turns of the loop, no time
                await asyncio.sleep(0)

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.stop()


async def test_the_first_block_is_sealed_at_once_behind_its_tag_table(bench: Bench) -> None:
    bench.sealer.accept(block([1.0, 2.0]))
    await bench.until(lambda: bool(bench.desk.commits))
    assert bench.desk.kinds() == [BatchKind.TAGS, BatchKind.DATA]


async def test_what_arrives_while_the_writer_is_busy_goes_into_one_commit_as_one_batch(bench: Bench) -> None:
    bench.desk.gate.clear()
    bench.sealer.accept(block([0.0]))
    for _ in range(5):
        await asyncio.sleep(0)
    for value in range(1, 50):
        bench.sealer.accept(block([float(value)]))
    bench.desk.gate.set()
    await bench.until(lambda: bench.sealer.figures.waiting == 0)
    assert [len(commit) for commit in bench.desk.commits] == [2, 1]
    assert len(bench.desk.readings()) == 50


async def test_blocks_wait_for_the_interval_after_a_commit_and_an_event_does_not() -> None:
    bench = Bench(max_unsealed_s=3600.0)
    bench.sealer.accept(block([1.0]))
    await bench.until(lambda: len(bench.desk.commits) == 1)
    bench.sealer.accept(block([2.0]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(bench.desk.commits) == 1
    bench.sealer.record("device_lost", device="pump-1")
    await bench.until(lambda: len(bench.desk.commits) == 2)
    assert bench.desk.events() == ["device_lost"]
    assert len(bench.desk.readings()) == 2
    await bench.stop()


async def test_flush_makes_everything_durable() -> None:
    bench = Bench(max_unsealed_s=3600.0)
    for value in range(10):
        bench.sealer.accept(block([float(value)]))
    await bench.sealer.flush()
    assert len(bench.desk.readings()) == 10
    await bench.stop()


async def test_a_commit_under_way_when_the_sealer_is_cancelled_is_stored_once(bench: Bench) -> None:
    bench.desk.gate.clear()
    bench.sealer.accept(block([1.0]))
    for _ in range(5):
        await asyncio.sleep(0)
    bench.task.cancel()
    await asyncio.sleep(0)
    bench.desk.gate.set()
    await bench.stop()
    await bench.sealer.flush()
    assert len(bench.desk.readings()) == 1


async def test_a_refused_commit_is_tried_again_and_nothing_is_lost_or_doubled(bench: Bench) -> None:
    bench.desk.refuses = True
    for value in range(10):
        bench.sealer.accept(block([float(value)]))
    await bench.until(lambda: bench.clocks.passed_s > 103)
    bench.desk.refuses = False
    await bench.until(lambda: bench.sealer.figures.waiting == 0)
    (column,) = bench.desk.readings().columns
    assert column.value.tolist() == list(range(10))


async def test_more_than_the_bound_loses_the_oldest_counts_it_and_declares_it() -> None:
    bench = Bench(bounds=Bounds(readings=100, a_commit=1000))
    bench.desk.refuses = True
    for value in range(150):
        bench.sealer.accept(block([float(value)]))
    bench.desk.refuses = False
    await bench.until(
        lambda: bench.sealer.figures.waiting == 0 and "readings_lost_before_the_buffer" in bench.desk.events()
    )
    (column,) = bench.desk.readings().columns
    assert column.value.tolist() == list(range(50, 150))
    assert bench.sealer.figures.overflowed == 50
    lost = next(event_in(b.frame) for b in bench.desk.stored() if b.kind is BatchKind.EVENT)
    assert (lost.name, lost.detail["readings"]) == ("readings_lost_before_the_buffer", 50)
    await bench.stop()


async def test_a_clock_step_seals_opens_a_segment_and_is_told_of(bench: Bench) -> None:
    bench.desk.gate.clear()
    bench.sealer.accept(block([1.0]))
    bench.clocks.wall_us += 5_000_000
    bench.sealer.accept(block([2.0]))
    bench.desk.gate.set()
    await bench.until(lambda: bench.sealer.figures.waiting == 0)
    headers = [unpack(b.frame).header for b in bench.desk.stored()]
    assert [h.segment for h in headers if h.kind is BatchKind.DATA] == [0, 1]
    assert bench.desk.events() == ["clock_stepped"]


async def test_with_an_unset_clock_readings_get_the_known_time_and_a_quality_that_says_so() -> None:
    bench = Bench()
    bench.clocks.wall_us = -100_000_000
    bench.sealer.accept(block([1.0], at_us=bench.clocks.now_us()))
    await bench.until(lambda: bench.sealer.figures.waiting == 0 and bool(bench.desk.commits))
    (column,) = bench.desk.readings().columns
    assert column.quality.tolist() == [Quality.CLOCK_UNSET]
    assert int(column.time_us[0]) >= BUILT_US
    assert not bench.sealer.clock_is_set
    await bench.stop()


async def test_a_new_table_is_stored_before_the_data_that_uses_it(bench: Bench) -> None:
    other = tag_table(9)
    bench.sealer.accept(block([1.0]))
    bench.sealer.use_table(other)
    bench.sealer.accept(block([2.0]))
    await bench.until(lambda: bench.sealer.figures.waiting == 0)
    headers = [unpack(b.frame).header for b in bench.desk.stored()]
    assert [(h.kind, h.table) for h in headers] == [
        (BatchKind.TAGS, TABLE.hash),
        (BatchKind.DATA, TABLE.hash),
        (BatchKind.TAGS, other.hash),
        (BatchKind.DATA, other.hash),
    ]


async def test_a_buffer_that_was_begun_anew_gets_the_tag_table_again(bench: Bench) -> None:
    bench.sealer.accept(block([1.0]))
    await bench.until(lambda: len(bench.desk.commits) == 1)
    bench.desk.buffer.reopened()
    bench.sealer.accept(block([2.0]))
    await bench.until(lambda: len(bench.desk.commits) == 2)
    assert bench.desk.kinds() == [BatchKind.TAGS, BatchKind.DATA, BatchKind.TAGS, BatchKind.DATA]


async def test_readings_that_no_batch_can_hold_are_counted_and_hold_nothing_up(bench: Bench) -> None:
    one = np.zeros(1, dtype=np.uint32)
    text = Column(Kind.TEXT, one, np.array([START_US]), one, np.zeros(1, dtype=np.uint8))
    bench.sealer.accept(ReadingBlock((text,), ("x" * 5000,)))
    await bench.until(lambda: bench.sealer.figures.refused == 1)
    bench.sealer.accept(block([1.0]))
    await bench.until(lambda: bench.sealer.figures.waiting == 0 and "readings_refused" in bench.desk.events())
    assert len(bench.desk.readings()) == 1


async def test_readings_that_no_batch_can_hold_take_no_others_of_their_commit_with_them(bench: Bench) -> None:
    one = np.zeros(1, dtype=np.uint32)
    text = Column(Kind.TEXT, one, np.array([START_US]), one, np.zeros(1, dtype=np.uint8))
    for value in ("x" * 5000, "good", "y" * 5000):
        bench.sealer.accept(block([1.0, 2.0]))
        bench.sealer.accept(ReadingBlock((text,), (value,)))
    await bench.until(lambda: bench.sealer.figures.refused == 2)
    await bench.until(lambda: bench.sealer.figures.waiting == 0)
    assert len(bench.desk.readings()) == 7


def test_frames_stay_under_their_bound_whatever_the_values() -> None:
    noise = np.random.default_rng(3).normal(size=40_000).tolist()
    batches = [b for part in gather([block(noise)], 16_384) for b in seal_within(part, segment=0, table=TABLE.hash)]
    assert all(len(batch.body) + 200 <= MAX_FRAME_BYTES for batch in batches)
    assert sum(batch.count for batch in batches) == 40_000


def test_gathering_keeps_every_reading_in_order() -> None:
    blocks = [block([float(at)] * (at % 7)) for at in range(200)]
    parts = list(gather(blocks, 50))
    assert all(sum(map(len, part)) <= 50 for part in parts)
    assert join(one for part in parts for one in part).is_identical(join(blocks))


def test_a_poll_is_not_torn_where_many_polls_are_too_much_for_a_frame() -> None:
    noise = np.random.default_rng(3)
    polls = [block(noise.normal(size=1000).tolist(), at_us=START_US + at) for at in range(16)]
    (group,) = gather(polls, 16_384)
    batches = seal_within(group, segment=0, table=TABLE.hash)
    assert len(batches) > 1
    assert {batch.count % 1000 for batch in batches} == {0}


def test_a_cut_block_keeps_its_texts() -> None:
    index = np.array([2, 0, 1, 2], dtype=np.uint32)
    tag = np.arange(4, dtype=np.uint32)
    column = Column(Kind.TEXT, tag, np.full(4, START_US), index, np.zeros(4, dtype=np.uint8))
    parts = list(cut(ReadingBlock((column,), ("a", "b", "c")), 2))
    said = [part.texts[at] for part in parts for at in part.columns[0].value]
    assert said == ["c", "a", "b", "c"]


def test_too_many_events_are_refused_not_queued() -> None:
    pending = Pending(Bounds(events=2))
    told = [pending.tell(GatewayEvent(1, "e"), segment=0, table=TABLE) for _ in range(3)]
    assert told == [True, True, False]


async def test_events_beyond_what_may_wait_are_counted() -> None:
    bench = Bench(bounds=Bounds(events=2))
    for _ in range(5):
        bench.sealer.record("anomaly_opened", device="pump-1")
    assert bench.sealer.figures.lost_events == 3
    await bench.sealer.flush()
    assert bench.desk.events() == ["anomaly_opened"] * 2
    await bench.stop()


async def test_an_event_may_bring_a_time_of_its_own(bench: Bench) -> None:
    bench.sealer.announce(GatewayEvent(at_us=START_US + 7, name="anomaly_opened", device="pump-1"))
    await bench.sealer.flush()
    events = [event_in(stored.frame) for stored in bench.desk.stored() if stored.kind is BatchKind.EVENT]
    assert [(event.name, event.device, event.at_us) for event in events] == [("anomaly_opened", "pump-1", START_US + 7)]
