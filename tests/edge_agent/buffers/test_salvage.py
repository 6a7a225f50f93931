"""Saving what a damaged buffer file still gives: under the same keys, and finished however often it is cut short."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.buffers.file import BufferFile
from edge_agent.buffers.place import BufferPlace, draw_epoch
from edge_agent.buffers.salvage import frames
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.buffers.thread import BufferThread
from edge_agent.errors import BufferUnusable
from edge_agent.ports import Buffer
from protocols.batch import BatchKind, Key
from tests.support.batches import START_US, data, event_in, tags

MIB = 1024 * 1024
ALL = 1000


@pytest.fixture
def place(tmp_path: Path) -> BufferPlace:
    return BufferPlace(tmp_path / "buffer.db", "gw-1", 4 * MIB)


def frames_in(buffer: Buffer) -> dict[Key, bytes]:
    found = buffer.unacked(skip=frozenset(), limit=ALL)
    return {batch.key: batch.frame for batch in found if batch.kind is not BatchKind.EVENT}


def events_in(buffer: Buffer) -> list[str]:
    found = buffer.unacked(skip=frozenset(), limit=ALL)
    return [event_in(batch.frame).name for batch in found if batch.kind is BatchKind.EVENT]


def write(place: BufferPlace) -> dict[Key, bytes]:
    """Write batches and return them."""
    buffer = SqliteBuffer(place)
    buffer.append([tags(), *(data(3, body_bytes=20_000) for _ in range(40))], at_us=START_US)
    written = frames_in(buffer)
    buffer.close()
    return written


def damage(place: BufferPlace) -> None:
    """Make the books unreadable, and leave the frames whole."""
    with closing(sqlite3.connect(place.path, isolation_level=None)) as connection:
        connection.execute("UPDATE epoch SET sel = 'nonsense'")


class Killed(BaseException):
    """The end of a process, wherever it is."""


class CutShort:
    """Stands in for one of the callables of a BufferFile: works `times` times, and once fails as a kill would."""

    def __init__(self, times: int, error: BaseException, give: Callable[[], int]) -> None:
        self._left = times
        self._error = error
        self._give = give

    def __call__(self) -> int:
        self._left -= 1
        if self._left == -1:
            raise self._error
        return self._give()


def test_whole_frames_are_saved_under_their_keys(place: BufferPlace) -> None:
    before = write(place)
    damage(place)
    held = BufferFile(place, now_us=lambda: START_US).open()
    assert frames_in(held.buffer) == before
    assert events_in(held.buffer) == ["buffer_damaged"]
    assert held.buffer.epoch not in {key.epoch for key in before}
    assert len(list(place.path.parent.glob("buffer.db.damaged-*"))) == 1
    held.buffer.close()
    held.lock.release()


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_saving_that_was_cut_short_is_finished_at_the_next_start(place: BufferPlace, looks: int) -> None:
    before = write(place)
    damage(place)
    clock = CutShort(looks, Killed(), lambda: START_US)
    draw = CutShort(0 if looks == 2 else 99, Killed(), draw_epoch)
    with pytest.raises(Killed):
        BufferFile(place, now_us=clock, draw=draw).open()
    held = BufferFile(place, now_us=lambda: START_US).open()
    assert frames_in(held.buffer) == before
    assert events_in(held.buffer) == ["buffer_damaged"]
    held.buffer.close()
    held.lock.release()


def test_a_damaged_file_that_somebody_holds_is_not_taken_for_an_empty_one(place: BufferPlace) -> None:
    written = write(place)
    with closing(sqlite3.connect(place.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BufferUnusable, match="another process holds it"):
            list(frames(place.path, gateway="gw-1"))
    assert len(list(frames(place.path, gateway="gw-1"))) == len(written)


async def test_saving_that_fails_while_running_is_tried_again_from_the_same_file(place: BufferPlace) -> None:
    before = write(place)
    content = bytearray(place.path.read_bytes())
    content[20 * 4096 : 24 * 4096] = b"\xff" * (4 * 4096)
    place.path.write_bytes(content)
    clock = CutShort(0, BufferUnusable("the disk does not answer"), lambda: START_US)
    thread = BufferThread(BufferFile(place, now_us=clock).open)
    found: dict[Key, bytes] = {}
    for _ in range(4):
        try:
            found = {batch.key: batch.frame for batch in await thread.unacked(skip=frozenset(), limit=ALL)}
        except BufferUnusable:
            continue
    saved = {key: frame for key, frame in found.items() if key in before}
    assert len(saved) >= 30
    assert saved.items() <= before.items()
    await thread.close()


def test_what_was_written_after_a_saving_is_not_disturbed_by_the_next(place: BufferPlace) -> None:
    before = write(place)
    damage(place)
    for _ in range(2):
        buffer = BufferFile(place, now_us=lambda: START_US).open()
        buffer.buffer.append([tags(), data(2)], at_us=START_US)
        before |= frames_in(buffer.buffer)
        buffer.buffer.close()
        buffer.lock.release()
        damage(place)
    held = BufferFile(place, now_us=lambda: START_US).open()
    assert frames_in(held.buffer) == before
    held.buffer.close()
    held.lock.release()
