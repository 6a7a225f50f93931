"""Dataset: rows that something can be learned from, and what is known of each of its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloud.errors import Invalid
from cloud.ports import FileRef

MAX_NAME = 200
MAX_DESCRIPTION = 2_000
_MIB = 1024 * 1024


class Origin(StrEnum):
    """Where a dataset came from."""

    UPLOAD = "upload"
    READINGS = "readings"


class ColumnKind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"
    """Texts, or true and false: names without an order."""
    TIME = "time"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column as people see it; minimum, maximum and mean are of numbers and None where there are none.

    distinct: how many different values there are; rows that are missing do not count.
    """

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None

    @property
    def is_constant(self) -> bool:
        """Return whether it says nothing."""
        return self.distinct < 2


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset; file: its rows as we keep them; sent_size: bytes as they were uploaded; target: `` for none."""

    id: str
    name: str
    description: str
    origin: Origin
    file_format: str
    n_rows: int
    columns: tuple[ColumnFacts, ...]
    target: str
    file: FileRef
    sent_size: int
    created_at: datetime
    created_by: str
    lineage: Mapping[str, object] = field(default_factory=dict)

    def check(self) -> "Dataset":
        """Return the dataset; raise Invalid, which names the field, where it cannot be one."""
        for name, text, longest in (("name", self.name, MAX_NAME), ("description", self.description, MAX_DESCRIPTION)):
            if len(text) > longest:
                raise _invalid(name, f"has {len(text)} characters, {longest} are allowed")
        if not self.name.strip():
            raise _invalid("name", "must not be empty")
        if self.target:
            self.column(self.target, field="target_column")
        return self

    def column(self, name: str, *, field: str) -> ColumnFacts:
        """Return what is known of a column that the request's `field` names; raise Invalid where there is none."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            known = ", ".join(column.name for column in self.columns[:20])
            raise _invalid(field, f"there is no column {name!r}; there are {known}")
        return found

    @property
    def features(self) -> tuple[ColumnFacts, ...]:
        """Return the columns that are neither the target nor a time."""
        return tuple(one for one in self.columns if one.name != self.target and one.kind is not ColumnKind.TIME)

    @property
    def size_mib(self) -> float:
        """Return how large it was when it came, in MiB."""
        return round((self.sent_size or self.file.size) / _MIB, 3)

    @property
    def warnings(self) -> list[str]:
        """Return what a person should know before learning from it."""
        said = [f"column {one.name!r} is constant" for one in self.columns if one.is_constant and self.n_rows > 1]
        said += [
            f"column {one.name!r}: {one.missing} of {self.n_rows} values are missing"
            for one in self.columns
            if one.missing
        ]
        said += [
            f"column {one.name!r}: almost every row has a text of its own; an id teaches nothing"
            for one in self.columns
            if one.kind is ColumnKind.CATEGORY and one.distinct > max(50, self.n_rows // 2)
        ]
        return said


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_DATASET", details={"field": name, "issue": issue})
