"""Looking into a buffer's file while no agent runs: what it holds, its readings, giving batches up by hand.

Every function takes the lock first and raises BufferUnusable where an agent holds it: a second connection to a file
in use can destroy it with the SQLite of common distributions. A running agent tells of its buffer itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_agent.buffers.file import lock_path
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.errors import BufferUnusable
from edge_agent.ports import Ledger, StoredBatch
from protocols.batch import BatchKind, Key
from protocols.codec import open_data, open_tags, unpack
from protocols.reading import ReadingBlock
from protocols.tag import TagTable


@dataclass(frozen=True, slots=True)
class Stats:
    """What a buffer holds; file_bytes: of the file and its log; batches_by_kind: waiting ones only."""

    ledger: Ledger
    generation: int
    file_bytes: int
    batches_by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class Exported:
    """One data batch that waits, opened, with the table its tag indices mean."""

    key: Key
    block: ReadingBlock
    table: TagTable


def stats(place: BufferPlace) -> Stats:
    """Return what the buffer holds; raise BufferUnusable where it is in use, missing or damaged."""
    with _opened(place) as buffer:
        kinds = dict.fromkeys((kind.name.lower() for kind in BatchKind), 0)
        for batch in buffer.waiting():
            kinds[batch.kind.name.lower()] += 1
        sizes = (_size(place.path.with_name(place.path.name + suffix)) for suffix in ("", "-wal"))
        return Stats(buffer.ledger(), buffer.generation, sum(sizes), kinds)


def export(place: BufferPlace, take: Callable[[Exported], None]) -> int:
    """Hand every waiting data batch to `take`, oldest first; return how many readings. Changes nothing.

    Raises BufferUnusable where the buffer is in use, missing or damaged.
    """
    readings = 0
    tables: dict[str, TagTable] = {}
    with _opened(place) as buffer:
        for batch in buffer.waiting():
            if batch.kind is not BatchKind.DATA:
                continue
            frame = unpack(batch.frame)
            name = frame.header.table
            if name not in tables:
                tables[name] = _table(buffer, name)
            take(Exported(batch.key, open_data(frame), tables[name]))
            readings += batch.count
    return readings


def drop(place: BufferPlace, *, at_us: int) -> int:
    """Give up every waiting data batch, declared as dropped by hand; return how many readings.

    Raises BufferUnusable where the buffer is in use, missing or damaged.
    """
    with _opened(place) as buffer:
        return buffer.give_up_data(reason="dropped by hand", at_us=at_us)


@contextmanager
def _opened(place: BufferPlace) -> Iterator[SqliteBuffer]:
    if not place.path.exists():
        raise BufferUnusable(f"there is no buffer at {place.path}")
    with FileLock(lock_path(place.path)):
        buffer = SqliteBuffer(place)
        try:
            yield buffer
        finally:
            buffer.close()


def _table(buffer: SqliteBuffer, name: str) -> TagTable:
    found: Sequence[StoredBatch] = buffer.tables([name])
    return open_tags(unpack(found[0].frame)) if found else TagTable()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
