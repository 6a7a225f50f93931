"""TagTables: the names behind the indices of each gateway's readings, and the batches that came before their names."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.ingest.parcels import WaitingParcel
from cloud.storage.chunks.database import Database
from protocols.batch import BatchKind, Header
from protocols.errors import InvalidContent
from protocols.reading import Column, ReadingBlock
from protocols.tag import TagTable

LATEST_US = 7_258_118_400_000_000
"""The first moment of the year 2200: a later time is no time."""
_KEPT_TABLES = 1024
_MAX_NEEDED = 64


@dataclass(frozen=True, slots=True, eq=False)
class KnownTable:
    """A tag table and the kind of each of its tags as an array of shape (n_tags,)."""

    table: TagTable
    kinds: NDArray[np.uint8]

    @classmethod
    def of(cls, table: TagTable) -> "KnownTable":
        """Return the table, ready to check blocks against."""
        return cls(table, np.array([tag.kind for tag in table.tags], dtype=np.uint8))

    def check(self, block: ReadingBlock) -> None:
        """Raise InvalidContent where the block is empty, or a reading's tag, kind or time cannot be."""
        if not len(block):
            raise InvalidContent("a batch without a reading")
        for column in block.columns:
            if len(column):
                self._check(column)

    def _check(self, column: Column) -> None:
        highest = int(column.tag.max())
        if highest >= len(self.kinds):
            raise InvalidContent(f"a reading of tag {highest}, but the table has {len(self.kinds)}")
        other = self.kinds[column.tag] != column.kind
        if other.any():
            tag = self.table.tags[int(column.tag[other.argmax()])]
            raise InvalidContent(f"a {column.kind.name} reading of tag {tag.name!r}, which is {tag.kind.name}")
        earliest, latest = int(column.time_us.min()), int(column.time_us.max())
        if earliest < 0 or latest >= LATEST_US:
            wrong = earliest if earliest < 0 else latest
            raise InvalidContent(f"a time of {wrong} us, which is not between the years 1970 and 2200")


class TagTables:
    """Tag tables by (gateway, hash); the memory holds those in use. One thread; a rollback may leave one too many."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], KnownTable] = OrderedDict()
        self._undone = database.undone

    def find(self, gateway: str, table_hash: str) -> KnownTable | None:
        """Return the gateway's table of this hash, or None where it has not come yet."""
        self._forget_undone()
        found = self._known.get((gateway, table_hash))
        if found is None:
            found = self._load(gateway, table_hash)
        if found is not None:
            self._remember(gateway, found)
        return found

    def keep(self, gateway: str, table: TagTable, *, now_us: int) -> KnownTable:
        """Keep a table that came."""
        self._forget_undone()
        row = (gateway, table.hash, table.body, now_us)
        self._database.execute("insert or ignore into tag_table values (?, ?, ?, ?)", row)
        known = KnownTable.of(table)
        self._remember(gateway, known)
        return known

    def await_table(self, header: Header, frame: bytes) -> None:
        """Keep a batch whose table has not come."""
        row = (header.gateway, header.table, header.epoch, header.seq, header.count, frame)
        statement = "insert into undecoded (gateway, hash, epoch, seq, count, frame) values (?, ?, ?, ?, ?, ?)"
        self._database.execute(statement, row)

    def ready(self, *, limit: int) -> Sequence[WaitingParcel]:
        """Return batches that still wait for a table that has come, of one table and the oldest first."""
        any_table = "select gateway, hash from undecoded join tag_table using (gateway, hash) limit 1"
        statement = (
            "select id, epoch, seq, count, frame from undecoded where gateway = ? and hash = ? order by id limit ?"
        )
        return [
            WaitingParcel(number, Header(BatchKind.DATA, gateway, epoch, seq, 0, table_hash, count), frame)
            for gateway, table_hash in self._database.execute(any_table)
            for number, epoch, seq, count, frame in self._database.execute(statement, (gateway, table_hash, limit))
        ]

    def end_waiting(self, parcel: WaitingParcel) -> None:
        """Let a batch wait no longer."""
        self._database.execute("delete from undecoded where id = ?", (parcel.id,))

    def needed(self, gateway: str) -> tuple[str, ...]:
        """Return the hashes of tables that batches of this gateway wait for, at most 64."""
        statement = (
            "select distinct hash from undecoded left join tag_table using (gateway, hash) "
            "where gateway = ? and tag_table.body is null limit ?"
        )
        return tuple(row[0] for row in self._database.execute(statement, (gateway, _MAX_NEEDED)))

    def _load(self, gateway: str, table_hash: str) -> KnownTable | None:
        statement = "select body from tag_table where gateway = ? and hash = ?"
        row = next(self._database.execute(statement, (gateway, table_hash)), None)
        return None if row is None else KnownTable.of(TagTable.from_body(row[0]))

    def _remember(self, gateway: str, known: KnownTable) -> None:
        self._known[gateway, known.table.hash] = known
        self._known.move_to_end((gateway, known.table.hash))
        while len(self._known) > _KEPT_TABLES:
            self._known.popitem(last=False)

    def _forget_undone(self) -> None:
        if self._undone != self._database.undone:
            self._undone = self._database.undone
            self._known.clear()
