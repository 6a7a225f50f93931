"""A buffer on a disk of 24 MiB that fills up, for a process of its own: prints what became of it as JSON.

unshare --mount --map-root-user sh -c 'mount -t tmpfs -o size=24m none DIR && python -m tests.support.full_disk DIR'
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from edge_agent.buffers.file import BufferFile, Opened
from edge_agent.buffers.place import BufferPlace
from edge_agent.ports import Buffer
from protocols.batch import BatchKind, Key
from protocols.codec import open_drop, unpack
from tests.support.batches import START_US, data, tags

BATCHES = 1200
COMMITS = 6000
READINGS = 2 * 3 + COMMITS * 2 + BATCHES * 3


def main(directory: Path) -> None:
    """Open and use a buffer on a disk that somebody else has filled, make room again, then fill it with batches."""
    file = BufferFile(BufferPlace(directory / "buffer.db", "gw-1", 64 << 20), now_us=lambda: START_US)
    told: dict[str, object] = {}
    held = file.open()
    held.buffer.append([tags(), data(body_bytes=20_000)], at_us=START_US)
    _close(held)
    _fill(directory / "somebody-elses")
    held = file.open()
    held.buffer.append([tags(), data(body_bytes=20_000)], at_us=START_US)
    told["stored on a full disk"] = _data(held.buffer)
    told["ballast when full"] = (directory / "buffer.db.ballast").exists()
    told |= _go_on(held.buffer, directory / "somebody-elses")
    (directory / "somebody-elses").unlink()
    held.buffer.maintain()
    told["ballast with room"] = (directory / "buffer.db.ballast").exists()
    for _ in range(BATCHES):
        held.buffer.append([data(body_bytes=20_000)], at_us=START_US)
    told["kept"] = _data(held.buffer)
    told["dropped"] = dropped = sum(account.dropped for account in held.buffer.ledger().epochs)
    told["lost"] = READINGS - _readings(held.buffer) - dropped
    _close(held)
    sys.stdout.write(json.dumps(told))


def _go_on(buffer: Buffer, other: Path) -> dict[str, object]:
    """Commit for long on a disk that somebody fills up whenever there is room, and say what is held and declared."""
    made: dict[Key, int] = {}
    for at in range(COMMITS):
        (key,) = buffer.append([data(1 + at % 3, body_bytes=200)], at_us=START_US + at)
        made[key] = 1 + at % 3
        if at % 500 == 0:
            _fill(other)
    due = buffer.unacked(skip=frozenset(), limit=2 * COMMITS)
    drops = [open_drop(unpack(batch.frame)) for batch in due if batch.kind is BatchKind.DROP]
    declared = {Key(drop.epoch, seq) for drop in drops for seq in range(drop.lo, drop.hi + 1)}
    kept = [batch.key for batch in due if batch.key in made]
    return {
        "newest kept": len(kept) if kept == list(made)[-len(kept) :] else 0,
        "neither held nor declared": len(made.keys() - declared - set(kept)),
        "held and declared": len(declared & {batch.key for batch in due}),
    }


def _readings(buffer: Buffer) -> int:
    due = buffer.unacked(skip=frozenset(), limit=2 * COMMITS)
    return sum(batch.count for batch in due if batch.kind is BatchKind.DATA)


def _data(buffer: Buffer) -> int:
    return sum(b.kind is BatchKind.DATA for b in buffer.unacked(skip=frozenset(), limit=2 * BATCHES))


def _close(held: Opened) -> None:
    held.buffer.close()
    held.lock.release()


def _fill(path: Path) -> None:
    """Take all the space that is left, to the last byte."""
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    with suppress(OSError):
        while os.write(handle, bytes(1 << 16)):
            pass
    with suppress(OSError):
        while os.write(handle, bytes(512)):
            pass
    os.close(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
