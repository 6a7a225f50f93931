"""Answers questions over batches, bundles and pieces as if they were one; call inside a snapshot."""

import itertools
from collections.abc import Sequence

import numpy as np

from cloud.ports import Buckets, Points, Series
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.downsampling import Downsampling
from cloud.storage.chunks.newest import NEVER
from cloud.storage.chunks.parts import Parts, Piece
from cloud.storage.chunks.rollup import clip
from cloud.storage.chunks.rows import Rows, from_bits, newest, stack
from cloud.storage.spans import HOUR_US, bucket_width_us, no_buckets, within_time
from protocols.reading import Kind


class Query:
    """Reads one Database through its Parts."""

    def __init__(self, catalogue: Catalogue, parts: Parts) -> None:
        self._catalogue = catalogue
        self._parts = parts
        self._downsampling = Downsampling(catalogue, parts)

    def points(self, series: Series, start_us: int, end_us: int, limit: int) -> Points:
        """Return the first readings of the range; raise DamagedPart."""
        if limit <= 0 or end_us <= start_us:
            return self.to_points(series.kind, Rows.none())
        loose = self._loose(series, start_us, end_us)
        pieces = sorted(self._kept(series, start_us, end_us), key=lambda piece: piece.start_us)
        opened: list[tuple[int, Rows]] = []
        rows = loose
        for index, piece in enumerate(pieces):
            opened.append((piece.id, self._parts.open_piece(piece).cut(start_us, end_us)))
            upto = pieces[index + 1].start_us if index + 1 < len(pieces) else end_us
            if sum(len(part) for _, part in opened) + len(loose) < limit and upto != end_us:
                continue
            rows = _joined(opened, loose).cut(start_us, min(upto, end_us))
            if len(rows) >= limit:
                break
        return self.to_points(series.kind, rows.take(slice(limit)))

    def buckets(self, series: Series, start_us: int, end_us: int, count: int) -> Buckets:
        """Return down-sampled readings; raise DamagedPart."""
        start_us, end_us = within_time(start_us, end_us)
        if count <= 0 or end_us <= start_us or series.kind == Kind.TEXT:
            return no_buckets()
        width_us = bucket_width_us(start_us, end_us, count)
        return clip(self._downsampling.rolled_up([series], start_us, end_us, width_us)[0], start_us)

    def hourly(self, series: Sequence[Series], start_us: int, end_us: int) -> Sequence[Buckets]:
        """Return the whole hours that begin in the range for each series; raise DamagedPart."""
        start_us, end_us = within_time(start_us, end_us)
        first, last = -(-start_us // HOUR_US) * HOUR_US, -(-end_us // HOUR_US) * HOUR_US
        if first >= last:
            return [no_buckets() for _ in series]
        return self._downsampling.rolled_up(series, first, last, HOUR_US)

    def newest(self, series: Sequence[Series], rows: Rows) -> Sequence[Points]:
        """Return the newest reading of each series, in the same order, from rows whose time may be NEVER."""
        values = {kind: from_bits(kind, rows.bits) for kind in {one.kind for one in series}}
        return [
            self.to_points(one.kind, rows.take(slice(index, index + length)))
            if one.kind == Kind.TEXT
            else Points(
                one.kind,
                rows.time_us[index : index + length],
                values[one.kind][index : index + length],
                rows.quality[index : index + length],
            )
            for index, (one, length) in enumerate(zip(series, (rows.time_us != NEVER).tolist(), strict=True))
        ]

    def to_points(self, kind: Kind, rows: Rows) -> Points:
        """Return readings of one series as callers see them."""
        if kind != Kind.TEXT:
            return Points(kind, rows.time_us, from_bits(kind, rows.bits), rows.quality)
        ids, index = np.unique(rows.bits, return_inverse=True)
        texts = self._catalogue.texts(ids.tolist())
        return Points(kind, rows.time_us, index.astype(np.uint32), rows.quality, texts)

    def _loose(self, series: Series, start_us: int, end_us: int) -> Rows:
        source = self._catalogue.source(series.key.source)
        return Rows.none() if source is None else self._parts.loose(series.id, source, start_us, end_us)

    def _kept(self, series: Series, start_us: int, end_us: int) -> Sequence[Piece]:
        return [piece for piece in self._parts.pieces(series.id, start_us, end_us) if piece.is_kept]


def _joined(opened: Sequence[tuple[int, Rows]], loose: Rows) -> Rows:
    """Return pieces that were opened in order of time, each with its id, and what is loose, in order of time."""
    parts = [rows for _, rows in opened if len(rows)]
    follows = all(one.time_us[-1] < other.time_us[0] for one, other in itertools.pairwise(parts))
    if follows and not len(loose):
        return stack(parts)
    return newest(stack([*(rows for _, rows in sorted(opened, key=lambda pair: pair[0])), loose]))
