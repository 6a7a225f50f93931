"""Catalogue: which sources, devices and series there are, and which series a tag table's indices mean.

A tag that changes its kind becomes a second series of the same key, so that nothing of the first is lost. What is
remembered here only ever grows; a rollback makes it forgotten. Lists of devices and series, which almost every request
asks for, are read again only after a tag table was made: each one raises a number in the file.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Series, SeriesKey, StoredDevice
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.rows import Ids
from protocols.reading import Kind
from protocols.tag import DeviceInfo, TagTable

_KEPT = 4096
_CHANGES = "select value from chunk_count where name = 'catalogue'"
Key = TypeVar("Key")
Value = TypeVar("Value")
_SERIES = (
    "select s.id, c.name, s.device, s.tag, s.kind, s.unit, s.period_s, s.is_primary "
    "from chunk_series s join chunk_source c on c.id = s.source "
)


@dataclass(frozen=True, slots=True, eq=False)
class TagMap:
    """What the tags of a table are in the store; id 0: kept in memory only; series, kinds: shape (n_tags,)."""

    id: int
    source: int
    series: Ids
    kinds: NDArray[np.uint8]


class Catalogue:
    """Reads and, inside a transaction of the writer, extends the tables of names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.forget()

    def forget(self) -> None:
        """Drop what was remembered, because what it was read from may have been rolled back."""
        self._maps: OrderedDict[tuple[str, str], TagMap] = OrderedDict()
        self._maps_by_id: OrderedDict[int, TagMap] = OrderedDict()
        self._sources: dict[str, int] = {}
        self._text_ids: OrderedDict[str, int] = OrderedDict()
        self._kinds = np.empty(0, np.uint8)
        self._lists_of = 0
        self._devices: Sequence[StoredDevice] | None = None
        self._series: dict[tuple[str | None, str | None], Sequence[Series]] = {}

    def source(self, name: str) -> int | None:
        """Return the id of a source, or None where nothing ever came from it."""
        if name not in self._sources:
            for found in self._database.execute("select id from chunk_source where name = ?", (name,)):
                self._sources[name] = found[0]
        return self._sources.get(name)

    def enrol(self, source: str, table: TagTable, *, keep: bool) -> TagMap:
        """Return what the tags of the table are, making what is new; keep: durably, for batches stored as they came."""
        key = (source, table.hash)
        known = self._maps.get(key)
        if known is None or (keep and not known.id):
            known = self._stored_map(source, table.hash) or self._make(source, table, keep=keep)
            _remember(self._maps, key, known)
        return known

    def map(self, map_id: int) -> TagMap:
        """Return a kept map."""
        known = self._maps_by_id.get(map_id)
        if known is None:
            statement = "select id, source, series, kinds from chunk_map where id = ?"
            known = _to_map(next(self._database.execute(statement, (map_id,))))
            _remember(self._maps_by_id, map_id, known)
        return known

    def kind(self, series: int) -> Kind:
        """Return the kind of a series."""
        return Kind(int(self.kinds(series + 1)[series]))

    def kinds(self, count: int) -> NDArray[np.uint8]:
        """Return the kinds of all series by id, those below count at least."""
        if len(self._kinds) < count:
            rows = self._database.execute("select kind from chunk_series order by id")
            self._kinds = np.array([row[0] for row in rows], np.uint8)
        return self._kinds

    def devices(self) -> Sequence[StoredDevice]:
        """Return every device in order of arrival; the same tuple while nothing changed."""
        self._forget_older_lists()
        if self._devices is None:
            self._devices = tuple(self._read_devices())
        return self._devices

    def series(self, *, source: str | None, device: str | None) -> Sequence[Series]:
        """Return series in order of arrival."""
        self._forget_older_lists()
        found = self._series.get((source, device))
        if found is None:
            if len(self._series) >= _KEPT:
                self._series.clear()
            found = self._series[source, device] = tuple(self._read_series(source, device))
        return found

    def _forget_older_lists(self) -> None:
        changes = next(self._database.execute(_CHANGES), (0,))[0]
        if changes != self._lists_of:
            self._devices, self._series, self._lists_of = None, {}, changes

    def _read_devices(self) -> Sequence[StoredDevice]:
        statement = (
            "select c.name, d.device, d.type, d.name, d.location from chunk_device d "
            "join chunk_source c on c.id = d.source order by d.id"
        )
        return [
            StoredDevice(source, DeviceInfo(id=device, type=kind, name=name, location=location))
            for source, device, kind, name, location in self._database.execute(statement)
        ]

    def _read_series(self, source: str | None, device: str | None) -> Sequence[Series]:
        wanted = {"c.name = ?": source, "s.device = ?": device}
        tests = {test: value for test, value in wanted.items() if value is not None}
        where = f"where {' and '.join(tests)} " if tests else ""
        return [
            Series(number, SeriesKey(name, of, tag), Kind(kind), unit, period_s, bool(primary))
            for number, name, of, tag, kind, unit, period_s, primary in self._database.execute(
                f"{_SERIES}{where}order by s.id", tuple(tests.values())
            )
        ]

    def label(self, series: int) -> str:
        """Return how a person names this series."""
        found = next(self._database.execute(f"{_SERIES}where s.id = ?", (series,)), None)
        return f"series {series}" if found is None else f"series {found[1]}/{found[2]}/{found[3]}"

    def text_ids(self, texts: Sequence[str], *, make: bool) -> NDArray[np.uint64]:
        """Return the id of each text; make: also of new ones, which otherwise get 0."""
        for text in texts:
            if text not in self._text_ids:
                self._find_text(text, make=make)
        return np.array([self._text_ids.get(text, 0) for text in texts], np.uint64)

    def texts(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Return the text of each id."""
        statement = "select text from chunk_text where id = ?"
        return tuple(next(self._database.execute(statement, (number,)))[0] for number in ids)

    def _find_text(self, text: str, *, make: bool) -> None:
        found = next(self._database.execute("select id from chunk_text where text = ?", (text,)), None)
        if found is None and make:
            statement = "insert into chunk_text (text) values (?) returning id"
            found = next(self._database.execute(statement, (text,)))
        if found is not None:
            _remember(self._text_ids, text, found[0])

    def _stored_map(self, source: str, table_hash: str) -> TagMap | None:
        statement = (
            "select m.id, m.source, m.series, m.kinds from chunk_map m join chunk_source c on c.id = m.source "
            "where c.name = ? and m.hash = ?"
        )
        found = next(self._database.execute(statement, (source, table_hash)), None)
        return None if found is None else _to_map(found)

    def _make(self, source: str, table: TagTable, *, keep: bool) -> TagMap:
        source_id = self._make_source(source)
        self._database.execute(
            "insert into chunk_count values ('catalogue', 1) on conflict do update set value = value + 1"
        )
        for device in table.devices:
            self._database.execute(
                "insert into chunk_device (source, device, type, name, location) values (?, ?, ?, ?, ?) "
                "on conflict do update set type = excluded.type, name = excluded.name, location = excluded.location",
                (source_id, device.id, device.type, device.name, device.location),
            )
        kinds = np.array([tag.kind for tag in table.tags], np.uint8)
        series = np.array([self._make_series(source_id, table, index) for index in range(len(table.tags))], np.int32)
        if not keep:
            return TagMap(0, source_id, series, kinds)
        statement = "insert into chunk_map (source, hash, series, kinds) values (?, ?, ?, ?) returning id"
        row = (source_id, table.hash, series.tobytes(), kinds.tobytes())
        return TagMap(next(self._database.execute(statement, row))[0], source_id, series, kinds)

    def _make_source(self, name: str) -> int:
        self._database.execute("insert or ignore into chunk_source (name) values (?)", (name,))
        found = self.source(name)
        if found is None:
            raise LookupError(f"source {name!r} was just made and is not there")
        return found

    def _make_series(self, source: int, table: TagTable, index: int) -> int:
        tag = table.tags[index]
        statement = (
            "insert into chunk_series (id, source, device, tag, kind, unit, period_s, is_primary) "
            "values ((select coalesce(max(id) + 1, 0) from chunk_series), ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (source, device, tag, kind) do update set "
            "unit = excluded.unit, period_s = excluded.period_s, is_primary = excluded.is_primary returning id"
        )
        row = (source, table.devices[tag.device].id, tag.name, int(tag.kind), tag.unit, tag.period_s, tag.is_primary)
        return int(next(self._database.execute(statement, row))[0])


def _to_map(row: tuple[int, int, bytes, bytes]) -> TagMap:
    return TagMap(row[0], row[1], np.frombuffer(row[2], np.int32), np.frombuffer(row[3], np.uint8))


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
