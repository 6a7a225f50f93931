"""NewestValues: the reading of each series with the highest time, in pages of neighbouring series."""

from collections.abc import Sequence

import numpy as np

from cloud.storage.chunks.database import Database
from cloud.storage.chunks.rows import Rows
from cloud.storage.chunks.schema import GROUP

NEVER = np.iinfo(np.int64).min
"""The time of a series without a reading."""
_PAGE_BYTES = GROUP * (8 + 8 + 1)


class NewestValues:
    """The writer's copy in memory: by id of the series, what is newest; changed pages go out with `flush`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.load()

    def load(self) -> None:
        """Read all pages again."""
        top = next(self._database.execute("select coalesce(max(page), -1) from chunk_newest"))[0]
        self._rows = _empty((top + 1) * GROUP)
        self._changed: set[int] = set()
        for page, data in self._database.execute("select page, data from chunk_newest"):
            place = slice(page * GROUP, (page + 1) * GROUP)
            _put(self._rows, place, _from_bytes(data))

    def of(self, series: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int32]]) -> Rows:
        """Return the newest reading of each of these series; its time is NEVER where there is none."""
        ids = np.asarray(series, np.int32)
        self._grow(int(ids.max(initial=-1)) + 1)
        return self._rows.take(ids)

    def update(self, last: Rows) -> None:
        """Take over the last readings of some series, each series once, where they are not older."""
        self._grow(int(last.series.max(initial=-1)) + 1)
        newer = last.take(last.time_us >= self._rows.time_us[last.series])
        _put(self._rows, newer.series, newer)
        self._changed.update(np.unique(newer.series // GROUP).tolist())

    def flush(self) -> None:
        """Write the changed pages."""
        rows = [(page, self._page(page)) for page in sorted(self._changed)]
        self._database.executemany("insert or replace into chunk_newest values (?, ?)", rows)
        self._changed.clear()

    def _page(self, page: int) -> bytes:
        rows = self._rows.take(slice(page * GROUP, (page + 1) * GROUP))
        return rows.time_us.tobytes() + rows.bits.tobytes() + rows.quality.tobytes()

    def _grow(self, count: int) -> None:
        if count > len(self._rows):
            grown = _empty(-(-max(count, 2 * len(self._rows)) // GROUP) * GROUP)
            _put(grown, slice(len(self._rows)), self._rows)
            self._rows = grown


def read_newest(database: Database, series: Sequence[int]) -> Rows:
    """Return the newest readings as they are in the store, for those who only read."""
    ids = np.asarray(series, np.int32)
    pages = np.unique(ids // GROUP)
    found = _empty(len(pages) * GROUP)
    for index, page in enumerate(pages.tolist()):
        for row in database.execute("select data from chunk_newest where page = ?", (page,)):
            _put(found, slice(index * GROUP, (index + 1) * GROUP), _from_bytes(row[0]))
    rows = found.take(np.searchsorted(pages, ids // GROUP) * GROUP + ids % GROUP)
    return Rows(ids, rows.time_us, rows.bits, rows.quality)


def _empty(count: int) -> Rows:
    return Rows(
        np.arange(count, dtype=np.int32),
        np.full(count, NEVER, np.int64),
        np.zeros(count, np.uint64),
        np.zeros(count, np.uint8),
    )


def _put(rows: Rows, place: slice | np.ndarray[tuple[int], np.dtype[np.int32]], values: Rows) -> None:
    rows.time_us[place] = values.time_us
    rows.bits[place] = values.bits
    rows.quality[place] = values.quality


def _from_bytes(data: bytes) -> Rows:
    if len(data) != _PAGE_BYTES:
        raise ValueError(f"a page of newest values has {_PAGE_BYTES} bytes, not {len(data)}")
    time_us, bits = np.frombuffer(data, np.int64, GROUP), np.frombuffer(data, np.uint64, GROUP, 8 * GROUP)
    return Rows(np.arange(GROUP, dtype=np.int32), time_us, bits, np.frombuffer(data, np.uint8, GROUP, 16 * GROUP))
