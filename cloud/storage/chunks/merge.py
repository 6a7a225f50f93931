"""Merge: batches -> bundles of neighbouring series -> pieces of one series -> fewer and fuller pieces.

Each step is one transaction of some ten milliseconds that takes away what it puts in another form, so that a merge
killed half-way changed nothing. A step takes the oldest of a level first, which keeps arrivals in order over levels.
What is damaged is named in chunk_damage, left where it is, and passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cloud.storage.chunks.blocks import DamagedPart, pack_rows
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.parts import Parts, crc_of
from cloud.storage.chunks.pieces import Pieces
from cloud.storage.chunks.rows import Rows, newest, stack
from cloud.storage.chunks.schema import GROUP
from cloud.storage.chunks.sizes import Sizes
from cloud.storage.chunks.tally import note_damage


@dataclass(slots=True)
class Debt:
    """What of one source or group of series waits to be merged."""

    parts: int = 0
    readings: int = 0
    is_old: bool = False

    def pressure(self, sizes: Sizes) -> float:
        """Return how much is due; from 1 on, a step is worth its cost."""
        return max(float(self.is_old), self.parts / sizes.step_parts, self.readings / sizes.step_readings)


class Merge:
    """The writer's side of merging; debts are counted in memory and read again after a rollback."""

    def __init__(self, database: Database, catalogue: Catalogue, parts: Parts, sizes: Sizes) -> None:
        self._sizes = sizes
        self._database = database
        self._catalogue = catalogue
        self._parts = parts
        self._pieces = Pieces(database, parts, sizes)
        self.load()

    def load(self) -> None:
        """Count all debts again."""
        self._batches = self._count("select source, count(*), sum(count) from chunk_batch", "batch", "source")
        self._bundles = self._count("select pool, count(*), sum(count) from chunk_bundle", "bundle", "pool")
        self._due: int = next(self._database.execute("select count(*) from chunk_due"))[0]

    def owe(self, source: int, readings: int) -> None:
        """Count one more batch."""
        debt = self._batches.setdefault(source, Debt())
        debt.parts += 1
        debt.readings += readings

    def hurry(self, before_us: int) -> None:
        """Make due what holds readings before this time, however little it is, so that retention can reach it."""
        for debts, owner, level in ((self._batches, "source", "batch"), (self._bundles, "pool", "bundle")):
            statement = f"select {owner} from chunk_{level} where start_us < ?"  # noqa: S608 names of our own
            for (key,) in self._database.execute(statement, (before_us,)):
                if key in debts:
                    debts[key].is_old = True

    def next_step(self) -> Callable[[], None] | None:
        """Return what is most due, or None where nothing is worth a step."""
        steps: list[tuple[float, Callable[[], None]]] = []
        if self._batches:
            source, pressure = self._most_due(self._batches)
            steps.append((pressure, partial(self._merge_batches, source)))
        if self._bundles:
            pool, pressure = self._most_due(self._bundles)
            steps.append((pressure, partial(self._merge_bundles, pool)))
        if self._due:
            steps.append((1 + self._due / self._sizes.step_parts, self._merge_pieces))
        pressure, step = max(steps, key=lambda step: step[0], default=(0.0, None))
        return step if pressure >= 1 else None

    def _most_due(self, debts: dict[int, Debt]) -> tuple[int, float]:
        return max(((key, debt.pressure(self._sizes)) for key, debt in debts.items()), key=lambda found: found[1])

    def _merge_batches(self, source: int) -> None:
        taken, opened = self._take("batch", "source", source, self._parts.open_batch)
        rows = stack(opened)
        pools = (rows.series // GROUP).astype(np.int32)
        order = np.argsort(pools.astype(np.uint16) if len(rows) and pools.max() < 1 << 16 else pools, kind="stable")
        rows = rows.take(order)
        bounds = np.flatnonzero(np.diff(pools[order], prepend=-1, append=-1))
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            for first in range(begin, end, self._sizes.step_readings):
                self._add_bundle(rows.take(slice(first, min(first + self._sizes.step_readings, end))))
        self._forget("batch", taken)
        for number, _ in taken:
            self._parts.is_merged(number)
        self._settle(self._batches, source, taken)

    def _merge_bundles(self, pool: int) -> None:
        taken, opened = self._take("bundle", "pool", pool, self._parts.open_bundle)
        rows = newest(stack(opened))
        runs = rows.runs()
        for begin, end in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True):
            one = rows.take(slice(begin, end))
            self._due += self._pieces.add(self._catalogue.kind(int(one.series[0])), one)
        self._forget("bundle", taken)
        self._settle(self._bundles, pool, taken)

    def _merge_pieces(self) -> None:
        """Merge the windows that are due, until as many readings are rewritten as a step takes."""
        readings = 0
        for _ in range(self._sizes.step_parts):
            due = next(self._database.execute("select series, window from chunk_due limit 1"), None)
            if due is None or readings >= self._sizes.step_readings:
                return
            try:
                rewritten = self._pieces.merge(self._catalogue.kind(due[0]), *due)
            except DamagedPart as damage:
                note_damage(self._database, damage)
                continue
            readings += rewritten
            if not rewritten:
                self._database.execute("delete from chunk_due where series = ? and window = ?", due)
                self._due -= 1

    def _take(
        self, level: str, owner: str, key: int, open_it: Callable[[int], Rows]
    ) -> tuple[list[tuple[int, int]], list[Rows]]:
        """Return id and count of the oldest parts of an owner, about as many readings as a step takes, and the rows."""
        statement = (
            f"select id, count from chunk_{level} where {owner} = ? and id not in "  # noqa: S608 names of our own
            f"(select id from chunk_damage where level = '{level}') order by id limit ?"
        )
        taken, opened, readings = [], [], 0
        for number, count in self._database.execute(statement, (key, 4 * self._sizes.step_parts)):
            if readings and readings + count > 2 * self._sizes.step_readings:
                break
            try:
                opened.append(open_it(number))
            except DamagedPart as damage:
                note_damage(self._database, damage)
                continue
            taken.append((number, count))
            readings += count
            if readings >= self._sizes.step_readings:
                break
        return taken, opened

    def _add_bundle(self, rows: Rows) -> None:
        pool = int(rows.series[0]) // GROUP
        data = pack_rows(rows, self._catalogue.kinds((pool + 1) * GROUP))
        row = (pool, int(rows.time_us.min()), int(rows.time_us.max()), len(rows), crc_of(data), data)
        self._database.execute(
            "insert into chunk_bundle (pool, start_us, end_us, count, crc, data) values (?, ?, ?, ?, ?, ?)", row
        )
        debt = self._bundles.setdefault(pool, Debt())
        debt.parts += 1
        debt.readings += len(rows)

    def _forget(self, level: str, taken: Sequence[tuple[int, int]]) -> None:
        self._database.executemany(f"delete from chunk_{level} where id = ?", [(number,) for number, _ in taken])  # noqa: S608

    def _settle(self, debts: dict[int, Debt], key: int, taken: Sequence[tuple[int, int]]) -> None:
        debt = debts[key]
        debt.is_old = False
        debt.parts -= len(taken)
        debt.readings -= sum(count for _, count in taken)
        if debt.parts <= 0 or not taken:
            del debts[key]

    def _count(self, select: str, level: str, owner: str) -> dict[int, Debt]:
        sound = f"id not in (select id from chunk_damage where level = '{level}')"  # noqa: S608 names of our own
        statement = f"{select} where {sound} group by {owner}"
        return {key: Debt(parts, readings) for key, parts, readings in self._database.execute(statement)}
