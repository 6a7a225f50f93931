"""A process that writes known batches and merges all the time, to be killed.

`python -m tests.support.store_writer PATH` says the number of each batch once it is committed. Which batches:
`batch(n)`, the same for whoever asks.
"""

import sys
from pathlib import Path

import numpy as np

from cloud.ports import Arrival
from protocols.batch import Key
from protocols.reading import Column, Kind, ReadingBlock
from tests.support.readings import table
from tests.support.stores import START_US, arrival, chunk_store, write

TAGS = table("flow", "speed", "level")
BATCHES = 400


def batch(number: int) -> Arrival:
    """Return the batch of this number: mostly new readings, some late ones, some that replace."""
    rng = np.random.default_rng(number)
    n = 12
    steps = rng.integers(0, 2000, n) if number % 5 == 0 else 4 * number + np.arange(n) // 3
    values = np.round(rng.normal(0, 5, n), 1)
    columns = (
        Column(
            Kind.FLOAT,
            (np.arange(n) % 3).astype(np.uint32),
            START_US + 200_000_000 * steps.astype(np.int64),
            values,
            np.zeros(n, np.uint8),
        ),
    )
    return arrival(ReadingBlock(columns), TAGS, key=Key(1, number))


def main(path: Path) -> None:
    """Go on from where the file ends."""
    store, database = chunk_store(path)
    (first,) = next(database.execute("select coalesce(max(seq), 0) + 1 from sent"))
    for number in range(first, BATCHES):
        with store.transaction():
            write(store, batch(number))
            database.execute("insert into sent values (?)", (number,))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        store.maintain(deadline_s=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
