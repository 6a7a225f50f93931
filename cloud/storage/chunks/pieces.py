"""Pieces: makes them of the readings of one series, and merges small or overlapping ones of a window."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from cloud.storage.chunks.database import Database
from cloud.storage.chunks.encoding import encode
from cloud.storage.chunks.parts import Parts, Piece, crc_of
from cloud.storage.chunks.rollup import roll_up, to_bytes
from cloud.storage.chunks.rows import Rows, newest, stack, to_floats
from cloud.storage.chunks.sizes import Sizes
from cloud.storage.spans import HOUR_US, WINDOW_US
from protocols.reading import Kind


class Pieces:
    """The writer's side of pieces; call inside a transaction."""

    def __init__(self, database: Database, parts: Parts, sizes: Sizes) -> None:
        self._database = database
        self._parts = parts
        self._sizes = sizes

    def add(self, kind: Kind, rows: Rows) -> int:
        """Make pieces of readings of one series, in order and each time once; return how many windows became due.

        They are cut where older pieces begin, so that a piece touches few others.
        """
        series = int(rows.series[0])
        due = 0
        for window, mine in _by_window(rows):
            there = self._in_window(series, window)
            cuts = np.searchsorted(mine.time_us, sorted(piece.start_us for piece in there if piece.is_kept))
            for part in self._split(mine, np.unique(cuts) if len(cuts) else cuts):
                self._insert(kind, part)
            if self._is_due(series, window, [piece for piece in there if piece.is_kept], mine):
                due += self._mark(series, window)
            if not there and len(self._in_window(series, window - 1)) > 1:
                due += self._mark(series, window - 1)  # it has got its last readings, but for late ones
        return due

    def merge(self, kind: Kind, series: int, window: int) -> int:
        """Rewrite one run of small or overlapping pieces; return how many readings, 0 where nothing is left."""
        damaged = {row[0] for row in self._database.execute("select id from chunk_damage where level = 'piece'")}
        there = [piece for piece in self._in_window(series, window) if piece.is_kept and piece.id not in damaged]
        run = self._next_run(there)
        if not run:
            return 0
        rows = newest(stack([self._parts.open_piece(piece) for piece in sorted(run, key=lambda piece: piece.id)]))
        self._remove(run)
        for part in self._split(rows, np.empty(0, np.intp)):
            self._insert(kind, part)
        return sum(piece.count for piece in run)

    def give_up(self, kind: Kind, series: int, window: int) -> int:
        """Drop the readings of a window and keep their rollup; return how many readings went."""
        there = [piece for piece in self._in_window(series, window) if piece.is_kept]
        rows = newest(stack([self._parts.open_piece(piece) for piece in there]))
        self._remove(there)
        if len(rows):
            self._insert(kind, rows, is_kept=False)
        return len(rows)

    def _in_window(self, series: int, window: int) -> Sequence[Piece]:
        return self._parts.pieces(series, window * WINDOW_US, (window + 1) * WINDOW_US)

    def _remove(self, gone: Sequence[Piece]) -> None:
        """Delete pieces with their readings and rollups."""
        self._database.executemany("delete from chunk_body where id = ?", [(piece.id,) for piece in gone])
        keys = [(piece.series, piece.window, piece.id) for piece in gone]
        self._database.executemany("delete from chunk_piece where series = ? and window = ? and id = ?", keys)

    def _split(self, rows: Rows, cuts: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Iterator[Rows]:
        bounds = [0, *(cut for cut in cuts.tolist() if 0 < cut < len(rows)), len(rows)]
        for begin, end in itertools.pairwise(bounds):
            for first in range(begin, end, self._sizes.piece):
                yield rows.take(slice(first, min(first + self._sizes.piece, end)))

    def _insert(self, kind: Kind, rows: Rows, *, is_kept: bool = True) -> None:
        series, start_us, end_us = int(rows.series[0]), int(rows.time_us[0]), int(rows.time_us[-1])
        step = self._sizes.rollup_step_us(len(rows), end_us - start_us) or (0 if is_kept else HOUR_US)
        rollup = roll_up(rows.time_us, to_floats(kind, rows.bits), rows.quality, step) if step else None
        data = encode(kind, rows.time_us, rows.bits, rows.quality) if is_kept else b""
        statement = "insert into chunk_body (crc, data) values (?, ?) returning id"
        number = next(self._database.execute(statement, (crc_of(data), data)))[0]
        self._database.execute(
            "insert into chunk_piece values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                series, start_us // WINDOW_US, number, start_us, end_us, len(rows), is_kept, step,
                b"" if rollup is None else to_bytes(rollup),
            ),
        )  # fmt: skip

    def _is_due(self, series: int, window: int, there: Sequence[Piece], new: Rows) -> bool:
        """Return whether the window is worth a merge now that new readings lie beside the pieces that were there."""
        first, last = int(new.time_us[0]), int(new.time_us[-1])
        if any(piece.start_us <= last and piece.end_us >= first for piece in there):
            return True
        small = 1 + sum(piece.count < self._sizes.full_piece for piece in there)
        return small >= self._sizes.small_pieces or (small > 1 and not self._is_newest(series, window))

    def _is_newest(self, series: int, window: int) -> bool:
        statement = "select 1 from chunk_piece where series = ? and window > ? limit 1"
        return next(self._database.execute(statement, (series, window)), None) is None

    def _mark(self, series: int, window: int) -> int:
        statement = "insert or ignore into chunk_due values (?, ?) returning 1"
        return sum(1 for _ in self._database.execute(statement, (series, window)))

    def _next_run(self, there: Sequence[Piece]) -> list[Piece]:
        """Return neighbours in time of which each is small or overlaps another, to be merged; or none."""
        run: list[Piece] = []
        for cluster in _clusters(there):
            is_clean = len(cluster) == 1 and cluster[0].count >= self._sizes.full_piece
            is_long = sum(piece.count for piece in run) >= self._sizes.run
            if len(run) > 1 and (is_clean or is_long):
                return run
            run = [] if is_clean else [*run, *cluster]
        return run if len(run) > 1 else []


def _by_window(rows: Rows) -> Iterator[tuple[int, Rows]]:
    first, last = (int(rows.time_us[place]) // WINDOW_US for place in (0, -1))
    if first == last:
        yield first, rows
        return
    windows = rows.time_us // WINDOW_US
    begins = np.flatnonzero(np.diff(windows, prepend=-1, append=-1)).tolist()
    for begin, end in itertools.pairwise(begins):
        yield int(windows[begin]), rows.take(slice(begin, end))


def _clusters(there: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces in order of time, those that overlap together."""
    clusters: list[list[Piece]] = []
    end_us = -1
    for piece in sorted(there, key=lambda piece: piece.start_us):
        if clusters and piece.start_us <= end_us:
            clusters[-1].append(piece)
        else:
            clusters.append([piece])
        end_us = max(end_us, piece.end_us)
    return clusters
