"""Stored readings of simulated machines: correlated AR(.9) channels, with faults and noise where a test wants them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Arrival, ReadingStore
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.stores import write

SECOND_US = 1_000_000
TAGS = ("flow", "pressure", "speed", "vibration")


def healthy(n: int, *, seed: int, noise: float = 1.0) -> NDArray[np.float64]:
    """Return rows (n, 4) of a machine that is well, around 10 with deviations of about `noise`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n + 50, len(TAGS))) * np.sqrt(1 - 0.9**2)
    rows = np.zeros_like(steps)
    for i in range(1, len(rows)):
        rows[i] = 0.9 * rows[i - 1] + steps[i]
    mixed = rows[50:] @ np.array([[1, 0.6, 0, 0], [0, 0.8, 0.5, 0], [0, 0, 0.85, 0.2], [0.3, 0, 0, 0.9]])
    return np.asarray(10 + noise * mixed)


def with_fault(rows: NDArray[np.float64], begin: int, end: int, *, channel: int = 3, size: float = 6.0) -> None:
    """Move one channel of these rows by so much."""
    rows[begin:end, channel] += size


def store_rows(
    store: ReadingStore,
    rows: NDArray[np.float64],
    *,
    start_us: int,
    device: str = "pump-1",
    source: str = "gw-1",
    quality: NDArray[np.uint8] | None = None,
    tags: Sequence[str] = TAGS,
) -> None:
    """Store the rows as readings, one a second."""
    n, width = rows.shape
    times = start_us + SECOND_US * np.arange(n, dtype=np.int64)
    column = Column(
        Kind.FLOAT,
        np.tile(np.arange(width, dtype=np.uint32), n),
        np.repeat(times, width),
        rows.ravel(),
        np.zeros(n * width, np.uint8) if quality is None else np.repeat(quality, width),
    )
    table = TagTable((DeviceInfo(device),), tuple(TagInfo(0, tag, Kind.FLOAT, period_s=1.0) for tag in tags))
    write(store, Arrival(source, table, ReadingBlock((column,))))
