"""How many bytes a reading takes and how fast batches are packed and read: `python -m tests.bench.codec`."""

import sys
from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from protocols.batch import Key
from protocols.codec import open_data, pack, seal_data, unpack
from protocols.reading import Kind, ReadingBlock
from tests.support.readings import polls

MEASURE_S = 0.15
RNG = np.random.default_rng(3)


def sines(count: int, tags: int, *, amplitude: float, noise: float) -> NDArray[np.float64]:
    """Return slow sines with noise, shape (count, tags)."""
    phase, speed = RNG.uniform(0, 6, tags), RNG.uniform(0.005, 0.2, tags)
    swing = amplitude * np.sin(speed * np.arange(count)[:, None] + phase)
    return np.asarray(swing + RNG.normal(0, noise, (count, tags)), dtype=np.float64)


def thinned(readings: ReadingBlock, share: float) -> ReadingBlock:
    """Return some of the rows, as a deadband leaves them."""
    column = readings.columns[0]
    return ReadingBlock((column.take(np.flatnonzero(RNG.random(len(column)) < share)),))


def shapes() -> Mapping[str, ReadingBlock]:
    """Return blocks of the shapes that gateways send."""
    whole = {n: np.rint(sines(n, 1000, amplitude=10_000, noise=30)) for n in (1, 3, 10, 50)}
    tenths = np.rint(sines(10, 1000, amplitude=500, noise=3)) / 10
    floats = sines(10, 1000, amplitude=5, noise=0.3)
    return {
        **{f"int16, {n} x 1000 tags": polls(values, kind=Kind.INT) for n, values in whole.items()},
        "int16, a third after a deadband": thinned(polls(whole[10], kind=Kind.INT), 0.33),
        "random words, 10 x 1000": polls(RNG.integers(0, 1 << 16, (10, 1000)), kind=Kind.UINT),
        "tenths, 10 x 1000": polls(tenths),
        "float32 noise, 10 x 1000": polls(floats.astype(np.float32)),
        "float64 noise, 10 x 1000": polls(floats),
        "10 slow tags, 60 polls": polls(np.rint(sines(60, 10, amplitude=50, noise=0.2)) / 10, period_us=1_000_000),
        "bits, 10 x 1000": polls(RNG.random((10, 1000)) < 0.02, kind=Kind.BOOL),
    }


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes at best, in seconds."""
    best, end = float("inf"), perf_counter() + MEASURE_S
    while perf_counter() < end:
        begin = perf_counter()
        work()
        best = min(best, perf_counter() - begin)
    return best


def main() -> None:
    """Print one line a shape."""
    sys.stdout.write(f"{'shape':34}{'readings':>9}{'bytes each':>12}{'encode M/s':>12}{'decode M/s':>12}" + "\n")
    key = Key(1 << 62, 1)
    for name, readings in shapes().items():
        frame = pack(seal_data(readings, segment=0, table="0" * 16), gateway="gw-1", key=key)
        encode_s = seconds(
            lambda readings=readings: pack(  # type: ignore[misc]  # bound on purpose
                seal_data(readings, segment=0, table="0" * 16), gateway="gw-1", key=key
            )
        )
        decode_s = seconds(lambda frame=frame: open_data(unpack(frame)))  # type: ignore[misc]  # bound on purpose
        count = len(readings)
        figures = f"{len(frame) / count:>12.2f}{count / encode_s / 1e6:>12.1f}{count / decode_s / 1e6:>12.1f}"
        sys.stdout.write(f"{name:34}{count:>9}{figures}" + "\n")


if __name__ == "__main__":
    main()
