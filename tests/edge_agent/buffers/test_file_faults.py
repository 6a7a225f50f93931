"""What happens to a buffer's file: kill -9, a full disk, damage, a second process; nothing committed is lost."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from edge_agent.buffers.ballast import Ballast
from edge_agent.buffers.file import BufferFile, Opened, lock_path
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.retention import MAX_ROWS_A_STEP
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.buffers.thread import BufferThread
from edge_agent.errors import BufferFull, BufferUnusable
from edge_agent.ports import Buffer, StoredBatch
from protocols.batch import BatchKind, Key
from tests.support.batches import START_US, ack, data, drop_in, event, event_in, tags

MIB = 1024 * 1024
KIB = 1024
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def place(tmp_path: Path) -> BufferPlace:
    return BufferPlace(tmp_path / "buffer.db", "gw-1", 4 * MIB)


def opened(place: BufferPlace) -> Opened:
    return BufferFile(place, now_us=lambda: START_US).open()


def due(buffer: Buffer) -> list[StoredBatch]:
    return list(buffer.unacked(skip=frozenset(), limit=10_000))


def let_go(held: Opened) -> None:
    held.buffer.close()
    held.lock.release()


def write_for_ever(place: BufferPlace, told: Connection) -> None:
    """Commit batches and tell each key after its commit; runs in a process that will be killed."""
    buffer = opened(place).buffer
    buffer.append([tags()], at_us=START_US)
    while True:
        for key in buffer.append([data(body_bytes=3000), data(body_bytes=10)], at_us=START_US):
            told.send((key.epoch, key.seq))


def in_another_process(task: Callable[[BufferPlace, Connection], None], place: BufferPlace) -> list[object]:
    """Run the task and return what it told before it ended or was cut off."""
    mine, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=task, args=(place, theirs))
    process.start()
    theirs.close()
    told: list[object] = []
    try:
        while len(told) < 60:
            told.append(mine.recv())
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        while True:
            told.append(mine.recv())
    except EOFError:
        return told
    finally:
        process.join(10)
        mine.close()


def test_kill_9_loses_nothing_that_was_committed(place: BufferPlace) -> None:
    told = in_another_process(write_for_ever, place)
    held = opened(place)
    kept = {(batch.key.epoch, batch.key.seq) for batch in due(held.buffer)}
    assert len(told) >= 60
    assert set(told) <= kept
    let_go(held)


def test_a_full_disk_is_opened_and_written_on_for_ever_and_makes_the_oldest_data_go(tmp_path: Path) -> None:
    program = (
        f"mount -t tmpfs -o size=24m none {tmp_path} && exec {sys.executable} -m tests.support.full_disk {tmp_path}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", program], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no disk of one's own to be had here: {done.stderr.strip()}")
    told = json.loads(done.stdout or done.stderr)
    assert told["stored on a full disk"] == 2
    assert (told["ballast when full"], told["ballast with room"]) == (False, True)
    assert told["newest kept"] > 1000
    assert (told["neither held nor declared"], told["held and declared"]) == (0, 0)
    assert told["kept"] > 500
    assert told["dropped"] > 0
    assert told["lost"] == 0


def test_the_file_stays_under_its_cap(place: BufferPlace) -> None:
    held = opened(place)
    held.buffer.append([tags()], at_us=START_US)
    for size in (200, 3000, 1500, 60_000) * 60:
        held.buffer.append([data(body_bytes=size), data(body_bytes=4000 - size % 3000)], at_us=START_US)
    assert place.path.stat().st_size <= place.max_bytes + 64 * KIB
    assert place.path.with_name("buffer.db-wal").stat().st_size <= 6 * MIB
    let_go(held)


def test_ballast_is_laid_given_up_and_laid_again(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast")
    assert ballast.lay()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 2 * MIB
    assert ballast.give_up()
    assert not ballast.give_up()
    assert ballast.lay()


def test_no_ballast_is_laid_where_the_disk_has_no_room_for_it(tmp_path: Path) -> None:
    assert not Ballast(tmp_path / "ballast", size=1 << 50).lay()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_kept_out_and_told_who_holds_the_buffer(place: BufferPlace) -> None:
    held = opened(place)
    with pytest.raises(BufferUnusable, match=f"process {os.getpid()}"):
        opened(place)
    let_go(held)
    let_go(opened(place))


def test_a_lock_file_that_a_dead_process_left_holds_nobody_up(place: BufferPlace) -> None:
    lock_path(place.path).write_text("99999")
    let_go(opened(place))


def test_a_file_that_is_no_buffer_is_set_aside_and_told_of(place: BufferPlace) -> None:
    place.path.write_bytes(b"this is not a database " * 500)
    held = opened(place)
    (told,) = due(held.buffer)
    assert event_in(told.frame).name == "buffer_damaged"
    (aside,) = place.path.parent.glob("buffer.db.damaged-*")
    assert aside.read_bytes().startswith(b"this is not")
    let_go(held)


async def test_damage_found_while_running_is_survived(place: BufferPlace) -> None:
    held = opened(place)
    held.buffer.append([tags(), *(data(3, body_bytes=20_000) for _ in range(40))], at_us=START_US)
    before = {batch.key: batch.frame for batch in due(held.buffer)}
    let_go(held)
    content = bytearray(place.path.read_bytes())
    for page in range(20, 24):
        content[page * 4096 : page * 4096 + 4096] = b"\xff" * 4096
    place.path.write_bytes(content)
    thread = BufferThread(BufferFile(place, now_us=lambda: START_US).open)
    found: dict[Key, bytes] = {}
    for _ in range(3):
        try:
            batches = await thread.unacked(skip=frozenset(), limit=100)
        except BufferUnusable:
            continue
        found = {batch.key: batch.frame for batch in batches}
    saved = {key: frame for key, frame in found.items() if key in before}
    assert len(saved) >= 30
    assert saved.items() <= before.items()
    await thread.close()


async def test_a_closed_buffer_refuses_and_closing_twice_is_safe(place: BufferPlace) -> None:
    thread = BufferThread(BufferFile(place, now_us=lambda: START_US).open)
    identity = await thread.opened()
    assert (await thread.standing()).epochs == ()
    assert identity.last_at_us == 0
    await thread.close()
    await thread.close()
    with pytest.raises(BufferUnusable):
        await thread.ledger()


async def test_a_buffer_that_cannot_be_opened_is_tried_again_at_each_call(place: BufferPlace) -> None:
    with FileLock(lock_path(place.path)):
        thread = BufferThread(BufferFile(place, now_us=lambda: START_US).open)
        with pytest.raises(BufferUnusable):
            await thread.opened()
    assert (await thread.opened()).epoch > 0
    await thread.close()


def test_what_is_given_up_by_hand_is_declared_and_events_stay(place: BufferPlace) -> None:
    buffer = SqliteBuffer(place)
    buffer.append([tags(), data(3), data(4), event(), data(2)], at_us=START_US)
    assert buffer.give_up_data(reason="dropped by hand", at_us=START_US) == 9
    left = due(buffer)
    declared = [drop_in(batch.frame) for batch in left if batch.kind is BatchKind.DROP]
    assert [(d.lo, d.hi, d.readings, d.reason) for d in declared] == [
        (2, 3, 7, "dropped by hand"),
        (5, 5, 2, "dropped by hand"),
    ]
    assert [batch.key.seq for batch in left if batch.kind is BatchKind.EVENT] == [4]
    assert sum(account.dropped for account in buffer.ledger().epochs) == 9
    buffer.close()


def test_more_than_one_step_is_given_up_whole(place: BufferPlace) -> None:
    buffer = SqliteBuffer(place)
    buffer.append([tags(), *(data(1) for _ in range(2 * MAX_ROWS_A_STEP + 1))], at_us=START_US)
    assert buffer.give_up_data(reason="dropped by hand", at_us=START_US) == 2 * MAX_ROWS_A_STEP + 1
    assert BatchKind.DATA not in {batch.kind for batch in due(buffer)}
    buffer.close()


def test_free_pages_go_back_to_the_disk(place: BufferPlace) -> None:
    held = opened(place)
    held.buffer.append([tags()], at_us=START_US)
    for _ in range(50):
        held.buffer.append([data(body_bytes=60_000)], at_us=START_US)
    held.buffer.apply(ack(held.buffer.epoch, 51))
    while held.buffer.maintain():
        pass
    let_go(held)
    assert place.path.stat().st_size < 3 * MIB


def test_a_batch_too_large_for_the_cap_leaves_the_buffer_as_it_was(place: BufferPlace) -> None:
    held = opened(place)
    held.buffer.append([tags(), data()], at_us=START_US)
    with pytest.raises(BufferFull):
        held.buffer.append([data(body_bytes=900_000) for _ in range(6)], at_us=START_US)
    assert [batch.key.seq for batch in due(held.buffer)] == [1, 2]
    let_go(held)
