"""MemoryStore: the reading store as plain dictionaries, obviously right, the model that others are compared with."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cloud.ports import (
    Arrival,
    Buckets,
    Clock,
    Points,
    Series,
    SeriesKey,
    StoredDevice,
    StoreFigures,
    Written,
)  # fmt: skip
from cloud.storage.spans import (
    DAY_US,
    END_US,
    HOUR_US,
    WINDOW_US,
    bucket_width_us,
    is_counted,
    no_buckets,
    within_time,
)
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import TagTable

Value = bytes | str
"""A text, or the bits of any other value."""
Cell = tuple[int, float, float, float]
"""Count, total, minimum, maximum."""


@dataclass(slots=True)
class Memory:
    """Everything that is kept; history: value and quality by time; given_up: hourly cells that outlive readings."""

    devices: dict[tuple[str, str], StoredDevice] = field(default_factory=dict)
    series: dict[tuple[SeriesKey, Kind], Series] = field(default_factory=dict)
    history: dict[int, dict[int, tuple[Value, int]]] = field(default_factory=dict)
    newest: dict[int, tuple[int, Value, int]] = field(default_factory=dict)
    given_up: dict[int, dict[int, Cell]] = field(default_factory=dict)
    retention: dict[int, float] = field(default_factory=dict)
    changes: int = 0

    def copy(self) -> "Memory":
        """Return a copy that changes of this one do not reach."""
        return Memory(
            dict(self.devices),
            dict(self.series),
            {number: dict(history) for number, history in self.history.items()},
            dict(self.newest),
            {number: dict(cells) for number, cells in self.given_up.items()},
            dict(self.retention),
            self.changes,
        )


class MemoryStore:
    """For one thread. A transaction keeps a copy of everything, to go back to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memory = Memory()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all writes inside, or none."""
        before = self._memory.copy()
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self._memory = before

    def write(self, arrivals: Sequence[Arrival]) -> Sequence[Written]:
        """Store these readings; series and devices that the tables name come to be."""
        return [self._write(arrival) for arrival in arrivals]

    def devices(self) -> Sequence[StoredDevice]:
        """Return every Device that was ever told of, in order of arrival."""
        return tuple(self._memory.devices.values())

    def series(self, *, source: str | None = None, device: str | None = None) -> Sequence[Series]:
        """Return the series of a source, of a device, or all."""
        return tuple(
            one
            for one in self._memory.series.values()
            if source in (None, one.key.source) and device in (None, one.key.device)
        )

    def points(self, series: Series, *, start_us: int, end_us: int, limit: int) -> Points:
        """Return the first `limit` readings with start_us <= time < end_us."""
        history = self._memory.history.get(series.id, {})
        times = sorted(time for time in history if start_us <= time < end_us)[: max(limit, 0)]
        return _to_points(series.kind, [(time, *history[time]) for time in times])

    def buckets(self, series: Series, *, start_us: int, end_us: int, count: int) -> Buckets:
        """Return at most `count` buckets."""
        start_us, end_us = within_time(start_us, end_us)
        if count <= 0 or end_us <= start_us:
            return no_buckets()
        return self._rolled_up(series, start_us, end_us, bucket_width_us(start_us, end_us, count))

    def latest(self, series: Sequence[Series]) -> Sequence[Points]:
        """Return for each series the reading with the highest time."""
        newest = self._memory.newest
        return [_to_points(one.kind, [newest[one.id]] if one.id in newest else []) for one in series]

    def mark(self) -> int:
        """Return how many readings changed anything."""
        return self._memory.changes

    def hourly(self, series: Sequence[Series], *, start_us: int, end_us: int) -> Sequence[Buckets]:
        """Return the hours that begin in the range for each series."""
        first, last = -(-start_us // HOUR_US) * HOUR_US, -(-end_us // HOUR_US) * HOUR_US
        return [self._rolled_up(one, first, last, HOUR_US) for one in series]

    def maintain(self, *, deadline_s: float) -> bool:  # noqa: ARG002  nothing here takes long
        """Drop what retention gives up."""
        for series in self._memory.series.values():
            if series.id in self._memory.retention:
                self._give_up(series, self._clock.now_us() - int(self._memory.retention[series.id] * DAY_US))
        return False

    def set_retention(self, series: Series, *, days: float | None) -> None:
        """Keep raw readings of this series for so long (None: for ever); rollups stay."""
        self._memory.retention.pop(series.id, None)
        if days is not None:
            self._memory.retention[series.id] = days

    def figures(self) -> StoreFigures:
        """Return how many readings and series there are."""
        readings = sum(map(len, self._memory.history.values()))
        return StoreFigures(readings, len(self._memory.series), 0, 0, 0)

    def close(self) -> None:
        """Do nothing: there is no file."""

    def _write(self, arrival: Arrival) -> Written:
        series = self._enrol(arrival.source, arrival.table)
        before = {one.id: self._memory.newest.get(one.id, (-1,))[0] for one in series}
        counts = dict.fromkeys(("stored", "duplicate", "replaced", "rejected", "late"), 0)
        for column in arrival.block.columns:
            for row in range(len(column)):
                if _is_sound(column, row, arrival.table):
                    one = series[int(column.tag[row])]
                    what = self._keep(one.id, int(column.time_us[row]), _value(arrival.block, column, row))
                    is_late = column.time_us[row] // WINDOW_US < before[one.id] // WINDOW_US
                    counts["late"] += what == "stored" and is_late
                    counts[what] += 1
                else:
                    counts["rejected"] += 1
        return Written(**counts)

    def _keep(self, series: int, time_us: int, value: tuple[Value, int]) -> str:
        history = self._memory.history.setdefault(series, {})
        known = history.get(time_us)
        history[time_us] = value
        if time_us >= self._memory.newest.get(series, (-1,))[0]:
            self._memory.newest[series] = (time_us, *value)
        self._memory.changes += known != value
        return "stored" if known is None else "duplicate" if known == value else "replaced"

    def _enrol(self, source: str, table: TagTable) -> Sequence[Series]:
        for info in table.devices:
            self._memory.devices[source, info.id] = StoredDevice(source, info)
        found = []
        for tag in table.tags:
            key = SeriesKey(source, table.devices[tag.device].id, tag.name)
            known = self._memory.series.get((key, tag.kind))
            number = len(self._memory.series) if known is None else known.id
            one = Series(number, key, tag.kind, tag.unit, tag.period_s, tag.is_primary)
            self._memory.series[key, tag.kind] = one
            found.append(one)
        return found

    def _rolled_up(self, series: Series, start_us: int, end_us: int, width_us: int) -> Buckets:
        cells: dict[int, Cell] = {}
        given_up = self._memory.given_up.get(series.id, {}).items()
        hours = [(time, cell) for time, cell in given_up if start_us <= time < end_us]
        for time, cell in [*hours, *self._counted(series, start_us, end_us)]:
            start = max(time // width_us * width_us, start_us)
            cells[start] = _combined(cells[start], cell) if start in cells else cell
        if not cells:
            return no_buckets()
        starts = sorted(cells)
        count, total, low, high = zip(*(cells[start] for start in starts), strict=True)
        return Buckets(np.array(starts, np.int64), np.array(count, np.int64), *map(np.array, (total, low, high)))

    def _counted(self, series: Series, start_us: int, end_us: int) -> Iterator[tuple[int, Cell]]:
        if series.kind == Kind.TEXT:
            return
        points = self.points(series, start_us=start_us, end_us=end_us, limit=1 << 62)
        values = points.value.astype(np.float64)
        for row in np.flatnonzero(is_counted(values, points.quality)).tolist():
            value = float(values[row])
            yield int(points.time_us[row]), (1, value, value, value)

    def _give_up(self, series: Series, before_us: int) -> None:
        end_us = before_us // WINDOW_US * WINDOW_US
        hours = self._memory.given_up.setdefault(series.id, {})
        for time, cell in self._counted(series, 0, end_us):
            hour = time // HOUR_US * HOUR_US
            hours[hour] = _combined(hours[hour], cell) if hour in hours else cell
        history = self._memory.history.get(series.id, {})
        self._memory.history[series.id] = {time: value for time, value in history.items() if time >= end_us}


def _is_sound(column: Column, row: int, table: TagTable) -> bool:
    tag = int(column.tag[row])
    return (
        tag < len(table.tags)
        and table.tags[tag].kind == column.kind
        and 0 <= column.time_us[row] < END_US
        and int(column.quality[row]) in list(Quality)
    )


def _value(block: ReadingBlock, column: Column, row: int) -> tuple[Value, int]:
    value = block.texts[column.value[row]] if column.kind == Kind.TEXT else column.value[row].tobytes()
    return value, int(column.quality[row])


def _combined(one: Cell, other: Cell) -> Cell:
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])


def _to_points(kind: Kind, rows: Iterable[tuple[int, Value, int]]) -> Points:
    found = list(rows)
    time_us = np.array([row[0] for row in found], np.int64)
    quality = np.array([row[2] for row in found], np.uint8)
    if kind != Kind.TEXT:
        bits = b"".join(row[1] for row in found if isinstance(row[1], bytes))
        return Points(kind, time_us, np.frombuffer(bits, kind.dtype), quality)
    texts = tuple(dict.fromkeys(str(row[1]) for row in found))
    value: np.ndarray[Any, np.dtype[Any]] = np.array([texts.index(str(row[1])) for row in found], np.uint32)
    return Points(kind, time_us, value, quality, texts)
