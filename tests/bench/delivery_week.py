"""What a week without a cloud takes of the buffer and of the flash, from an hour that is really sealed and stored."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.delivery_polls import TAGS, Filling, Machines, fill
from tests.bench.measure import DAY_S, MIB, Figure, Target, Watched

DAYS = 7
PERIOD_S = 1.0


def week(directory: Path, seconds: float) -> Sequence[Figure]:
    """Fill a buffer with so many seconds of 100 tags at 1 Hz and return what a week of it would be."""
    polls = max(10, round(seconds))
    with TemporaryDirectory(dir=directory) as own:
        path = Path(own) / "buffer.db"
        machines = Machines(period_s=PERIOD_S, prefix="m")
        asyncio.run(fill(path, Filling("bench", 10, PERIOD_S, splits_a_poll=True), machines))
        watched, empty = Watched(os.getpid()), _size(path)
        before = watched.sample()
        ledger = asyncio.run(fill(path, Filling("bench", polls, PERIOD_S, splits_a_poll=True), machines))
        after, full = watched.sample(), _size(path)
    a_day = DAY_S / (polls * PERIOD_S)
    stored = (full - empty) * a_day * DAYS / MIB
    return [
        Figure("week: buffer of 7 days, 100 tags at 1 Hz", stored, "MiB", Target(1e9 / MIB), f"from {polls} s, sealed"),
        Figure("week: buffer", (full - empty) / (polls * TAGS), "bytes/reading", note="two commits a second"),
        Figure("week: flash wear, counted by the kernel", (after.written - before.written) * a_day / 1e9, "GB/day"),
        Figure("week: flash wear, as `buffer stats` counts", ledger.bytes_written_today * a_day / 1e9, "GB/day"),
        Figure("week: processor", (after.cpu_s - before.cpu_s) * a_day, "CPU s/day", note="simulation included"),
    ]


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*") if not one.name.endswith(".ballast"))
