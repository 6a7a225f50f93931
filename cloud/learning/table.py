"""Table: what every algorithm learns from and judges: columns of numbers, with what is known about each row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid

Floats = NDArray[np.float64]
Rows = NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of numbers; n rows in order of time within each group.

    values: (n, n_columns), NaN where a value is missing; target: (n,), a class as its index in `classes`, a value, or
    0 and 1 for rows labelled normal and faulty; time_us: (n,) since the epoch; groups: (n,), which machine a row is of;
    levels: for a column of categories, the names that the numbers 0, 1, ... stand for.
    """

    columns: tuple[str, ...]
    values: Floats
    target: Floats | None = None
    time_us: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    target_name: str = "target"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.columns):
            raise Invalid(f"values of shape {self.values.shape} are not rows of {len(self.columns)} columns")
        for name in ("target", "time_us", "groups"):
            part = getattr(self, name)
            if part is not None and part.shape != (len(self.values),):
                raise Invalid(f"{name} has shape {part.shape}, there are {len(self.values)} rows")

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Floats:
        """Return one column, shape (n,); raise Invalid where there is none of that name."""
        if name not in self.columns:
            raise Invalid(f"column {name!r}: missing; there are {_listed(self.columns)}", details={"field": name})
        return self.values[:, self.columns.index(name)]

    def labels(self) -> Floats:
        """Return the target, shape (n,); raise Invalid where there is none."""
        if self.target is None:
            raise Invalid(f"{self.target_name}: missing; this algorithm learns from it", details={"field": "target"})
        return self.target

    def take(self, rows: Rows | slice) -> Self:
        """Return these rows, given by number, mask or slice."""
        return replace(
            self,
            values=self.values[rows],
            target=None if self.target is None else self.target[rows],
            time_us=None if self.time_us is None else self.time_us[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    def select(self, columns: Sequence[str]) -> Self:
        """Return these columns in this order; raise Invalid naming one that is missing."""
        if tuple(columns) == self.columns:
            return self
        values = np.column_stack([self.column(name) for name in columns]) if columns else self.values[:, :0]
        levels = {name: self.levels[name] for name in columns if name in self.levels}
        return replace(self, columns=tuple(columns), values=values, levels=levels)

    def with_values(self, values: Floats) -> Self:
        """Return the same rows with other values (n, n_columns)."""
        return replace(self, values=values)

    def like(self, columns: Sequence[str], levels: Mapping[str, tuple[str, ...]]) -> Self:
        """Return these columns with categories numbered by these levels; one that is not among them becomes NaN."""
        chosen = self.select(columns)
        if all(chosen.levels.get(name, names) == names for name, names in levels.items()):
            return replace(chosen, levels=levels)
        values = chosen.values.copy()
        for name, names in levels.items():
            own = self.levels.get(name, names)
            numbers = np.array([names.index(one) if one in names else np.nan for one in own] + [np.nan])
            at = np.nan_to_num(chosen.column(name), nan=-1.0).astype(np.int64)
            values[:, columns.index(name)] = numbers[np.where((at >= 0) & (at < len(own)), at, -1)]
        return replace(chosen, values=values, levels=levels)

    def runs(self) -> Iterator[NDArray[np.int64]]:
        """Yield the row numbers of each group, in order of time; all rows where no groups are known."""
        if self.groups is None:
            yield np.arange(len(self.values))
            return
        order = np.argsort(self.groups, kind="stable")
        yield from np.split(order, np.flatnonzero(np.diff(self.groups[order])) + 1)


def _listed(names: Sequence[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more
