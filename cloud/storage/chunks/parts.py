"""Parts: reads what lies in each level of the store, and remembers what it decoded.

For one series everything in a piece came before everything in a bundle, and that before everything in a batch; inside
a level a higher id is a newer arrival. Ids are never used twice, so what was decoded stays true.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from cloud.storage.chunks.blocks import DamagedPart, checked, day, from_body, unpack_rows
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.encoding import decode
from cloud.storage.chunks.rows import Rows, newest, stack
from cloud.storage.chunks.schema import GROUP
from cloud.storage.spans import WINDOW_US
from protocols.errors import InvalidContent

_CACHED_ROWS = 1_000_000
_ARRIVED_ROWS = 200_000
_ROWS_A_BATCH = 32
"""What a batch of few rows takes of memory beside them, in rows."""


@dataclass(slots=True)
class Piece:
    """One series in order of time inside one window; step_us: of the cells of its rollup, 0 where it has none.

    is_kept: 1 or 0, whether its readings are still there; end_us: time of its last reading.
    """

    series: int
    window: int
    id: int
    start_us: int
    end_us: int
    count: int
    is_kept: int
    step_us: int
    rollup: bytes


class Parts:
    """For one thread, with the Database it was made with."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self._decoded: OrderedDict[tuple[str, int], Rows] = OrderedDict()
        self._decoded_rows = 0
        self._arrived: OrderedDict[int, Rows] = OrderedDict()
        self._arrived_rows = 0

    def forget(self) -> None:
        """Drop what was decoded, because ids may have been given back by a rollback."""
        self._decoded.clear()
        self._arrived.clear()
        self._decoded_rows = self._arrived_rows = 0

    def arrived(self, number: int, rows: Rows) -> None:
        """Keep the rows of a batch that was just written, in order of arrival: they are merged soon."""
        self._arrived[number] = rows
        self._arrived_rows += len(rows) + _ROWS_A_BATCH
        while self._arrived_rows > _ARRIVED_ROWS and len(self._arrived) > 1:
            self.is_merged(next(iter(self._arrived)))

    def is_merged(self, number: int) -> None:
        """Let go of the rows of a batch."""
        rows = self._arrived.pop(number, None)
        if rows is not None:
            self._arrived_rows -= len(rows) + _ROWS_A_BATCH

    def batches(self, source: int, start_us: int, end_us: int) -> Iterator[tuple[int, Callable[[], Rows]]]:
        """Yield the id of each batch of a source that touches the range, oldest first, and what opens it, in order."""
        statement = (
            "select id from chunk_batch indexed by chunk_batch_place "
            "where source = ? and end_us >= ? and start_us < ? order by id"
        )
        for (number,) in self._database.execute(statement, (source, start_us, end_us)):
            yield number, partial(self._remembered, "batch", number, self.open_batch)

    def bundles(self, pool: int, start_us: int, end_us: int) -> Iterator[tuple[int, Callable[[], Rows]]]:
        """Yield the id of each bundle of a group of series that touches the range, and what opens it, in order."""
        statement = (
            "select id from chunk_bundle indexed by chunk_bundle_place "
            "where pool = ? and end_us >= ? and start_us < ? order by id"
        )
        for (number,) in self._database.execute(statement, (pool, start_us, end_us)):
            yield number, partial(self._remembered, "bundle", number, self.open_bundle)

    def open_batch(self, number: int) -> Rows:
        """Return the rows of a batch in order of arrival; raise DamagedPart."""
        if number in self._arrived:
            return self._arrived[number]
        statement = "select source, map, start_us, crc, data from chunk_batch where id = ?"
        source, tags, start_us, crc, data = next(self._database.execute(statement, (number,)))
        try:
            body = checked(data, crc)
            return from_body(body, self._catalogue.map(tags), self._catalogue) if tags else unpack_rows(body)
        except InvalidContent as error:
            name = next(self._database.execute("select name from chunk_source where id = ?", (source,)))[0]
            raise DamagedPart("batch", number, f"source {name!r}, {day(start_us)}", str(error)) from error

    def open_bundle(self, number: int) -> Rows:
        """Return the rows of a bundle, of one series in order of arrival; raise DamagedPart."""
        statement = "select pool, start_us, crc, data from chunk_bundle where id = ?"
        pool, start_us, crc, data = next(self._database.execute(statement, (number,)))
        try:
            return unpack_rows(checked(data, crc))
        except InvalidContent as error:
            where = f"{self._catalogue.label(pool * GROUP)} and its neighbours, {day(start_us)}"
            raise DamagedPart("bundle", number, where, str(error)) from error

    def pieces(self, series: int, start_us: int, end_us: int) -> Sequence[Piece]:
        """Return the pieces of a series that touch the range, in order of id in each window."""
        return self.pieces_of([series], start_us, end_us)

    def pieces_of(self, series: Sequence[int], start_us: int, end_us: int) -> Sequence[Piece]:
        """Return the pieces of some series that touch the range, of each series in order of id in each window."""
        windows = (start_us // WINDOW_US, (end_us - 1) // WINDOW_US)
        if len(series) == 1:
            statement = "select * from chunk_piece where series = ? and window between ? and ?"
            rows = self._database.execute(statement, (series[0], *windows))
        else:
            statement = (
                "select p.* from json_each(?) asked cross join chunk_piece p "
                "on p.series = asked.value and p.window between ? and ?"
            )
            rows = self._database.execute(statement, (str(list(series)), *windows))
        return [Piece(*row) for row in rows if row[4] >= start_us and row[3] < end_us]

    def open_piece(self, piece: Piece) -> Rows:
        """Return the readings of a piece in order of time; raise DamagedPart."""
        statement = "select crc, data from chunk_body where id = ?"
        crc, data = next(self._database.execute(statement, (piece.id,)), (0, b"-"))
        try:
            rows = Rows.of_one(piece.series, *decode(checked(data, crc)))
        except InvalidContent as error:
            where = f"{self._catalogue.label(piece.series)}, window from {day(piece.window * WINDOW_US)}"
            raise DamagedPart("piece", piece.id, where, str(error)) from error
        return rows

    def remembered_piece(self, piece: Piece) -> Rows:
        """Return the readings of a piece, kept in memory for the next time; raise DamagedPart."""
        return self._remembered("piece", piece.id, lambda _: self.open_piece(piece))

    def loose(self, series: int, source: int, start_us: int, end_us: int) -> Rows:
        """Return the readings of a series that are in no piece yet, in order of time; raise DamagedPart."""
        opened = [open_it() for _, open_it in self.bundles(series // GROUP, start_us, end_us)]
        opened += [open_it() for _, open_it in self.batches(source, start_us, end_us)]
        return newest(stack([rows.of(series) for rows in opened])).cut(start_us, end_us)

    def _remembered(self, level: str, number: int, open_it: Callable[[int], Rows]) -> Rows:
        key = (level, number)
        if key in self._decoded:
            self._decoded.move_to_end(key)
            return self._decoded[key]
        rows = newest(open_it(number))
        self._decoded[key] = rows
        self._decoded_rows += len(rows)
        while self._decoded_rows > _CACHED_ROWS and len(self._decoded) > 1:
            self._decoded_rows -= len(self._decoded.popitem(last=False)[1])
        return rows


def crc_of(data: bytes) -> int:
    """Return the crc32 that goes beside the data."""
    return zlib.crc32(data)
