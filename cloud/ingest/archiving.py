"""Archiving: what a copy of the readings' file says of itself: its generation, and which batches are in it."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cloud.ingest.schema import migrate
from cloud.storage.chunks.database import Database

Marks = dict[tuple[str, int], int]
_RANGES = """select gateway, epoch, archived, lo, hi from ledger_epoch join ledger_interval on epoch_id = id
    order by id, lo"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a readings' file holds; parts: the version of each part's tables."""

    generation: int
    parts: dict[str, int]
    epochs: int


def read_standing(database: Database) -> Standing:
    """Return what the file says; raise Unavailable where it is none, or of another version."""
    migrate(database)
    (generation,) = next(database.execute("select generation from ledger_state"))
    (epochs,) = next(database.execute("select count(*) from ledger_epoch"))
    return Standing(generation, dict(database.execute("select name, version from part")), epochs)


def settled_marks(database: Database) -> Marks:
    """Return, for each (gateway, epoch), up to which seq all is settled in this file, where that is above its mark."""
    marks: Marks = {}
    for (gateway, epoch, archived), rows in groupby(database.execute(_RANGES), key=lambda row: row[:3]):
        head = _head(rows)
        if head > archived:
            marks[gateway, epoch] = head
    return marks


def _head(rows: Any) -> int:  # noqa: ANN401 rows of a statement, rising
    head = 0
    for *_, lo, hi in rows:
        if lo <= head + 1:
            head = max(head, hi)
    return head
