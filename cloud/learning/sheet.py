"""Sheet: rows as they came, column by column, before anything learns from them; kept as npz without pickle."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from typing import Any, BinaryIO, assert_never
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cloud.domain.dataset import ColumnFacts, ColumnKind
from cloud.domain.spreadsheet import harmless
from cloud.domain.times import to_datetime
from cloud.errors import Malformed

NO_TIME = int(np.iinfo(np.int64).min)
"""A time that is missing."""
NO_LEVEL = -1
"""A category that is missing."""
_HEAD = "head"


@dataclass(frozen=True, slots=True, eq=False)
class SheetColumn:
    """One column, shape (n,): float64 with NaN, int32 codes of `levels` with -1, or int64 microseconds with NO_TIME."""

    name: str
    kind: ColumnKind
    values: NDArray[Any]
    levels: tuple[str, ...] = ()

    def missing(self) -> NDArray[np.bool_]:
        """Return which rows have no value, shape (n,)."""
        match self.kind:
            case ColumnKind.NUMBER:
                return np.asarray(np.isnan(self.values))
            case ColumnKind.CATEGORY:
                return np.asarray(self.values == NO_LEVEL)
            case ColumnKind.TIME:
                return np.asarray(self.values == NO_TIME)
            case _:
                assert_never(self.kind)

    def facts(self) -> ColumnFacts:
        """Return what is known of the column."""
        missing = self.missing()
        known = self.values[~missing]
        absent, distinct = int(missing.sum()), len(np.unique(known))
        if self.kind is not ColumnKind.NUMBER or not len(known):
            return ColumnFacts(self.name, self.kind, absent, distinct)
        low, high = float(known.min()), float(known.max())
        mean = min(max(float(np.mean(known / len(known)) * len(known)), low), high)
        return ColumnFacts(self.name, self.kind, absent, distinct, low, high, mean)

    def shown(self, rows: slice) -> list[object]:
        """Return some values as JSON has them; texts that a spreadsheet would run are made harmless."""
        part, missing = self.values[rows].tolist(), self.missing()[rows].tolist()
        return [None if gone else self._shown(value) for value, gone in zip(part, missing, strict=True)]

    def _shown(self, value: float) -> object:
        match self.kind:
            case ColumnKind.NUMBER:
                return value
            case ColumnKind.CATEGORY:
                return harmless(self.levels[int(value)])
            case ColumnKind.TIME:
                return to_datetime(int(value)).astimezone(UTC).isoformat().replace("+00:00", "Z")
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Columns of one length."""

    columns: tuple[SheetColumn, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def facts(self) -> tuple[ColumnFacts, ...]:
        """Return what is known of each column."""
        return tuple(column.facts() for column in self.columns)

    def rows(self, size: int, offset: int = 0) -> list[Mapping[str, object]]:
        """Return so many rows from an offset on as people see them."""
        shown = {column.name: column.shown(slice(offset, offset + size)) for column in self.columns}
        return [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)]

    def pack(self) -> bytes:
        """Return the sheet as the bytes of an npz."""
        head = [{"name": one.name, "kind": one.kind.value, "levels": one.levels} for one in self.columns]
        arrays: dict[str, NDArray[Any]] = {f"c{index}": one.values for index, one in enumerate(self.columns)}
        arrays[_HEAD] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        packed = BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        return packed.getvalue()


def unpack(file: BinaryIO) -> Sheet:
    """Return the sheet of an npz; raise Malformed where it is none of ours."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            head = json.loads(arrays[_HEAD].tobytes())
            return Sheet(tuple(_column(told, arrays[f"c{index}"]) for index, told in enumerate(head)))
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise Malformed(f"not a sheet of ours: {error}", code="INVALID_FORMAT") from error


def _column(told: Mapping[str, Any], values: NDArray[Any]) -> SheetColumn:
    return SheetColumn(told["name"], ColumnKind(told["kind"]), values, tuple(told["levels"]))


def numbers(name: str, values: Sequence[float] | NDArray[Any]) -> SheetColumn:
    """Return a column of numbers."""
    return SheetColumn(name, ColumnKind.NUMBER, np.asarray(values, np.float64))


def times(name: str, time_us: NDArray[np.int64]) -> SheetColumn:
    """Return a column of times."""
    return SheetColumn(name, ColumnKind.TIME, np.asarray(time_us, np.int64))


def categories(name: str, codes: NDArray[Any], levels: Sequence[str]) -> SheetColumn:
    """Return a column of texts, each the level that its code stands for."""
    return SheetColumn(name, ColumnKind.CATEGORY, np.asarray(codes, np.int32), tuple(levels))
