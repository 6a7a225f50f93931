"""Measures the chunk store against rows in SQLite: `python -m tests.bench.store`.

Both write with WAL and FULL sync, in the same run, on the same disk. The readings are made here, from one seed: 1 Hz,
values that walk slowly in steps of 0.1, times in milliseconds that jitter by up to 20 ms, 1000 tags in one poll; and
one series of 30 days, alone.
"""

import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Arrival, Series
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.spans import DAY_US, HOUR_US, SECOND_US
from protocols.batch import Key
from protocols.codec import seal_data
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable

SEED = 7
TAGS = 1000
POLLS = 8
START_US = 1_735_689_600_000_000
WORDS = "{:<46}{:>14}  {}"


class WallClock:
    """The real clock, set to when the readings of this bench are made."""

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return START_US + time.monotonic_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


def table(tags: int, device: str) -> TagTable:
    """Return one device with so many tags."""
    return TagTable((DeviceInfo(device),), tuple(TagInfo(0, f"tag-{n}", Kind.FLOAT) for n in range(tags)))


def polls(rng: np.random.Generator, count: int, tags: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times of shape (count,) and values of shape (count, tags)."""
    jitter = rng.integers(-20, 21, count) * 1000
    times = START_US + SECOND_US * np.arange(count, dtype=np.int64) + jitter
    values = np.round(50 + np.cumsum(rng.normal(0, 0.08, (count, tags)), axis=0), 1)
    return times, values


def arrivals(times: NDArray[np.int64], values: NDArray[np.float64], names: TagTable, polls_each: int) -> list[Arrival]:
    """Return the polls as sealed batches."""
    made = []
    tags = values.shape[1]
    for seq, first in enumerate(range(0, len(times), polls_each), 1):
        some = slice(first, first + polls_each)
        n = len(times[some])
        block = ReadingBlock(
            (
                Column(
                    Kind.FLOAT,
                    np.tile(np.arange(tags, dtype=np.uint32), n),
                    np.repeat(times[some], tags),
                    values[some].reshape(-1),
                    np.zeros(n * tags, np.uint8),
                ),
            )
        )
        body = seal_data(block, segment=0, table=names.hash).body
        made.append(Arrival("gw-1", names, block, Key(1, seq), body))
    return made


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of wall clock and of CPU that the work took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def median_ms(ask: Callable[[], object], times: int = 15) -> float:
    """Return the median time of an answer in milliseconds."""
    return statistics.median(spent(ask)[0] for _ in range(times)) * 1000


def show(what: str, figure: float, unit: str) -> None:
    """Print one line."""
    sys.stdout.write(WORDS.format(what, f"{figure:,.2f}" if figure < 100 else f"{figure:,.0f}", unit) + "\n")


def bench_write(folder: Path) -> None:
    """Write 4.8 million readings as chunks, and a fourth of them as rows."""
    rng = np.random.default_rng(SEED)
    times, values = polls(rng, 4800, TAGS)
    names = table(TAGS, "press-1")
    coming = arrivals(times, values, names, POLLS)
    readings = values.size
    database = Database(folder / "chunks.db")
    store = ChunkStore(database, WallClock())
    stalls: list[float] = []
    inserts: list[float] = []

    def write() -> None:
        for first in range(0, len(coming), 4):
            begin = time.perf_counter()
            with store.transaction():
                store.write(coming[first : first + 4])
            inserts.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            store.maintain(deadline_s=0.02)
            stalls.append(time.perf_counter() - begin)

    wall, cpu = spent(write)
    merging = sum(stalls)
    rest = spent(lambda: drain(store))
    show("chunk store, while merging", readings / wall, "readings/s")
    show("chunk store, writing only", readings / sum(inserts), "readings/s")
    show("chunk store, all", 1e6 * (cpu + rest[1]) / readings, "us CPU a reading")
    show("chunk store, share of merging", 100 * (merging + rest[0]) / (wall + rest[0]), "% of the time")
    show("worst stall of a write", 1000 * max(inserts), "ms")
    show("worst stall while merging", 1000 * max(stalls), "ms")
    rows_wall, rows_cpu, rows_bytes = write_rows(folder / "rows.db", coming)
    show("rows in SQLite", readings / rows_wall, "readings/s")
    show("rows in SQLite", 1e6 * rows_cpu / readings, "us CPU a reading")
    show("rows in SQLite", rows_bytes / readings, "bytes a reading")
    show("chunk store is faster by", rows_wall / wall, "times (5 wanted)")
    show("chunk store, fresh, not yet in full pieces", database.used_bytes() / readings, "bytes a reading")
    every = store.series()
    show("latest of 1000 series", median_ms(lambda: store.latest(every)), "ms (5 wanted)")
    end_us = START_US + HOUR_US
    show("hourly mean of 1000 series, the last hour", median_ms(lambda: hours(store, every, end_us), 3), "ms")
    database.close()


def drain(store: ChunkStore) -> None:
    """Merge until nothing is due."""
    while store.maintain(deadline_s=1):
        pass


def hours(store: ChunkStore, every: Sequence[Series], end_us: int) -> list[NDArray[np.float64]]:
    """Return the hourly means of all series."""
    found = store.hourly(every, start_us=START_US, end_us=end_us)
    return [one.total / one.count for one in found]


def write_rows(path: Path, coming: list[Arrival]) -> tuple[float, float, int]:
    """Write a fourth of the batches as rows; return seconds, CPU seconds and bytes, times four."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(
        "create table reading (series integer, time_us integer, value real, quality integer, "
        "primary key (series, time_us)) without rowid"
    )

    def write() -> None:
        for first in range(0, len(coming) // 4, 4):
            connection.execute("begin immediate")
            for one in coming[first : first + 4]:
                part = one.block.columns[0]
                rows = zip(
                    part.tag.tolist(), part.time_us.tolist(), part.value.tolist(), part.quality.tolist(), strict=True
                )
                connection.executemany("insert or replace into reading values (?, ?, ?, ?)", rows)
            connection.execute("commit")

    wall, cpu = spent(write)
    pages = connection.execute("select page_count * page_size from pragma_page_count, pragma_page_size").fetchone()[0]
    connection.close()
    return 4 * wall, 4 * cpu, 4 * pages


def bench_month(folder: Path) -> None:
    """Ask for a month of one series, and for a day of a hundred."""
    rng = np.random.default_rng(SEED)
    times, values = polls(rng, 30 * 86_400, 1)
    database = Database(folder / "month.db")
    store = ChunkStore(database, WallClock())
    names = table(1, "press-2")
    for one in arrivals(times, values, names, 8192):
        with store.transaction():
            store.write([one])
        store.maintain(deadline_s=0.05)
    drain(store)
    (series,) = store.series()
    end_us = START_US + 30 * DAY_US
    show("30 days of 1 Hz, merged", database.used_bytes() / len(times), "bytes a reading (2.6 wanted)")
    day = end_us - DAY_US
    show(
        "24 h raw (86,400 readings)",
        median_ms(lambda: store.points(series, start_us=day, end_us=end_us, limit=1 << 20)),
        "ms",
    )
    show("30 days to 1000 buckets", month_ms(store, series, START_US, end_us), "ms")
    show("30 days to 1000 buckets, odd borders", month_ms(store, series, START_US + 12_345_678, end_us - 999), "ms")
    show("30 days by the hour", median_ms(lambda: store.hourly([series], start_us=START_US, end_us=end_us)), "ms")
    database.close()


def month_ms(store: ChunkStore, series: Series, start_us: int, end_us: int) -> float:
    """Return the median time for a month in a thousand buckets."""
    return median_ms(lambda: store.buckets(series, start_us=start_us, end_us=end_us, count=1000))


def main() -> None:
    """Print all figures."""
    with TemporaryDirectory() as folder:
        bench_write(Path(folder))
        bench_month(Path(folder))


if __name__ == "__main__":
    main()
