"""What the store counts as it goes: the readings it keeps, and the parts it found damaged."""

from cloud.storage.chunks.blocks import DamagedPart
from cloud.storage.chunks.database import Database


def count_readings(database: Database, change: int) -> None:
    """Add to the number of readings that are kept."""
    database.execute(
        "insert into chunk_count values ('readings', ?) on conflict do update set value = value + excluded.value",
        (change,),
    )


def note_damage(database: Database, damage: DamagedPart) -> None:
    """Name a part as damaged, so that merges and retention pass it over."""
    row = (damage.level, damage.number, str(damage))
    database.execute("insert or replace into chunk_damage values (?, ?, ?)", row)
