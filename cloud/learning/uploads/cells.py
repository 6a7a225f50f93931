"""Cells: texts and JSON values become columns of numbers, times or categories; a column that mixes them is refused."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from cloud.domain.dataset import ColumnKind
from cloud.domain.times import to_us
from cloud.learning.sheet import NO_LEVEL, NO_TIME, SheetColumn
from cloud.learning.uploads.bounds import Place

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""What people write where a value is missing, in any case."""
_WORDS = {ColumnKind.NUMBER: "a number", ColumnKind.CATEGORY: "a text", ColumnKind.TIME: "a time"}
Cell = str | float | None
"""One value as it came; None where it is missing."""


class ColumnBuilder:
    """Takes the cells of one column piece by piece; first_row: the number of the first cell's row."""

    def __init__(self, name: str, *, first_row: int, as_text: bool = False, decimal_comma: bool = False) -> None:
        self._name = name
        self._next_row = first_row
        self._as_text = as_text
        self._decimal_comma = decimal_comma
        self._kind: ColumnKind | None = ColumnKind.CATEGORY if as_text else None
        self._levels: dict[str, int] = {}
        self._parts: list[NDArray[np.float64] | NDArray[np.int64] | NDArray[np.int32] | int] = []

    def add(self, cells: Sequence[Cell]) -> None:
        """Take some cells; raise Malformed, which names row and column, for one of another type than those before."""
        if not cells:
            return
        part = self._fast(cells)
        self._parts.append(part if part is not None else self._slow(cells))
        self._next_row += len(cells)

    def column(self) -> SheetColumn:
        """Return the whole column; one in which every value is missing is of numbers."""
        kind = self._kind or ColumnKind.NUMBER
        parts = [_absent(kind, part) if isinstance(part, int) else part for part in self._parts]
        dtype = {ColumnKind.NUMBER: np.float64, ColumnKind.CATEGORY: np.int32, ColumnKind.TIME: np.int64}[kind]
        values = np.concatenate(parts) if parts else np.empty(0)
        return SheetColumn(self._name, kind, values.astype(dtype), tuple(self._levels))

    def _fast(self, cells: Sequence[Cell]) -> NDArray[np.float64] | None:
        """Return the cells as numbers if they all are, and the column may be of numbers."""
        if self._kind not in (None, ColumnKind.NUMBER):
            return None
        try:
            values = np.array([float(cell) for cell in cells])  # type: ignore[arg-type] # None is what the except is for
        except (TypeError, ValueError):
            return None
        if not np.isfinite(values).all() or any(isinstance(cell, str) and "_" in cell for cell in cells):
            return None
        self._kind = ColumnKind.NUMBER
        return values

    def _slow(self, cells: Sequence[Cell]) -> NDArray[np.float64] | NDArray[np.int64] | NDArray[np.int32] | int:
        known = [None if _is_missing(cell) else cell for cell in cells]
        first = next((cell for cell in known if cell is not None), None)
        if first is None:
            return len(cells)
        if self._kind is None:
            self._kind = self._kind_of(first)
        match self._kind:
            case ColumnKind.NUMBER:
                return np.array([self._number(row, cell) for row, cell in enumerate(known)])
            case ColumnKind.TIME:
                return np.array([self._time(row, cell) for row, cell in enumerate(known)], np.int64)
            case _:
                return np.array([self._code(row, cell) for row, cell in enumerate(known)], np.int32)

    def _kind_of(self, cell: Cell) -> ColumnKind:
        if to_number(cell, decimal_comma=self._decimal_comma) is not None:
            return ColumnKind.NUMBER
        return ColumnKind.TIME if to_time(cell) is not None else ColumnKind.CATEGORY

    def _number(self, row: int, cell: Cell) -> float:
        if cell is None:
            return math.nan
        value = to_number(cell, decimal_comma=self._decimal_comma)
        if value is None:
            raise self._mixed(row, cell)
        if not math.isfinite(value):
            raise Place(self._next_row + row, self._name).wrong(f"{cell!r:.40} is not finite", code="NOT_FINITE")
        return value

    def _time(self, row: int, cell: Cell) -> int:
        if cell is None:
            return NO_TIME
        time_us = to_time(cell)
        if time_us is None:
            raise self._mixed(row, cell)
        return time_us

    def _code(self, row: int, cell: Cell) -> int:
        if cell is None:
            return NO_LEVEL
        text = cell.strip() if isinstance(cell, str) else repr(cell)
        if not self._as_text and to_number(cell, decimal_comma=self._decimal_comma) is not None:
            raise self._mixed(row, cell)
        return self._levels.setdefault(text, len(self._levels))

    def _mixed(self, row: int, cell: Cell) -> Exception:
        told = f"{cell!r:.60} is not {_WORDS[self._kind or ColumnKind.NUMBER]} as the values before it"
        return Place(self._next_row + row, self._name).wrong(told, code="MIXED_TYPES")


def to_number(cell: Cell, *, decimal_comma: bool = False) -> float | None:
    """Return the number that a cell is, None for anything else."""
    if not isinstance(cell, str):
        return cell if cell is None else float(cell)
    text = cell.replace(",", ".", 1) if decimal_comma else cell
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def to_time(cell: Cell) -> int | None:
    """Return microseconds since the epoch of an ISO 8601 text, taken as UTC where it names no offset; else None."""
    if not isinstance(cell, str) or len(cell) < len("2025-01-31") or not cell[:4].isdigit():
        return None
    try:
        at = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return to_us(at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def _is_missing(cell: Cell) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    return cell is None or math.isnan(cell)


def _absent(kind: ColumnKind, count: int) -> NDArray[np.float64] | NDArray[np.int64] | NDArray[np.int32]:
    match kind:
        case ColumnKind.NUMBER:
            return np.full(count, np.nan)
        case ColumnKind.TIME:
            return np.full(count, NO_TIME, np.int64)
        case _:
            return np.full(count, NO_LEVEL, np.int32)
