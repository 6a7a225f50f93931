"""Expand: a table's columns into those that an algorithm looks at, and what was learned of them back to the columns."""

from dataclasses import dataclass

import numpy as np

from cloud.errors import Invalid
from cloud.learning.features.recipe import Difference, Made, Product, Ratio, Recipe, Windows
from cloud.learning.features.windows import trailing_mean, trailing_slope
from cloud.learning.table import Floats, Table


@dataclass(frozen=True, slots=True)
class Expanded:
    """values: (n, n_features); sources: (n_features, n_columns), each row adds up to 1: whose a feature is."""

    names: tuple[str, ...]
    values: Floats
    sources: Floats

    def to_columns(self, contributions: Floats) -> Floats:
        """Return contributions of features (n, n_features) as those of columns (n, n_columns); sums stay what they are.

        A feature of several columns counts for them in equal parts.
        """
        shared: Floats = contributions @ self.sources
        return shared


def expand(table: Table, recipe: Recipe) -> Expanded:
    """Return what the recipe makes of the table; raise Invalid naming a column that it needs and the table lacks."""
    names = list(table.columns if recipe.keep is None else recipe.keep)
    parts = [table.column(name) for name in names]
    sources = [_one_of(table, (name,)) for name in names]
    for step in recipe.made:
        names.append(step.name)
        parts.append(_made(table, step))
        sources.append(_one_of(table, _columns_of(step)))
    if recipe.windows is not None:
        for label, part, columns in _windows(table, recipe.windows):
            names += [f"{label} {column}" for column in columns]
            parts += list(part.T)
            sources += [_one_of(table, (column,)) for column in columns]
    if not names:
        raise Invalid("features: the recipe leaves no column to learn from", details={"field": "features"})
    return Expanded(tuple(names), np.column_stack(parts), np.array(sources))


def _made(table: Table, step: Made) -> Floats:
    first, second = (table.column(name) for name in step.of)
    match step:
        case Difference():
            difference: Floats = first - second
            return difference
        case Ratio():
            ratio: Floats = np.divide(first, second, out=np.full(len(first), np.nan), where=second != 0)
            return ratio
        case Product():
            product: Floats = first * second * step.times / _limit(table, step)
            return product


def _limit(table: Table, step: Product) -> Floats:
    if step.limit_by is None:
        return np.ones(len(table))
    level = np.nan_to_num(table.column(step.limit_by), nan=-1.0).astype(np.int64)
    levels = table.levels.get(step.limit_by, ())
    lacking = [name for name in levels if name not in step.limits]
    if lacking or not levels:
        raise Invalid(
            f"features: {step.name}: column {step.limit_by!r} has no limit for {', '.join(lacking) or 'any level'}",
            details={"field": step.limit_by},
        )
    limits: Floats = np.array([*(step.limits[name] for name in levels), np.nan])
    own: Floats = limits[np.where(level < len(levels), level, -1)]
    return own


def _columns_of(step: Made) -> tuple[str, ...]:
    limit_by = step.limit_by if isinstance(step, Product) else None
    return step.of if limit_by is None else (*step.of, limit_by)


def _one_of(table: Table, names: tuple[str, ...]) -> Floats:
    weights = np.zeros(len(table.columns))
    for name in names:
        weights[table.columns.index(name)] += 1 / len(names)
    return weights


def _windows(table: Table, windows: Windows) -> list[tuple[str, Floats, tuple[str, ...]]]:
    chosen = windows.columns or tuple(name for name in table.columns if name not in table.levels)
    columns = tuple(name for name in chosen if name not in windows.leave_out)
    values = table.select(columns).values
    runs = list(table.runs())
    made = [(f"mean over {span} of", span, trailing_mean) for span in windows.spans]
    made += [(f"slope over {span} of", span, trailing_slope) for span in windows.slopes]
    if windows.life_slope:
        made.append(("slope over life of", max(len(values), 1), trailing_slope))
    parts = []
    for label, span, over in made:
        part = np.empty_like(values)
        for rows in runs:
            part[rows] = over(values[rows], span)
        parts.append((label, part, columns))
    return parts
