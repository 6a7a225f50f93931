"""Exporting: stored readings as rows of a file, page by page, so that millions need no more memory than a page."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.domain.export import ExportFormat, ExportRequest
from cloud.domain.history import to_quality
from cloud.domain.spreadsheet import harmless
from cloud.ports import Points, ReadingStore, Series, SeriesKey
from protocols.reading import SEVERITY_MASK, Kind

COLUMNS = ("timestamp", "gateway_id", "device_id", "metric", "value", "unit", "quality")
PAGE = 50_000
"""Readings at once."""
Named = Callable[[SeriesKey], str]
"""How people call the Device of a series."""
Told = Callable[[float], None]
"""Takes how much is done, 0 to 1; raises where the work shall stop."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Readings of one series in order of time; values: floats, ints, bools or texts, None where there is none."""

    key: SeriesKey
    device: str
    unit: str
    kind: Kind
    time_us: NDArray[np.int64]
    values: Sequence[Any]
    quality: Sequence[str]


class Export:
    """The rows of one request; count: how many were given so far."""

    def __init__(self, store: ReadingStore, request: ExportRequest, named: Named, told: Told, page: int = PAGE) -> None:
        self.count = 0
        self._store = store
        self._request = request
        self._named = named
        self._told = told
        self._page = page

    def rows(self) -> Iterator[Rows]:
        """Yield all readings, series by series; raise Unavailable."""
        wanted = [series for series in self._store.series() if self._request.wants(series.key)]
        for number, series in enumerate(wanted):
            for points, share in self._pages(series):
                self._told((number + share) / len(wanted))
                self.count += len(points.time_us)
                yield _rows(series, points, self._named(series.key))

    def _pages(self, series: Series) -> Iterator[tuple[Points, float]]:
        start_us, end_us = self._request.start_us, self._request.end_us
        while True:
            points = self._store.points(series, start_us=start_us, end_us=end_us, limit=self._page)
            if not len(points.time_us):
                return
            last_us = int(points.time_us[-1])
            yield points, (last_us - self._request.start_us) / max(1, end_us - self._request.start_us)
            if len(points.time_us) < self._page:
                return
            start_us = last_us + 1


def as_csv(rows: Iterable[Rows]) -> Iterator[bytes]:
    """Yield a table with a heading; texts are made so that no spreadsheet runs them."""
    yield _line(COLUMNS)
    for piece in rows:
        yield _csv_piece(piece)


def as_json(rows: Iterable[Rows]) -> Iterator[bytes]:
    """Yield one array of objects."""
    encoder = msgspec.json.Encoder()
    opening = b"["
    for piece in rows:
        lines = [encoder.encode(dict(zip(COLUMNS, row, strict=True))) for row in _cells(piece)]
        yield opening + b"\n" + b",\n".join(lines)
        opening = b","
    yield b"\n]\n" if opening == b"," else b"[]\n"


WRITERS: Mapping[ExportFormat, Callable[[Iterable[Rows]], Iterator[bytes]]] = {
    ExportFormat.CSV: as_csv,
    ExportFormat.JSON: as_json,
}
"""Parquet is written where its library is."""


def _rows(series: Series, points: Points, device: str) -> Rows:
    return Rows(
        series.key, device, series.unit, points.kind, points.time_us, _values(points), _qualities(points.quality)
    )


def _values(points: Points) -> Sequence[Any]:
    """Return what the readings say; what has no value by its quality, or is not finite, is None."""
    codes = np.unique(points.quality)
    empty = np.isin(points.quality, [code for code in codes.tolist() if not to_quality(code).has_value])
    if points.kind is Kind.TEXT:
        found: list[Any] = [points.texts[index] for index in points.value.tolist()]
    else:
        found = points.value.tolist()
        if points.kind is Kind.FLOAT:
            empty |= ~np.isfinite(points.value)
    for index in np.flatnonzero(empty).tolist():
        found[index] = None
    return found


def _qualities(codes: NDArray[np.uint8]) -> Sequence[str]:
    if not (codes & SEVERITY_MASK).any() and not codes.any():
        return ("good",) * len(codes)
    names = {code: to_quality(code).name.lower() for code in np.unique(codes).tolist()}
    return [names[code] for code in codes.tolist()]


def _times(time_us: NDArray[np.int64]) -> list[str]:
    texts: list[str] = np.datetime_as_string(time_us.astype("datetime64[us]"), timezone="UTC").tolist()
    return texts


def _cells(piece: Rows) -> Iterator[tuple[Any, ...]]:
    count = len(piece.time_us)
    source, device, tag, unit = piece.key.source, piece.device, piece.key.tag, piece.unit
    return zip(
        _times(piece.time_us),
        (source,) * count,
        (device,) * count,
        (tag,) * count,
        piece.values,
        (unit,) * count,
        piece.quality,
        strict=True,
    )


def _csv_piece(piece: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    values = piece.values
    if piece.kind is Kind.TEXT:
        values = [None if value is None else harmless(value) for value in values]
    key = SeriesKey(*(harmless(name) for name in piece.key))
    unit, device = harmless(piece.unit), harmless(piece.device)
    safe = Rows(key, device, unit, piece.kind, piece.time_us, values, piece.quality)
    writer.writerows(_cells(safe))
    return text.getvalue().encode()


def _line(cells: Iterable[str]) -> bytes:
    return (",".join(cells) + "\r\n").encode()
