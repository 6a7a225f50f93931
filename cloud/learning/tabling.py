"""Tabling: a dataset's sheet becomes the Table that algorithms learn from: features, target, time, machines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.domain.dataset import ColumnKind
from cloud.errors import Invalid
from cloud.learning.sheet import NO_LEVEL, NO_TIME, Sheet, SheetColumn
from cloud.learning.table import Floats, Table

MOST_CLASSES = 20
"""Up to so many whole values a target is a class where nobody says what it is."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns are for; features: all others where none is named; as_classes: whether the target is a class."""

    target: str = ""
    features: tuple[str, ...] = ()
    group: str = ""
    as_classes: bool | None = None


def make_table(sheet: Sheet, layout: Layout) -> Table:
    """Return the rows in order of time; raise Invalid that names the column."""
    columns = {one.name: one for one in sheet.columns}
    for field, name in (("target_column", layout.target), ("group_column", layout.group)):
        if name and name not in columns:
            raise _invalid(field, f"there is no column {name!r}")
    time = next((one for one in sheet.columns if one.kind is ColumnKind.TIME), None)
    used = layout.features or _others(sheet, layout)
    missing = [name for name in used if name not in columns]
    if missing:
        raise _invalid("features", f"there is no column {missing[0]!r}")
    wrong = [name for name in used if columns[name].kind is ColumnKind.TIME]
    if wrong:
        raise _invalid("features", f"column {wrong[0]!r} is a time; nothing is learned from when it was")
    target, classes = _target(columns[layout.target], layout) if layout.target else (None, ())
    table = Table(
        columns=tuple(used),
        values=np.column_stack([_values(columns[name]) for name in used]) if used else np.empty((len(sheet), 0)),
        target=target,
        time_us=None if time is None else _times(time),
        groups=columns[layout.group].values.astype(np.int64) if layout.group else None,
        levels={name: columns[name].levels for name in used if columns[name].kind is ColumnKind.CATEGORY},
        classes=classes,
        target_name=layout.target or "target",
    )
    return table if table.time_us is None else table.take(np.argsort(table.time_us, kind="stable"))


def is_class(column: SheetColumn) -> bool:
    """Return whether a target is a class: texts, or at most 20 whole values."""
    if column.kind is ColumnKind.CATEGORY:
        return True
    known = column.values[~column.missing()]
    return bool((known == np.rint(known)).all()) and len(np.unique(known)) <= MOST_CLASSES


def _others(sheet: Sheet, layout: Layout) -> Sequence[str]:
    kept = {layout.target, layout.group}
    return tuple(one.name for one in sheet.columns if one.kind is not ColumnKind.TIME and one.name not in kept)


def _target(column: SheetColumn, layout: Layout) -> tuple[Floats, tuple[str, ...]]:
    """Return the target with the names of its classes, in their own order; a value has none."""
    gone = np.flatnonzero(column.missing())
    if len(gone):
        raise _invalid(
            "target_column", f"column {column.name!r}: row {gone[0] + 1} has no value ({len(gone)} such rows)"
        )
    as_classes = is_class(column) if layout.as_classes is None else layout.as_classes
    if column.kind is ColumnKind.TIME:
        raise _invalid("target_column", f"column {column.name!r} is a time")
    if not as_classes:
        if column.kind is ColumnKind.CATEGORY:
            raise _invalid("target_column", f"column {column.name!r} holds texts, a regression needs numbers")
        return column.values, ()
    if column.kind is ColumnKind.CATEGORY:
        order = sorted(range(len(column.levels)), key=lambda code: column.levels[code])
        rank = np.empty(len(order))
        rank[order] = np.arange(len(order))
        return rank[column.values], tuple(column.levels[code] for code in order)
    present, codes = np.unique(column.values, return_inverse=True)
    return codes.astype(np.float64), tuple(f"{value:g}" for value in present.tolist())


def _values(column: SheetColumn) -> Floats:
    values = column.values.astype(np.float64)
    return np.where(column.values == NO_LEVEL, np.nan, values) if column.kind is ColumnKind.CATEGORY else values


def _times(column: SheetColumn) -> NDArray[np.int64]:
    gone = np.flatnonzero(column.values == NO_TIME)
    if len(gone):
        raise _invalid("file", f"column {column.name!r}: row {gone[0] + 1} has no time")
    return column.values


def _invalid(field: str, issue: str) -> Invalid:
    return Invalid(f"{field}: {issue}", code="INVALID_PARAMETERS", details={"field": field, "issue": issue})
