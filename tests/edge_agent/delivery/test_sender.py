"""Delivery from end to end over a real broker: nothing lost, nothing twice, whatever happens to acks and brokers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from protocols.batch import BatchKind
from protocols.delivery import Ack
from tests.support.batches import block, tag_table
from tests.support.broker import Broker
from tests.support.edge_line import EdgeLine
from tests.support.small_store import SmallStore

TABLE = tag_table(4)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def store(broker: Broker) -> AsyncIterator[SmallStore]:
    store = SmallStore(broker.host, broker.port)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def line(tmp_path: Path, broker: Broker) -> AsyncIterator[EdgeLine]:
    line = EdgeLine(tmp_path, broker.port, TABLE)
    line.start()
    yield line
    await line.stop()


async def waiting(line: EdgeLine) -> int:
    return (await line.buffer.ledger()).batches_waiting


async def until_settled(line: EdgeLine, *, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while line.sealer.figures.waiting or await waiting(line):  # noqa: ASYNC110  # asks a disk, which tells nobody
            await asyncio.sleep(0.02)


async def poll(line: EdgeLine, first: int, count: int) -> list[float]:
    values = [float(v) for v in range(first, first + count)]
    for at in range(0, count, 4):
        line.sealer.accept(block(values[at : at + 4], at_us=1_790_000_000_000_000 + at))
        await asyncio.sleep(0.002)
    return values


async def test_what_is_accepted_is_stored_acked_and_leaves_nothing_waiting(line: EdgeLine, store: SmallStore) -> None:
    values = await poll(line, 0, 400)
    await until_settled(line)
    assert sorted(store.ledger.values()) == values
    assert store.ledger.kinds()[0] is BatchKind.TAGS


async def test_an_event_arrives_like_a_batch(line: EdgeLine, store: SmallStore) -> None:
    line.sealer.record("device_lost", device="pump-1")
    await store.until(lambda: BatchKind.EVENT in store.ledger.kinds())


async def test_the_state_is_told_with_accounts_and_the_will_is_left(
    line: EdgeLine, store: SmallStore, broker: Broker
) -> None:
    await store.until(lambda: any(state.online for state in store.states))
    assert store.states[-1].epoch == (await line.buffer.opened()).epoch
    broker.restart()
    await store.until(lambda: len(store.hellos) > 1)


async def test_lost_and_repeated_acks_lose_and_repeat_nothing(line: EdgeLine, store: SmallStore) -> None:
    seen: list[Ack] = []

    def mangle(ack: Ack) -> list[Ack]:
        seen.append(ack)
        if ack.nonce is not None or len(seen) % 3:
            return [seen[max(0, len(seen) - 4)], ack, ack]
        return []

    store.filter_ack = mangle
    values = await poll(line, 0, 200)
    await until_settled(line)
    assert sorted(store.ledger.values()) == values


async def test_after_a_broker_outage_all_arrives_and_nothing_settled_is_sent_again(
    line: EdgeLine, store: SmallStore, broker: Broker
) -> None:
    before = await poll(line, 0, 100)
    await until_settled(line)
    broker.kill()
    during = await poll(line, 100, 100)
    repeats = store.ledger.repeats
    broker.start()
    await until_settled(line)
    assert sorted(store.ledger.values()) == before + during
    assert store.ledger.repeats == repeats


async def test_without_a_broker_readings_go_to_disk_and_another_run_delivers_them(
    tmp_path: Path, broker: Broker
) -> None:
    broker.kill()
    first = EdgeLine(tmp_path, broker.port, TABLE)
    first.start()
    values = await poll(first, 0, 40)
    await first.stop()
    broker.start()
    store = SmallStore(broker.host, broker.port)
    await store.start()
    second = EdgeLine(tmp_path, broker.port, TABLE)
    second.start()
    values += await poll(second, 40, 40)
    await until_settled(second)
    assert sorted(store.ledger.values()) == values
    assert len(store.ledger.frames) == 2
    await second.stop()
    await store.stop()


async def test_a_backlog_drains_oldest_first_while_new_readings_keep_coming(tmp_path: Path, broker: Broker) -> None:
    broker.kill()
    line = EdgeLine(tmp_path, broker.port, TABLE, max_unsealed_s=0.0)
    line.start()
    await poll(line, 0, 800)
    broker.start()
    store = SmallStore(broker.host, broker.port)
    await store.start()
    await until_settled(line)
    epoch = (await line.buffer.opened()).epoch
    order = [seq for of, seq in store.order if of == epoch]
    newest = max(order)
    assert order.index(newest) < len(order) // 2
    assert order.index(1) < 8
    await line.stop()
    await store.stop()


async def test_a_restored_store_gets_everything_it_lost(line: EdgeLine, store: SmallStore) -> None:
    values = await poll(line, 0, 100)
    await until_settled(line)
    for rows in store.ledger.frames.values():
        for seq in list(rows)[3:]:
            del rows[seq]
    store.generation = 2
    values += await poll(line, 100, 20)
    await store.until(lambda: sorted(store.ledger.values()) == values)
    await until_settled(line)


async def test_a_store_that_went_back_unnoticed_is_found_out_by_the_hello(
    line: EdgeLine, store: SmallStore, broker: Broker
) -> None:
    values = await poll(line, 0, 100)
    await until_settled(line)
    for rows in store.ledger.frames.values():
        for seq in list(rows)[3:]:
            del rows[seq]
    broker.restart()
    await store.until(lambda: sorted(store.ledger.values()) == values)
    await store.until(lambda: BatchKind.EVENT in store.ledger.kinds())


async def test_a_table_that_the_store_lacks_is_sent_again(line: EdgeLine, store: SmallStore) -> None:
    await poll(line, 0, 8)
    await until_settled(line)
    tags_seq = store.ledger.kinds().index(BatchKind.TAGS) + 1
    sent = len(store.order)
    store.filter_ack = lambda ack: [Ack(ack.generation, ack.epochs, need=(TABLE.hash,))]
    await poll(line, 8, 4)
    await store.until(lambda: tags_seq in [seq for _, seq in store.order[sent:]])


async def test_an_ack_that_cannot_be_read_is_counted_and_harms_nothing(line: EdgeLine, store: SmallStore) -> None:
    await store.until(lambda: bool(store.hellos))
    line.sender.inbox.receive(b'{"generation": "seven"}')  # type: ignore[union-attr]
    values = await poll(line, 0, 8)
    await until_settled(line)
    assert sorted(store.ledger.values()) == values
    assert line.sender.inbox.malformed == 1  # type: ignore[union-attr]


async def test_a_full_buffer_keeps_the_newest_and_the_store_learns_what_was_dropped(
    tmp_path: Path, broker: Broker
) -> None:
    broker.kill()
    line = EdgeLine(tmp_path, broker.port, TABLE, max_bytes=192 * 1024, max_unsealed_s=0.0)
    line.start()
    values = np.random.default_rng(1).normal(size=60_000).tolist()
    for at in range(0, len(values), 300):
        line.sealer.accept(block(values[at : at + 300]))
        await asyncio.sleep(0.002)
    broker.start()
    store = SmallStore(broker.host, broker.port)
    await store.start()
    await until_settled(line, within_s=40)
    stored = store.ledger.values()
    (account,) = (await line.buffer.ledger()).epochs
    assert account.dropped > 0
    assert stored == values[account.dropped :]
    await line.stop()
    await store.stop()


@pytest.mark.usefixtures("store")
async def test_acked_readings_stay_acked_in_the_file(tmp_path: Path, line: EdgeLine) -> None:
    await poll(line, 0, 40)
    await until_settled(line)
    await line.stop()
    buffer = SqliteBuffer(BufferPlace(tmp_path / "buffer.db", "gw-1", 16 << 20))
    assert buffer.unacked(skip=frozenset(), limit=9) == []
    buffer.close()
