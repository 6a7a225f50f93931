"""Answers questions over batches, bundles and pieces as if they were one; call inside a snapshot.

A rollup stands for the readings of its piece only where nothing else lies in the piece's span, since equal times in
two parts would count twice; elsewhere the readings themselves are read. Where retention left only the rollup, its
cells belong to the bucket in which they begin.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from cloud.ports import Buckets, Points, Series
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.parts import Parts, Piece
from cloud.storage.chunks.rollup import clip, combine, from_bytes, roll_up
from cloud.storage.chunks.rows import Rows, from_bits, newest, stack, to_floats
from cloud.storage.spans import HOUR_US, bucket_width_us, no_buckets
from protocols.reading import Kind


class Query:
    """Reads one Database through its Parts."""

    def __init__(self, catalogue: Catalogue, parts: Parts) -> None:
        self._catalogue = catalogue
        self._parts = parts

    def points(self, series: Series, start_us: int, end_us: int, limit: int) -> Points:
        """Return the first readings of the range; raise DamagedPart."""
        if limit <= 0 or end_us <= start_us:
            return self.to_points(series.kind, Rows.none())
        loose = self._loose(series, start_us, end_us)
        pieces = sorted(self._kept(series, start_us, end_us), key=lambda piece: piece.start_us)
        opened: list[tuple[int, Rows]] = []
        rows = loose
        for index, piece in enumerate(pieces):
            opened.append((piece.id, self._parts.open_piece(piece)))
            upto = pieces[index + 1].start_us if index + 1 < len(pieces) else end_us
            if sum(len(part) for _, part in opened) + len(loose) < limit and upto != end_us:
                continue
            rows = _joined(opened, loose).cut(start_us, min(upto, end_us))
            if len(rows) >= limit:
                break
        return self.to_points(series.kind, rows.take(slice(limit)))

    def buckets(self, series: Series, start_us: int, end_us: int, count: int) -> Buckets:
        """Return down-sampled readings; raise DamagedPart."""
        if count <= 0 or end_us <= start_us or series.kind == Kind.TEXT:
            return no_buckets()
        return clip(self._rolled_up(series, start_us, end_us, bucket_width_us(start_us, end_us, count)), start_us)

    def hourly(self, series: Series, start_us: int, end_us: int) -> Buckets:
        """Return the whole hours that begin in the range; raise DamagedPart."""
        first, last = -(-start_us // HOUR_US) * HOUR_US, -(-end_us // HOUR_US) * HOUR_US
        if first >= last or series.kind == Kind.TEXT:
            return no_buckets()
        return self._rolled_up(series, first, last, HOUR_US)

    def to_points(self, kind: Kind, rows: Rows) -> Points:
        """Return readings of one series as callers see them."""
        if kind != Kind.TEXT:
            return Points(kind, rows.time_us, from_bits(kind, rows.bits), rows.quality)
        ids, index = np.unique(rows.bits, return_inverse=True)
        texts = self._catalogue.texts(ids.tolist())
        return Points(kind, rows.time_us, index.astype(np.uint32), rows.quality, texts)

    def _rolled_up(self, series: Series, start_us: int, end_us: int, width_us: int) -> Buckets:
        loose = self._loose(series, start_us, end_us)
        pieces = self._parts.pieces(series.id, start_us, end_us)
        stored: list[Piece] = []
        raw: list[Piece] = []
        for piece, is_alone in _neighbours([piece for piece in pieces if piece.is_kept], loose):
            fits = piece.step_us and is_alone and _divides(piece, start_us, end_us, width_us)
            (stored if fits else raw).append(piece)
        cells = [
            _cells([piece for piece in pieces if not piece.is_kept], start_us, end_us),
            # a cell that begins before the range is there only where its piece begins inside
            *(
                _cells([piece for piece in stored if piece.step_us == step], start_us // step * step, end_us)
                for step in {piece.step_us for piece in stored}
            ),
        ]
        rows = _joined([(piece.id, self._parts.open_piece(piece)) for piece in raw], loose).cut(start_us, end_us)
        if not len(rows):
            return combine(cells, width_us)
        values = to_floats(series.kind, rows.bits)
        return combine([*cells, roll_up(rows.time_us, values, rows.quality, width_us)], width_us)

    def _loose(self, series: Series, start_us: int, end_us: int) -> Rows:
        source = self._catalogue.source(series.key.source)
        return Rows.none() if source is None else self._parts.loose(series.id, source, start_us, end_us)

    def _kept(self, series: Series, start_us: int, end_us: int) -> Sequence[Piece]:
        return [piece for piece in self._parts.pieces(series.id, start_us, end_us) if piece.is_kept]


def _joined(opened: Sequence[tuple[int, Rows]], loose: Rows) -> Rows:
    """Return pieces by id, the older first, and what is loose, in order of time."""
    return newest(stack([*(rows for _, rows in sorted(opened, key=lambda pair: pair[0])), loose]))


def _neighbours(pieces: Sequence[Piece], loose: Rows) -> Iterator[tuple[Piece, bool]]:
    """Yield each piece with whether nothing else lies in its span."""
    ordered = sorted(pieces, key=lambda piece: piece.start_us)
    high = -1
    for index, piece in enumerate(ordered):
        following = ordered[index + 1].start_us if index + 1 < len(ordered) else piece.end_us + 1
        first, last = np.searchsorted(loose.time_us, (piece.start_us, piece.end_us + 1))
        yield piece, piece.start_us > high and piece.end_us < following and first == last
        high = max(high, piece.end_us)


def _divides(piece: Piece, start_us: int, end_us: int, width_us: int) -> bool:
    """Return whether no cell of the piece's rollup lies in two buckets or only partly in the range."""
    step_us = piece.step_us
    return (
        width_us % step_us == 0
        and (piece.start_us >= start_us or start_us % step_us == 0)
        and (piece.end_us < end_us or end_us % step_us == 0)
    )


def _cells(pieces: Sequence[Piece], start_us: int, end_us: int) -> Buckets:
    cells = from_bytes(b"".join(piece.rollup for piece in pieces))
    keep = (cells.start_us >= start_us) & (cells.start_us < end_us)
    if keep.all():
        return cells
    return Buckets(cells.start_us[keep], cells.count[keep], cells.total[keep], cells.minimum[keep], cells.maximum[keep])
