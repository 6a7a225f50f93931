"""Rows: what somebody sends to be judged, as JSON, becomes the Table that a model judges; every mistake by its name."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from cloud.domain.dataset import ColumnKind
from cloud.errors import Invalid
from cloud.learning.algorithm import Learned
from cloud.learning.sheet import NO_LEVEL, Sheet
from cloud.learning.table import Floats, Table
from cloud.learning.tabling import Layout, make_table

TIMESTAMP = "timestamp"
MOST_ROWS = 10_000
_NAMED = 12
_PLAIN = re.compile(r"[^a-z0-9]+")
Row = Mapping[str, object]


def read_rows(
    learned: Learned, rows: Sequence[Row], *, field: str, ignored: Sequence[str] = (), may_miss: bool = False
) -> Table:
    """Return the rows as the model's columns; raise Invalid that says which features are missing, extra or wrong.

    field: of the request, for the message; ignored: features that are no part of the model but may be sent, as the
    target of its dataset; may_miss: null stands for a value that is missing. Times come as `timestamp`.
    """
    for number, row in enumerate(rows):
        _require_features(learned, row, f"{field}[{number}]", {*ignored, TIMESTAMP})
    columns = [_column(learned, rows, name, field, may_miss=may_miss) for name in learned.columns]
    values = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    return Table(learned.columns, values, time_us=_times(learned, rows, field), levels=dict(learned.levels))


def alike(learned: Learned, features: Row) -> Row:
    """Return the features under the model's names for them, where letters and digits alone are the same.

    So `Air_temperature_K` stands for `Air temperature [K]`. A name that fits exactly, or fits several, is left alone.
    """
    by_plain: dict[str, list[str]] = {}
    for name in learned.columns:
        by_plain.setdefault(_plain(name), []).append(name)

    def named(name: str) -> str:
        fitting = by_plain.get(_plain(name), ())
        return fitting[0] if name not in learned.columns and len(fitting) == 1 and fitting[0] not in features else name

    return {named(name): value for name, value in features.items()}


def read_sheet_rows(learned: Learned, sheet: Sheet) -> Table:
    """Return a dataset's rows, in order of time where it has one; raise Invalid naming a column it lacks or a gap."""
    known = {one.name: one for one in sheet.columns}
    missing = [name for name in learned.columns if name not in known]
    if missing:
        raise _invalid(
            "dataset_id", f"the dataset lacks {_listed(missing)}; the model knows {_listed(learned.columns)}"
        )
    for name in learned.columns:
        is_text = known[name].kind is ColumnKind.CATEGORY
        if is_text != (name in learned.levels):
            told = "texts, the model learned numbers" if is_text else "numbers, the model learned texts"
            raise _invalid("dataset_id", f"column {name!r} holds {told}")
    return make_table(sheet, Layout(features=learned.columns))


def order_of(sheet: Sheet) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where each row of the table of `read_sheet_rows` stands in the dataset, (n,)."""
    time = next((one for one in sheet.columns if one.kind is ColumnKind.TIME), None)
    return np.arange(len(sheet)) if time is None else np.argsort(time.values, kind="stable")


def _require_features(learned: Learned, row: Row, where: str, allowed: set[str]) -> None:
    missing = [name for name in learned.columns if name not in row]
    if missing:
        raise _invalid(where, f"lacks {_listed(missing)}; the model knows {_listed(learned.columns)}")
    extra = [name for name in row if name not in learned.columns and name not in allowed]
    if extra:
        raise _invalid(where, f"has {_listed(extra)}, unknown to the model; it knows {_listed(learned.columns)}")


def _column(learned: Learned, rows: Sequence[Row], name: str, field: str, *, may_miss: bool) -> Floats:
    levels = learned.levels.get(name)
    found = np.empty(len(rows))
    for number, row in enumerate(rows):
        where = f"{field}[{number}].{name}"
        value = row[name]
        if value is None and not may_miss:
            raise _invalid(where, "has no value")
        if value is None:
            found[number] = np.nan
        elif levels is not None:
            found[number] = _level(levels, value, where)
        else:
            found[number] = _number(value, where)
    return found


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(where, f"{value!r:.60} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not np.isfinite(number):
        raise _invalid(where, "is no finite number")
    return number


def _level(levels: Sequence[str], value: object, where: str) -> float:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | float):
        value = f"{value:g}"
    if not isinstance(value, str):
        raise _invalid(where, f"{value!r:.60} is no text")
    return float(levels.index(value)) if value in levels else float(NO_LEVEL)


def require_known_levels(table: Table, field: str) -> None:
    """Raise Invalid naming a category that the model has not learned: for models that cannot judge one."""
    for name, levels in table.levels.items():
        rows = np.flatnonzero(table.column(name) == NO_LEVEL)
        if len(rows):
            raise _invalid(f"{field}[{rows[0]}].{name}", f"is a category not seen in training; seen: {_listed(levels)}")


def _times(learned: Learned, rows: Sequence[Row], field: str) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    if TIMESTAMP in learned.columns or not all(TIMESTAMP in row for row in rows):
        return None
    found = [_time_us(row[TIMESTAMP], f"{field}[{number}].{TIMESTAMP}") for number, row in enumerate(rows)]
    return np.array(found, np.int64)


def _time_us(value: object, where: str) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(min(max(_number(value, where), 0.0), 1e11) * 1e6)
    try:
        at = datetime.fromisoformat(f"{value}")
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6)
    except (ValueError, OverflowError) as error:
        raise _invalid(where, f"{value!r:.60} is no time: write 2026-01-15T10:30:00Z") from error


def _plain(name: str) -> str:
    return _PLAIN.sub("", name.lower())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name)[:80] for name in names[:_NAMED]) + more


def _invalid(field: str, issue: str) -> Invalid:
    named = field[:200]
    return Invalid(f"{named}: {issue}", code="INVALID_PARAMETERS", details={"field": named, "issue": issue})
