"""Whether a table is fit to learn from: each refusal names the column, and the row where there is one."""

from typing import NoReturn

import numpy as np

from cloud.errors import Invalid
from cloud.learning.table import Floats, Table


def require_rows(table: Table, least: int) -> None:
    """Raise Invalid where there are fewer rows than this."""
    if len(table) < least:
        raise Invalid(f"rows: {len(table)} are too few, at least {least} are needed", details={"field": "rows"})


def require_columns(table: Table) -> None:
    """Raise Invalid where there is no column at all."""
    if not table.columns:
        raise Invalid("columns: none is left to learn from", details={"field": "columns"})


def require_finite(table: Table, *, may_miss: bool = False) -> None:
    """Raise Invalid naming the first column that holds infinity, or NaN unless values may be missing."""
    bad = np.isinf(table.values) if may_miss else ~np.isfinite(table.values)
    for i in np.flatnonzero(bad.any(axis=0)):
        rows = np.flatnonzero(bad[:, i])
        what = table.values[rows[0], i]
        _refuse(table.columns[i], f"row {rows[0]} is {what} ({len(rows)} such rows); fill or leave out these rows")


def require_variation(table: Table) -> None:
    """Raise Invalid naming every column that never changes."""
    constant = [name for name, values in zip(table.columns, table.values.T, strict=True) if _is_constant(values)]
    if constant:
        value = table.column(constant[0])[0]
        named = ", ".join(repr(name) for name in constant)
        raise Invalid(
            f"column {named}: always {value:g}; nothing can be learned from a constant, leave it out",
            details={"field": constant[0], "constant": constant},
        )


def require_classes(table: Table, least_rows: int) -> tuple[str, ...]:
    """Return the names of the target's classes; raise Invalid for one class only, or one with too few rows."""
    target = table.labels()
    _require_whole(target, table.target_name)
    present, counts = np.unique(target.astype(np.int64), return_counts=True)
    names = table.classes or tuple(str(i) for i in range(int(present[-1]) + 1))
    if present[0] < 0 or present[-1] >= len(names):
        _refuse(table.target_name, f"{present[-1]} is no class, there are {len(names)}")
    if len(present) < 2:
        _refuse(table.target_name, f"one class only, {names[present[0]]!r}; at least two are needed")
    for i, name in enumerate(names):
        rows = int(counts[present == i].sum())
        if rows < least_rows:
            _refuse(table.target_name, f"class {name!r} has {rows} rows, at least {least_rows} are needed")
    return tuple(names)


def require_values(table: Table) -> Floats:
    """Return the target, finite and changing; raise Invalid where it is not."""
    target = table.labels()
    _require_whole(target, table.target_name, whole=False)
    if _is_constant(target):
        _refuse(table.target_name, f"always {target[0]:g}; there is nothing to learn")
    return target


def normal_rows(table: Table) -> Table:
    """Return the rows that nobody has labelled faulty."""
    return table if table.target is None else table.take(~(table.target > 0))


def _require_whole(target: Floats, name: str, *, whole: bool = True) -> None:
    wrong = np.flatnonzero(~np.isfinite(target))
    if len(wrong):
        _refuse(name, f"row {wrong[0]} is {target[wrong[0]]} ({len(wrong)} such rows)")
    if whole and (target != np.rint(target)).any():
        row = int(np.flatnonzero(target != np.rint(target))[0])
        _refuse(name, f"row {row} is {target[row]:g}, which is no class")


def _is_constant(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) == 0 or np.ptp(known) == 0)


def _refuse(column: str, problem: str) -> NoReturn:
    raise Invalid(f"column {column!r}: {problem}", details={"field": column})
