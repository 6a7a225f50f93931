"""Catalogue: which sources, devices and series there are, and which series a tag table's indices mean.

A tag that changes its kind becomes a second series of the same key, so that nothing of the first is lost. What is
remembered here only ever grows; a rollback makes it forgotten.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cloud.ports import Series, StoredDevice
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.lists import Lists
from cloud.storage.chunks.rows import Ids
from protocols.reading import Kind
from protocols.tag import TagTable

_KEPT = 4096
Key = TypeVar("Key")
Value = TypeVar("Value")
_RAISE_CHANGES = (
    "insert into chunk_count values ('catalogue', 1) on conflict do update set value = value + 1 returning value"
)
# A row that says what it said before keeps its number: gateways tell their tables anew at each start.
_KEEP_DEVICE = (
    "insert into chunk_device (source, device, type, name, location, changed) values (?, ?, ?, ?, ?, ?) "
    "on conflict do update set type = excluded.type, name = excluded.name, location = excluded.location, changed = "
    "iif((type, name, location) is (excluded.type, excluded.name, excluded.location), changed, excluded.changed)"
)
_KEEP_SERIES = (
    "insert into chunk_series (id, source, device, tag, kind, unit, period_s, is_primary, changed) "
    "values ((select coalesce(max(id) + 1, 0) from chunk_series), ?, ?, ?, ?, ?, ?, ?, ?) "
    "on conflict (source, device, tag, kind) do update set "
    "unit = excluded.unit, period_s = excluded.period_s, is_primary = excluded.is_primary, changed = "
    "iif((unit, period_s, is_primary) is (excluded.unit, excluded.period_s, excluded.is_primary), "
    "changed, excluded.changed) returning id"
)
_LABEL = "select c.name, s.device, s.tag from chunk_series s join chunk_source c on c.id = s.source where s.id = ?"


@dataclass(frozen=True, slots=True, eq=False)
class TagMap:
    """What the tags of a table are in the store; id 0: kept in memory only; series, kinds: shape (n_tags,)."""

    id: int
    source: int
    series: Ids
    kinds: NDArray[np.uint8]


class Catalogue:
    """Reads and, inside a transaction of the writer, extends the tables of names."""

    def __init__(self, database: Database, lists: Lists) -> None:
        self._database = database
        self._lists = lists
        self.forget()

    def forget(self) -> None:
        """Drop what was remembered, because what it was read from may have been rolled back."""
        self._maps: OrderedDict[tuple[str, str], TagMap] = OrderedDict()
        self._maps_by_id: OrderedDict[int, TagMap] = OrderedDict()
        self._sources: dict[str, int] = {}
        self._text_ids: OrderedDict[str, int] = OrderedDict()
        self._kinds = np.empty(0, np.uint8)
        self._lists.forget()

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
            statement = "select kind from chunk_series where id >= ? order by id"
            rows = self._database.execute(statement, (len(self._kinds),))
            self._kinds = np.concatenate([self._kinds, np.array([row[0] for row in rows], np.uint8)])
        return self._kinds

    def devices(self) -> Sequence[StoredDevice]:
        """Return every device in order of arrival; the same tuple while nothing changed."""
        return self._lists.devices(self._database)

    def series(self, *, source: str | None, device: str | None) -> Sequence[Series]:
        """Return series in order of arrival; all of them are the same tuple while nothing changed."""
        return self._lists.series(self._database, source=source, device=device)

    def label(self, series: int) -> str:
        """Return how a person names this series."""
        found = next(self._database.execute(_LABEL, (series,)), None)
        return f"series {series}" if found is None else f"series {found[0]}/{found[1]}/{found[2]}"

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
        change = int(next(self._database.execute(_RAISE_CHANGES))[0])
        for device in table.devices:
            told = (source_id, device.id, device.type, device.name, device.location, change)
            self._database.execute(_KEEP_DEVICE, told)
        kinds = np.array([tag.kind for tag in table.tags], np.uint8)
        made = [self._make_series(source_id, table, index, change) for index in range(len(table.tags))]
        series = np.array(made, np.int32)
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

    def _make_series(self, source: int, table: TagTable, index: int, change: int) -> int:
        tag = table.tags[index]
        place = (source, table.devices[tag.device].id, tag.name, int(tag.kind))
        row = (*place, tag.unit, tag.period_s, tag.is_primary, change)
        return int(next(self._database.execute(_KEEP_SERIES, row))[0])


def _to_map(row: tuple[int, int, bytes, bytes]) -> TagMap:
    return TagMap(row[0], row[1], np.frombuffer(row[2], np.int32), np.frombuffer(row[3], np.uint8))


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
