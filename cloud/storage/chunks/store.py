"""ChunkStore: the default reading store, a log-structured merge of compressed parts in one SQLite file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cloud.ports import Arrival, Buckets, Clock, Points, Series, StoredDevice, StoreFigures, Written
from cloud.storage.chunks.blocks import pack_rows, to_rows
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.lists import Lists
from cloud.storage.chunks.merge import Merge
from cloud.storage.chunks.newest import NewestValues, read_newest
from cloud.storage.chunks.parts import Parts, crc_of
from cloud.storage.chunks.pieces import Pieces
from cloud.storage.chunks.query import Query
from cloud.storage.chunks.retention import Retention
from cloud.storage.chunks.rows import Rows, ordered
from cloud.storage.chunks.schema import STEPS
from cloud.storage.chunks.settling import last_of_each, settle
from cloud.storage.chunks.sizes import Sizes
from cloud.storage.chunks.tally import count_readings
from cloud.storage.spans import WINDOW_US

DEFAULT_SIZES = Sizes()
_LEVELS_TO_HURRY = 2
"""Batches become bundles, and only then these become pieces, which retention can give up."""


class ChunkStore:
    """The reading store over a Database, for its thread; over a read-only Database it only answers questions.

    lists: what the readers of one process share; a writer has its own, which knows what is not committed yet.
    Closing the store leaves the Database to whoever opened it.
    """

    def __init__(
        self, database: Database, clock: Clock, sizes: Sizes = DEFAULT_SIZES, lists: Lists | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        database.migrate("chunks", STEPS)
        self._catalogue = Catalogue(database, lists or Lists())
        self._parts = Parts(database, self._catalogue)
        self._query = Query(self._catalogue, self._parts)
        self._undone = database.undone
        if not database.read_only:
            self._hurried_levels = 0
            self._newest = NewestValues(database)
            self._merge = Merge(database, self._catalogue, self._parts, sizes)
            self._retention = Retention(database, self._catalogue, Pieces(database, self._parts, sizes), clock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside durable together, or none; raise Unavailable where there is no room."""
        with self._database.transaction():
            yield

    def write(self, arrivals: Sequence[Arrival]) -> Sequence[Written]:
        """Store these readings; series and devices that the tables name come to be. Call inside `transaction`."""
        self._forget_undone()
        written = [self._write(arrival) for arrival in arrivals]
        self._newest.flush()
        stored = sum(one.stored for one in written)
        if stored:
            count_readings(self._database, stored)
        return written

    def devices(self) -> Sequence[StoredDevice]:
        """Return every Device that was ever told of, in order of arrival."""
        self._forget_undone()
        return self._catalogue.devices()

    def series(self, *, source: str | None = None, device: str | None = None) -> Sequence[Series]:
        """Return the series of a source, of a device, or all; a tag that changed its kind is two series."""
        self._forget_undone()
        return self._catalogue.series(source=source, device=device)

    def points(self, series: Series, *, start_us: int, end_us: int, limit: int) -> Points:
        """Return the first `limit` readings with start_us <= time < end_us; raise Unavailable where one is damaged."""
        with self._snapshot():
            return self._query.points(series, start_us, end_us, limit)

    def buckets(self, series: Series, *, start_us: int, end_us: int, count: int) -> Buckets:
        """Return at most `count` buckets; raise Unavailable where a part that must be read is damaged."""
        with self._snapshot():
            return self._query.buckets(series, start_us, end_us, count)

    def latest(self, series: Sequence[Series]) -> Sequence[Points]:
        """Return for each series the reading with the highest time."""
        if not series:
            return []
        with self._snapshot():
            rows = read_newest(self._database, [one.id for one in series])
            return self._query.newest(series, rows)

    def mark(self) -> int:
        """Return the number of the last batch that was stored, which is given once, also where the batch is merged."""
        found = self._database.execute("select seq from sqlite_sequence where name = 'chunk_batch'")
        return int(next(found, (0,))[0])

    def hourly(self, series: Sequence[Series], *, start_us: int, end_us: int) -> Sequence[Buckets]:
        """Return the hours that begin in the range for each series; raise Unavailable where a part is damaged."""
        with self._snapshot():
            return self._query.hourly(series, start_us, end_us)

    def maintain(self, *, deadline_s: float) -> bool:
        """Merge and drop by retention for about this long; return whether there is more to do; raise Unavailable."""
        end_s = self._clock.monotonic_s() + deadline_s
        while True:
            self._forget_undone()
            step = self._merge.next_step() or self._next_of_retention()
            if step is None:
                return False
            with self._database.transaction(when_low=True):
                step()
            if self._clock.monotonic_s() >= end_s:
                return True

    def _next_of_retention(self) -> Callable[[], None] | None:
        """Return a step of looking for old windows: first what merges the old readings, level by level, once each."""
        if not self._retention.is_time():
            return None
        if self._hurried_levels < _LEVELS_TO_HURRY:
            self._hurried_levels += 1
            self._merge.hurry(self._clock.now_us() - WINDOW_US)
        step = self._merge.next_step() or self._retention.next_step()
        if step is None:
            self._hurried_levels = 0
        return step

    def set_retention(self, series: Series, *, days: float | None) -> None:
        """Keep raw readings of this series for so long (None: for ever); rollups stay."""
        statement = "select 1 from chunk_series where id = ? and retention_days is ?"
        if any(self._database.execute(statement, (series.id, days))):
            return
        with self._database.transaction(when_low=True):
            self._database.execute("update chunk_series set retention_days = ? where id = ?", (days, series.id))
        self._retention.check_soon()

    def figures(self) -> StoreFigures:
        """Return how the store is doing; waiting_for_merge: readings that are in no piece yet."""
        with self._snapshot():
            waiting = self._sum("coalesce(sum(count), 0) from chunk_batch") + self._sum(
                "coalesce(sum(count), 0) from chunk_bundle"
            )
            return StoreFigures(
                readings=self._sum("coalesce(sum(value), 0) from chunk_count where name = 'readings'"),
                series=self._sum("count(*) from chunk_series"),
                bytes_used=self._database.used_bytes(),
                bytes_free=self._database.room().free,
                waiting_for_merge=waiting,
                details={
                    "batches": self._sum("count(*) from chunk_batch"),
                    "bundles": self._sum("count(*) from chunk_bundle"),
                    "pieces": self._sum("count(*) from chunk_piece"),
                    "windows_due": self._sum("count(*) from chunk_due"),
                    "damaged_parts": self._sum("count(*) from chunk_damage"),
                    "is_low": float(self._database.is_low()),
                },
            )

    def close(self) -> None:
        """Let go of what was decoded."""
        self._parts.forget()

    def _write(self, arrival: Arrival) -> Written:
        tags = self._catalogue.enrol(arrival.source, arrival.table, keep=bool(arrival.body))
        rows = to_rows(arrival.block, tags, self._catalogue, make_texts=True)
        rejected = len(arrival.block) - len(rows)
        if not len(rows):
            return Written(rejected=rejected)
        in_order = ordered(rows)
        before = self._newest.of(in_order.series).time_us
        settled = settle(in_order, before, tags.source, self._parts)
        if settled.stored or settled.replaced:
            self._insert(arrival, rows, tags.source, tags.id if arrival.body else 0)
            self._newest.update(last_of_each(in_order))
        return Written(settled.stored, settled.duplicate, settled.replaced, rejected, settled.late)

    def _insert(self, arrival: Arrival, rows: Rows, source: int, tags: int) -> None:
        data = arrival.body or pack_rows(rows, self._catalogue.kinds(int(rows.series.max()) + 1))
        epoch, seq = (arrival.key.epoch, arrival.key.seq) if arrival.key else (0, 0)
        start_us, end_us = int(rows.time_us.min()), int(rows.time_us.max())
        inserted = self._database.execute(
            "insert into chunk_batch (source, map, epoch, seq, start_us, end_us, count, crc, data) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
            (source, tags, epoch, seq, start_us, end_us, len(rows), crc_of(data), data),
        )
        self._parts.arrived(next(inserted)[0], rows)
        self._merge.owe(source, len(rows))

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        self._forget_undone()
        with self._database.snapshot():
            yield

    def _forget_undone(self) -> None:
        """Read again what is kept in memory, if a transaction was rolled back since."""
        if self._undone == self._database.undone:
            return
        self._undone = self._database.undone
        self._catalogue.forget()
        self._parts.forget()
        self._newest.load()
        self._merge.load()

    def _sum(self, what: str) -> int:
        return int(next(self._database.execute(f"select {what}"))[0])
