"""Books: everything that ingest writes beside the readings, opened on one Database as one."""

from dataclasses import dataclass
from typing import Self

from cloud.ingest.ledger import Ledger
from cloud.ingest.quarantine import Quarantine
from cloud.ingest.roster import Roster
from cloud.ingest.schema import migrate
from cloud.ingest.tables import TagTables
from cloud.storage.chunks.database import Database


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger and its companions, on one database and in one thread."""

    database: Database
    ledger: Ledger
    tables: TagTables
    quarantine: Quarantine
    roster: Roster

    @classmethod
    def open(cls, database: Database, *, now_s: int) -> Self:
        """Bring the tables up to date and open them; now_s: Unix seconds; raise Unavailable."""
        migrate(database)
        ledger = Ledger(database, now_s=now_s)
        return cls(database, ledger, TagTables(database), Quarantine(database), Roster(database, ledger))
