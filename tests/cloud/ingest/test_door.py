"""The door between two processes: readings in, answers out, refusals as errors."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from cloud.errors import Invalid, Unavailable
from cloud.ingest.door import Door
from cloud.ingest.door_messages import short_path
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import MAX_DIRECT, Inbox
from cloud.ingest.remote import RemoteIntake
from cloud.ports import Arrival, Written
from protocols.reading import Column, Kind, ReadingBlock, join
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.ingest import TABLE
from tests.support.ingest_process import IngestProcess
from tests.support.readings import block, text_block
from tests.support.waiting import DEADLINE_S, until


def _arrival(*values: float) -> Arrival:
    return Arrival("", TABLE, block(values))


async def test_readings_are_durable_in_the_other_process_and_counted(tmp_path: Path) -> None:
    with IngestProcess(tmp_path) as ingest:
        async with RemoteIntake(ingest.door) as intake:
            assert await intake.take(_arrival(1.0, 2.0)) == Written(stored=2)
            assert await intake.take(_arrival(1.0, 3.0)) == Written(duplicate=1, replaced=1)
            samples = {(one.name, one.outcome): one.value for one in await intake.samples()}
            assert samples["lineside_ingest_readings_total", "stored"] == 2
            assert samples["lineside_ingest_store_available", ""] == 1
        assert ingest.stop() == 0
        assert not ingest.door.exists()


async def test_every_kind_of_reading_goes_through(tmp_path: Path) -> None:
    one = join([block([1.5]), block([-7], kind=Kind.INT, tag=1), text_block(["auto"], tag=2)])
    kinds = (Kind.FLOAT, Kind.INT, Kind.TEXT)
    mixed = TagTable((DeviceInfo("pump-1"),), tuple(TagInfo(0, kind.name, kind) for kind in kinds))
    with IngestProcess(tmp_path) as ingest:
        async with RemoteIntake(ingest.door) as intake:
            assert await intake.take(Arrival("", mixed, one)) == Written(stored=3)


async def test_many_callers_share_the_commits(tmp_path: Path) -> None:
    with IngestProcess(tmp_path) as ingest:
        async with RemoteIntake(ingest.door, timeout_s=DEADLINE_S) as intake:
            written = await asyncio.gather(*(intake.take(_one(number)) for number in range(100)))
            assert sum(one.stored for one in written) == 100
            samples = {(one.name, one.outcome): one.value for one in await intake.samples()}
            assert samples["lineside_ingest_groups_total", "committed"] < 100


def _one(number: int) -> Arrival:
    return Arrival("", TABLE, block([1.0], start_us=1_700_000_000_000_000 + number))


async def test_readings_that_contradict_their_table_are_invalid(tmp_path: Path) -> None:
    with IngestProcess(tmp_path) as ingest:
        async with RemoteIntake(ingest.door) as intake:
            for wrong in (block([1.0], tag=2), block([1], kind=Kind.INT), ReadingBlock()):
                with pytest.raises(Invalid):
                    await intake.take(Arrival("", TABLE, wrong))
            assert await intake.take(_arrival(1.0)) == Written(stored=1)


async def test_an_ingest_process_that_is_away_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    async with RemoteIntake(tmp_path / "intake.sock") as intake:
        with pytest.raises(Unavailable, match="away"):
            await intake.take(_arrival(1.0))
        with IngestProcess(tmp_path):
            assert await intake.take(_arrival(1.0)) == Written(stored=1)
        with pytest.raises(Unavailable):
            await intake.take(_arrival(2.0))
        with IngestProcess(tmp_path):
            assert await _taken(intake, _arrival(2.0)) == Written(replaced=1)


async def _taken(intake: RemoteIntake, arrival: Arrival) -> Written:
    """Offer it until it is taken."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(Unavailable):
                return await intake.take(arrival)
            await asyncio.sleep(0.005)


class Hall:
    """A door whose writer never comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inbox = Inbox()
        self.trouble: Unavailable | None = None


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    deep = tmp_path / ("deep" * 20) / "and-deeper"
    deep.mkdir(parents=True)
    made = Hall(deep / "intake.sock")
    async with Door(made.inbox, Figures(), trouble=lambda: made.trouble).open(made.path):
        yield made


async def test_only_the_owner_may_use_the_socket(hall: Hall) -> None:
    assert stat.S_IMODE(hall.path.stat().st_mode) == 0o600


async def test_no_answer_in_time_is_unavailable(hall: Hall) -> None:
    async with RemoteIntake(hall.path, timeout_s=0.05) as intake:
        with pytest.raises(Unavailable, match="no answer"):
            await intake.take(_arrival(1.0))


async def test_trouble_of_the_store_is_told_at_once(hall: Hall) -> None:
    hall.trouble = Unavailable("the disk is full", code="STORE_FULL")
    async with RemoteIntake(hall.path) as intake:
        with pytest.raises(Unavailable, match="disk is full") as raised:
            await intake.take(_arrival(1.0))
    assert raised.value.code == "STORE_FULL"


async def test_a_full_queue_is_told_at_once(hall: Hall) -> None:
    async with RemoteIntake(hall.path, timeout_s=DEADLINE_S) as one:
        waiting = [asyncio.create_task(one.take(_arrival(float(at)))) for at in range(MAX_DIRECT)]
        await until(lambda: len(hall.inbox) == MAX_DIRECT)
        with pytest.raises(Unavailable, match="too many"):
            await one.take(_arrival(1.0))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_readings_too_many_for_one_message_are_invalid(hall: Hall) -> None:
    n = 1_000_000
    rows = Column(
        Kind.FLOAT,
        np.zeros(n, dtype=np.uint32),
        np.zeros(n, dtype=np.int64),
        np.zeros(n),
        np.zeros(n, dtype=np.uint8),
    )
    async with RemoteIntake(hall.path) as intake:
        with pytest.raises(Invalid):
            await intake.take(Arrival("", TABLE, ReadingBlock((rows,))))


@pytest.mark.parametrize("junk", [b"\x00\x00\x00\x03abc", b"\xff\xff\xff\xff", b"\x00"])
async def test_a_caller_that_makes_no_sense_is_hung_up_on(hall: Hall, junk: bytes) -> None:
    async with RemoteIntake(hall.path) as healthy:
        reader, writer = await _connect(hall.path)
        writer.write(junk)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert isinstance(await healthy.samples(), tuple)


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with short_path(path) as address:
        return await asyncio.open_unix_connection(address)
