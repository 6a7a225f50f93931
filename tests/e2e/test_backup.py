"""A cloud restored from a backup, and a gateway replaced: whatever gateways still hold is back, each reading once."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from edge_agent.buffers.carrying import export_buffer, import_buffer
from edge_agent.buffers.place import BufferPlace
from tests.support.batches import START_US, block, tag_table
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.edge_line import EdgeLine
from tests.support.small_store import SmallStore
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(600)]
TABLE = tag_table(4)
MIB = 1 << 20


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


@asynccontextmanager
async def fleet(directory: Path, port: int, size: int) -> AsyncIterator[list[EdgeLine]]:
    """Run so many gateways until the end of the block."""
    async with AsyncExitStack() as stack:
        lines: list[EdgeLine] = []
        for number in range(size):
            (directory / f"gw-{number}").mkdir()
            lines.append(EdgeLine(directory / f"gw-{number}", port, TABLE, gateway=f"gw-{number}"))
            lines[-1].start()
            stack.push_async_callback(lines[-1].stop)
        yield lines


async def poll(lines: list[EdgeLine], first: int, count: int) -> None:
    """Let every gateway read its four tags so many times."""
    for at in range(first, first + count):
        for line in lines:
            line.sealer.accept(block([1.0 * at] * 4, at_us=START_US + at * 1_000_000))
        await asyncio.sleep(0.02)


async def until_acked(lines: list[EdgeLine]) -> None:
    for line in lines:
        async with asyncio.timeout(90):
            while line.sealer.figures.waiting or (await line.buffer.ledger()).batches_waiting:  # noqa: ASYNC110 a disk tells nobody
                await asyncio.sleep(0.05)


def stored(server: CloudServer) -> int:
    database = Database(server.directory / "data" / "readings.db", read_only=True)
    try:
        return ChunkStore(database, SystemClock()).figures().readings
    finally:
        database.close()


async def back_up(server: CloudServer, directory: Path) -> Path:
    done = await asyncio.to_thread(server.run, "backup", str(directory), "--json")
    return Path(json.loads(done.stdout)["path"])


async def go_back(server: CloudServer, backup: Path) -> int:
    """Stop the cloud, restore the backup, start the cloud again, and return the generation."""
    await asyncio.to_thread(server.stop)
    server.ready_file.unlink(missing_ok=True)
    done = await asyncio.to_thread(server.run, "restore", str(backup), "--force", "--json")
    await asyncio.to_thread(server.start)
    return int(json.loads(done.stdout)["generation"])


@pytest.mark.parametrize("size", [20])
async def test_a_store_from_an_old_backup_gets_back_all_that_gateways_hold(
    broker: Broker, tmp_path: Path, size: int
) -> None:
    server = CloudServer(tmp_path, mqtt=f"mqtt: {{port: {broker.port}}}\n")
    server.run("init")
    with server:
        async with fleet(tmp_path, broker.port, size) as lines:
            await poll(lines, 0, 30)
            await until_acked(lines)
            first = await back_up(server, tmp_path / "backups")
            archived = await marks_of(lines)
            assert len(archived) == size
            assert all(archived)
            await poll(lines, 30, 30)
            await back_up(server, tmp_path / "backups")
            await poll(lines, 60, 30)
            await until_acked(lines)
            assert stored(server) == size * 4 * 90

            generations = [await go_back(server, first)]  # gateways have nothing new to say
            await until(lambda: stored(server) == size * 4 * 90, deadline_s=90)
            running = asyncio.create_task(poll(lines, 90, 60))
            generations.append(await go_back(server, first))
            await running
            await until_acked(lines)
            await until(lambda: stored(server) == size * 4 * 150, deadline_s=90)
            assert generations[0] < generations[1]
            assert [(await line.buffer.standing()).generation for line in lines] == [generations[1]] * size


async def marks_of(lines: list[EdgeLine]) -> list[int]:
    """Return up to where the newest epoch of each gateway is in a backup, once each has heard of one."""
    async with asyncio.timeout(60):
        while True:
            found = [(await line.buffer.standing()).marks[-1].a for line in lines]
            if all(found):
                return found
            await asyncio.sleep(0.05)


async def test_a_gateway_that_is_replaced_hands_on_what_it_holds_under_the_same_keys(
    broker: Broker, tmp_path: Path
) -> None:
    store = SmallStore(broker.host, broker.port)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = EdgeLine(tmp_path / "old", broker.port, TABLE)
    old.start()
    await poll([old], 0, 20)
    await old.stop()
    place = BufferPlace(tmp_path / "old" / "buffer.db", "gw-1", 16 * MIB)
    carried = export_buffer(place, tmp_path / "parcel", program="1", at_us=START_US, waiting_only=False)
    assert carried.readings == 80
    import_buffer(BufferPlace(tmp_path / "new" / "buffer.db", "gw-1", 16 * MIB), tmp_path / "parcel")
    shutil.copytree(tmp_path / "old", tmp_path / "kept")
    await store.start()
    new = EdgeLine(tmp_path / "new", broker.port, TABLE)
    new.start()
    await poll([new], 20, 20)
    await until_acked([new])
    await new.stop()
    first = sorted(store.ledger.values())
    kept = EdgeLine(tmp_path / "kept", broker.port, TABLE)  # the old one was only thought to be dead
    kept.start()
    await until_acked([kept])
    await kept.stop()
    await store.stop()
    assert first == sorted(store.ledger.values()) == sorted(1.0 * at for at in range(40) for _ in range(4))
