"""The chunk store through kill -9, a full disk, damage, and readers in other processes while it merges."""

import itertools
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cloud.errors import Unavailable
from cloud.ports import Arrival, ReadingStore
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.spans import WINDOW_US
from protocols.batch import Key
from protocols.reading import join
from tests.support.cloud_clock import HandClock
from tests.support.readings import block, table
from tests.support.store_writer import batch
from tests.support.stores import (
    SMALL,
    START_US,
    all_points,
    arrival,
    assert_same_answers,
    chunk_store,
    memory_store,
    merge_all,
    readings,
    write,
)  # fmt: skip

SECOND = 1_000_000
NAMES = table("flow", "speed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"


def both(count: int, start_us: int, *, seq: int = 1) -> Arrival:
    """Return readings of both tags under a key."""
    parts = [block(np.arange(float(count)), tag=tag, start_us=start_us) for tag in (0, 1)]
    return arrival(join(parts), NAMES, key=Key(1, seq))


def test_a_writer_killed_while_merging_leaves_what_it_had_committed_and_nothing_else(path: Path) -> None:
    store, database = chunk_store(path)
    database.execute("create table sent (seq integer)")
    database.close()
    chance = random.Random(11)
    for _ in range(4):
        command = [sys.executable, "-m", "tests.support.store_writer", str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(chance.randint(5, 40)):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
    store, database = chunk_store(path)
    sent = next(database.execute("select max(seq) from sent"))[0]
    assert sent > 20
    model = memory_store()
    for number in range(1, sent + 1):
        write(model, batch(number))
    assert_same_answers(store, model)
    merge_all(store)
    assert_same_answers(store, model)
    assert store.figures().details["pieces"] > 0
    database.close()


def test_a_reader_in_another_process_sees_every_batch_while_the_writer_merges(path: Path) -> None:
    store, database = chunk_store(path)
    database.execute("create table sent (seq integer)")
    database.close()
    command = [sys.executable, "-m", "tests.support.store_writer", str(path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    reader = Database(path, read_only=True)
    store = ChunkStore(reader, HandClock(), SMALL)
    model, known = memory_store(), 0
    for _ in range(6):
        for _ in range(9):
            writer.stdout.readline()
        with reader.snapshot():
            sent = next(reader.execute("select max(seq) from sent"))[0]
            for number in range(known + 1, sent + 1):
                write(model, batch(number))
            known = sent
            for series in store.series():
                mine, theirs = all_points(store, series), all_points(model, series)
                assert readings(mine) == readings(theirs)
    assert known > 50
    writer.kill()
    writer.communicate()
    reader.close()


def test_a_full_file_refuses_whole_batches_and_takes_them_when_there_is_room(path: Path) -> None:
    store, database = chunk_store(path)
    model = memory_store()
    seqs = itertools.count(1)
    for _ in range(3):
        database.limit(4096)  # that is, no more than it has
        with pytest.raises(Unavailable) as full:
            write_for_ever(store, model, seqs)
        assert full.value.code == "STORE_FULL"
        with suppress(Unavailable):
            merge_all(store)
        assert_same_answers(store, model)
        database.limit(None)
        merge_all(store)
        assert_same_answers(store, model)
    database.close()


def write_for_ever(store: ReadingStore, model: ReadingStore, seqs: Iterator[int]) -> None:
    for seq in seqs:
        coming = both(10, START_US + 10 * seq * SECOND, seq=seq)
        write(store, coming)
        write(model, coming)


def test_a_disk_that_is_full_to_the_last_byte_is_survived(tmp_path: Path) -> None:
    command = (
        f"mount -t tmpfs -o size=16m none {tmp_path} && exec {sys.executable} -m tests.support.full_store {tmp_path}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", command], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no disk of one's own to be had here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] > 0
    assert told["readable while full"] == told["stored while full"] > 0
    assert told["stored in the end"] == told["sent"]


def test_no_write_begins_with_little_room_and_retention_makes_some(path: Path) -> None:
    clock = HandClock(START_US + 3 * WINDOW_US)
    store, database = chunk_store(path, clock)
    write(store, both(500, START_US))
    merge_all(store)
    series = store.series()
    before = database.used_bytes()
    for one in series:
        store.set_retention(one, days=1)
    clock.move(30 * 86_400)
    merge_all(store)
    assert database.used_bytes() < before
    assert [len(all_points(store, one).value) for one in series] == [0, 0]
    (hour, _) = store.hourly(series, start_us=START_US, end_us=START_US + WINDOW_US)
    assert (hour.count.sum(), hour.maximum.max()) == (500, 499)
    database.close()


@pytest.fixture
def damaged(path: Path) -> Iterator[ChunkStore]:
    """Open a store with full pieces, of which the first one of the first series is damaged."""
    store, database = chunk_store(path)
    for seq in range(6):
        write(store, both(40, START_US + 40 * seq * SECOND, seq=seq + 1))
        merge_all(store)
    (number,) = next(database.execute("select id from chunk_piece where series = 0 order by start_us limit 1"))
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("update chunk_body set data = zeroblob(30) where id = ?", (number,))
    connection.close()
    store, database = chunk_store(path)
    yield store
    database.close()


def test_a_damaged_piece_names_its_series_and_window(damaged: ChunkStore) -> None:
    flow, _ = damaged.series()
    with pytest.raises(Unavailable, match=r"gw-1/pump-1/flow, window from 2023-\d\d-\d\d: piece \d+ is damaged"):
        all_points(damaged, flow)


def test_a_damaged_piece_stops_neither_the_other_series_nor_other_times(damaged: ChunkStore) -> None:
    flow, speed = damaged.series()
    assert len(all_points(damaged, speed).value) == 240
    assert len(damaged.points(flow, start_us=START_US + 60 * SECOND, end_us=1 << 53, limit=999).value) == 180
    assert [one.value[0] for one in damaged.latest([flow, speed])] == [39, 39]


def test_a_damaged_piece_stops_neither_writes_nor_merges_and_is_counted(damaged: ChunkStore) -> None:
    write(damaged, both(40, START_US, seq=9))
    for seq in range(10, 20):
        write(damaged, both(40, START_US + 40 * seq * SECOND, seq=seq))
        merge_all(damaged)
    assert damaged.figures().details["damaged_parts"] == 1
    assert damaged.figures().waiting_for_merge < 200
    assert len(all_points(damaged, damaged.series()[1]).value) == 640


@pytest.mark.parametrize("level", ["batch", "bundle"])
def test_what_is_damaged_before_it_was_merged_is_passed_over(path: Path, level: str) -> None:
    store, database = chunk_store(path, HandClock(START_US))
    write(store, *(both(2, START_US + 2 * seq * SECOND, seq=seq) for seq in range(1, 4 if level == "bundle" else 2)))
    merge_all(store)
    database.execute(f"update chunk_{level} set crc = crc + 1")  # noqa: S608 a name of our own
    database.close()
    store, database = chunk_store(path, HandClock(START_US))
    with pytest.raises(Unavailable, match=f"{level} 1 is damaged"):
        all_points(store, store.series()[0])
    for seq in range(10, 30):
        write(store, both(5, START_US + 5 * seq * SECOND, seq=seq))
    merge_all(store)
    assert store.figures().details["damaged_parts"] == 1
    later = store.points(store.series()[0], start_us=START_US + 50 * SECOND, end_us=1 << 53, limit=999)
    assert len(later.value) == 100
    database.close()


def test_a_month_late_readings_leave_every_rollup_as_if_they_had_come_in_time(path: Path) -> None:
    store, database = chunk_store(path)
    model = memory_store()
    rng = np.random.default_rng(5)
    in_time = [START_US + day * 86_400 * SECOND for day in range(31)]
    late = [start + 3_600_000 * int(rng.integers(0, 900)) for start in in_time[:5]]
    for seq, start_us in enumerate([*in_time, *late], 1):
        values = np.round(rng.normal(20, 2, 60), 1)
        coming = arrival(block(values, start_us=start_us, step_us=20 * SECOND), table("flow"), key=Key(1, seq))
        assert write(store, coming) == write(model, coming)
        merge_all(store)
    assert_same_answers(store, model)
    database.close()


def test_only_one_process_writes(path: Path) -> None:
    _, database = chunk_store(path)
    program = "import sys; from pathlib import Path; from cloud.storage.chunks.database import Database as D; "
    program += "D(Path(sys.argv[1])).close()"
    refused = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "another process writes to it" in refused.stderr
    database.close()
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 0
