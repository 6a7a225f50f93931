"""Bounds: how much an upload may be once it is read, and how what is wrong with it is said."""

from dataclasses import dataclass

import msgspec

from cloud.errors import Malformed, TooLarge

MAX_NAME = 200


class Bounds(msgspec.Struct, frozen=True):
    """The most that an upload may hold; texts: columns that hold texts even where they look like numbers."""

    max_bytes: int
    max_rows: int
    max_columns: int
    texts: tuple[str, ...] = ()

    def check_columns(self, count: int) -> None:
        """Raise TooLarge for too many columns."""
        if count > self.max_columns:
            raise TooLarge(
                f"columns: there are {count:,}, at most {self.max_columns:,} are allowed",
                code="TOO_MANY_COLUMNS",
                details={"field": "columns"},
            )

    def check_rows(self, rows: int, columns: int) -> None:
        """Raise TooLarge for too many rows, or too many values for the memory."""
        if rows > self.max_rows:
            told = f"row {rows:,}: at most {self.max_rows:,} rows are allowed"
            raise TooLarge(told, code="TOO_MANY_ROWS", details={"field": "rows", "row": rows})
        self.check_memory(8 * rows * columns)

    def check_memory(self, size: int) -> None:
        """Raise TooLarge where it takes too much memory once it is read."""
        if size > self.max_bytes:
            told = f"file: expands to more than {self.max_bytes >> 20} MiB"
            raise TooLarge(told, code="FILE_EXPANDS_TOO_FAR", details={"field": "file"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an upload something is wrong: row 1 is the first one, the header of a CSV."""

    row: int | None = None
    column: str = ""

    def wrong(self, problem: str, *, code: str = "INVALID_FORMAT") -> Malformed:
        """Return what to raise."""
        row = f"row {self.row:,}" if self.row is not None else ""
        column = f"column {self.column!r:.120}" if self.column else ""
        details: dict[str, object] = {"field": self.column or "file", "issue": problem}
        if self.row is not None:
            details["row"] = self.row
        where = ", ".join(part for part in (row, column) if part) or "file"
        return Malformed(f"{where}: {problem}", code=code, details=details)


def check_names(names: list[str], *, row: int | None = None) -> list[str]:
    """Return the names of columns without the space around them; raise Malformed for an empty, long or doubled one."""
    stripped = [name.strip() for name in names]
    seen: set[str] = set()
    for number, name in enumerate(stripped, start=1):
        if not name:
            raise Place(row).wrong(f"column {number} has no name", code="INVALID_COLUMN_NAME")
        if len(name) > MAX_NAME or not name.isprintable():
            told = f"a name must be printable and have at most {MAX_NAME} characters"
            raise Place(row, name).wrong(told, code="INVALID_COLUMN_NAME")
        if name in seen:
            raise Place(row, name).wrong("there are two columns of this name", code="DUPLICATE_COLUMN")
        seen.add(name)
    return stripped
