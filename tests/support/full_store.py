"""A chunk store on a small disk that others fill to the last byte, for a process of its own: prints what became of it.

unshare --mount --map-root-user sh -c 'mount -t tmpfs -o size=16m none DIR && python -m tests.support.full_store DIR'
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from cloud.errors import Unavailable
from cloud.storage.chunks.store import ChunkStore
from protocols.batch import Key
from tests.support.readings import block, table
from tests.support.stores import START_US, all_points, arrival, chunk_store, merge_all, write

BATCHES = 60


def main(directory: Path) -> None:
    """Write until the disk is full, go on trying, make room, and write what was refused."""
    store, database = chunk_store(directory / "readings.db")
    told = {"sent": 100 * BATCHES}
    pending = [number for number in range(BATCHES) if not _wrote(store, number, fill_at=20, directory=directory)]
    told["refused"] = len(pending)
    told["stored while full"] = store.figures().readings
    told["readable while full"] = len(all_points(store, store.series()[0]).value)
    (directory / "somebody-elses").unlink()
    for number in pending:
        _write(store, number)
        merge_all(store)
    told["stored in the end"] = len(all_points(store, store.series()[0]).value)
    database.close()
    sys.stdout.write(json.dumps(told))


def _wrote(store: ChunkStore, number: int, *, fill_at: int, directory: Path) -> bool:
    if number == fill_at:
        _fill(directory / "somebody-elses")
    try:
        _write(store, number)
        merge_all(store)
    except Unavailable:
        return 100 * number < store.figures().readings and _is_there(store, number)
    return True


def _is_there(store: ChunkStore, number: int) -> bool:
    """Return whether the batch is stored, because only the merge after it failed."""
    first = START_US + 100_000_000 * number
    found = store.points(store.series()[0], start_us=first, end_us=first + 100_000_000, limit=1)
    return len(found.value) == 1


def _write(store: ChunkStore, number: int) -> None:
    values = np.random.default_rng(number).normal(0, 1, 100)
    readings = block(values, start_us=START_US + 100_000_000 * number)
    write(store, arrival(readings, table("flow"), key=Key(1, number + 1)))


def _fill(path: Path) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for size in (1 << 16, 512):
        with suppress(OSError):
            while os.write(handle, bytes(size)):
                pass
    os.close(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
