"""Downsampling: rollups of many series over one range, from stored cells where they hold and from readings elsewhere.

A rollup stands for the readings of its piece only where nothing else lies in the piece's span, since equal times in
two parts would count twice. Where retention left only the rollup, a cell belongs to the bucket in which it begins.

All series of a question lie one behind another on one axis of time, each shifted by a whole number of buckets, so that
one pass of numpy answers for all.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Buckets, Series
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.parts import Parts, Piece
from cloud.storage.chunks.rollup import CELLS, combine, from_bytes, roll_up
from cloud.storage.chunks.rows import Rows, newest, stack, to_floats
from cloud.storage.chunks.schema import GROUP
from protocols.reading import Kind

_AT_ONCE = 512
"""So many series fit on one axis whatever the range: 512 times 2^53 is within 63 bits."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Series by their place, each with `span_us` of the axis, a whole number of buckets from `base_us` on."""

    series: Sequence[Series]
    start_us: int
    end_us: int
    width_us: int

    @property
    def base_us(self) -> int:
        """Return the start of the first bucket."""
        return self.start_us // self.width_us * self.width_us

    @property
    def span_us(self) -> int:
        """Return the room of one series on the axis."""
        return -(-(self.end_us - self.base_us) // self.width_us) * self.width_us

    def moved(self, place: NDArray[np.int64], time_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where on the axis times of the series at these places are."""
        return place * self.span_us + (time_us - self.base_us)

    def cut(self, summed: Buckets) -> Sequence[Buckets]:
        """Return the buckets of each series from those of the whole axis."""
        place = summed.start_us // self.span_us
        start_us = summed.start_us - place * self.span_us + self.base_us
        bounds = np.searchsorted(place, np.arange(len(self.series) + 1)).tolist()
        return [
            Buckets(
                start_us[begin:end],
                summed.count[begin:end],
                summed.total[begin:end],
                summed.minimum[begin:end],
                summed.maximum[begin:end],
            )
            for begin, end in itertools.pairwise(bounds)
        ]


class Downsampling:
    """Reads one Database through its Parts."""

    def __init__(self, catalogue: Catalogue, parts: Parts) -> None:
        self._catalogue = catalogue
        self._parts = parts

    def rolled_up(self, series: Sequence[Series], start_us: int, end_us: int, width_us: int) -> Sequence[Buckets]:
        """Return for each series its readings of the range in buckets of this width; raise DamagedPart."""
        answers: list[Buckets] = []
        for first in range(0, len(series), _AT_ONCE):
            axis = Axis(series[first : first + _AT_ONCE], start_us, end_us, width_us)
            answers += axis.cut(self._on(axis))
        return answers

    def _on(self, axis: Axis) -> Buckets:
        places = {series.id: place for place, series in enumerate(axis.series) if series.kind != Kind.TEXT}
        if not places:
            return from_bytes(b"")
        loose = self._loose(axis, places)
        pieces = self._parts.pieces_of(list(places), axis.start_us, axis.end_us)
        kept = [piece for piece in pieces if piece.is_kept]
        stored = [piece for piece in pieces if not piece.is_kept]
        raw: list[Piece] = []
        for piece, is_alone in zip(kept, _are_alone(axis, places, kept, loose).tolist(), strict=True):
            (stored if is_alone and _divides(piece, axis) else raw).append(piece)
        rows = loose
        if raw:
            opened = [self._parts.open_piece(piece).cut(axis.start_us, axis.end_us) for piece in _by_age(raw)]
            rows = newest(stack([*opened, loose]))
        return combine([_stored(axis, places, stored), self._read(axis, places, rows)], axis.width_us)

    def _loose(self, axis: Axis, places: dict[int, int]) -> Rows:
        """Return the readings of the range that are in no piece yet, in order of series and time."""
        parts = []
        for pool in sorted({number // GROUP for number in places}):
            parts += [open_it() for _, open_it in self._parts.bundles(pool, axis.start_us, axis.end_us)]
        for name in sorted({series.key.source for series in axis.series}):
            source = self._catalogue.source(name)
            if source is not None:
                parts += [open_it() for _, open_it in self._parts.batches(source, axis.start_us, axis.end_us)]
        if len(places) == 1:
            parts = [part.of(number) for part in parts for number in places]
        rows = stack(parts)
        if len(places) > 1 and len(rows):
            rows = rows.take(_place_of(places, rows.series) >= 0)
        return newest(rows.between(axis.start_us, axis.end_us))

    def _read(self, axis: Axis, places: dict[int, int], rows: Rows) -> Buckets:
        """Return the rollup of readings on the axis."""
        values = np.empty(len(rows), np.float64)
        kinds = self._catalogue.kinds(max(places) + 1)
        kind_of = kinds[rows.series]
        for kind in set(kinds[list(places)].tolist()):
            mine = kind_of == kind
            values[mine] = to_floats(Kind(kind), rows.bits[mine])
        place = _place_of(places, rows.series)
        order = np.argsort(place, kind="stable")  # the caller's order of series need not be the store's
        time_us = axis.moved(place, rows.time_us)
        return roll_up(time_us[order], values[order], rows.quality[order], axis.width_us)


def _by_age(pieces: Iterable[Piece]) -> Sequence[Piece]:
    return sorted(pieces, key=lambda piece: piece.id)


def _place_of(places: dict[int, int], series: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the place of each of these series, -1 for those that were not asked for."""
    table = np.full(max(*places, int(series.max(initial=0))) + 1, -1, np.int64)
    table[list(places)] = list(places.values())
    return table[series]


def _are_alone(axis: Axis, places: dict[int, int], pieces: Sequence[Piece], loose: Rows) -> NDArray[np.bool_]:
    """Return for each piece whether nothing else of its series lies in its span; shape (n_pieces,)."""
    place = np.array([places[piece.series] for piece in pieces], np.int64)
    start_us = np.array([max(piece.start_us, axis.start_us) for piece in pieces], np.int64)
    end_us = np.array([min(piece.end_us, axis.end_us - 1) for piece in pieces], np.int64)
    start_us, end_us = axis.moved(place, start_us), axis.moved(place, end_us)
    order = np.argsort(start_us, kind="stable")
    alone = np.ones(len(pieces), np.bool_)
    reached = np.maximum.accumulate(end_us[order])
    touches = start_us[order][1:] <= reached[:-1]
    alone[order[1:][touches]] = False
    alone[order[:-1]] &= ~(end_us[order][:-1] >= start_us[order][1:])
    times = axis.moved(_place_of(places, loose.series), loose.time_us)
    if len(places) > 1:  # readings of one series are in order already
        times = np.sort(times)
    alone &= np.searchsorted(times, start_us) == np.searchsorted(times, end_us, side="right")
    return alone


def _divides(piece: Piece, axis: Axis) -> bool:
    """Return whether no cell of the piece's rollup lies in two buckets or only partly in the range."""
    step_us = piece.step_us
    return (
        step_us > 0
        and axis.width_us % step_us == 0
        and (piece.start_us >= axis.start_us or axis.start_us % step_us == 0)
        and (piece.end_us < axis.end_us or axis.end_us % step_us == 0)
    )


def _stored(axis: Axis, places: dict[int, int], pieces: Sequence[Piece]) -> Buckets:
    """Return the cells of pieces on the axis, without those of the pieces' readings before or after the range."""
    cells = from_bytes(b"".join(piece.rollup for piece in pieces))
    lengths = np.array([len(piece.rollup) // CELLS.itemsize for piece in pieces], np.int64)
    # a cell that begins before the range belongs to it where its piece begins inside
    least = [
        axis.start_us // piece.step_us * piece.step_us if piece.is_kept and piece.step_us else axis.start_us
        for piece in pieces
    ]
    inside = (cells.start_us >= np.repeat(np.array(least, np.int64), lengths)) & (cells.start_us < axis.end_us)
    place = np.repeat(np.array([places[piece.series] for piece in pieces], np.int64), lengths)
    start_us = axis.moved(place, np.maximum(cells.start_us, axis.base_us))
    return Buckets(
        start_us[inside], cells.count[inside], cells.total[inside], cells.minimum[inside], cells.maximum[inside]
    )
