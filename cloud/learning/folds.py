"""Folds: which rows to learn from and which to judge by, so that nobody is judged by what he has seen.

Machines are never on both sides; with times and no machines, what is judged comes after what was learned from; else
rows are drawn with as many of each class in every fold.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from cloud.learning.table import Floats, Table

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to learn from, and those to judge."""

    learn: Rows
    judge: Rows


def folds_of(table: Table, n_folds: int, seed: int) -> tuple[Fold, ...]:
    """Return folds as the table allows: by machine, by time, or drawn by class; raise Invalid for too few rows."""
    if len(table) < 2 * n_folds:
        raise Invalid(f"rows: {len(table)} are too few for {n_folds} folds", details={"field": "rows"})
    if table.groups is not None and len(np.unique(table.groups)) >= n_folds:
        return tuple(group_folds(table.groups, n_folds, seed))
    if table.time_us is not None:
        return tuple(chained_folds(table.time_us, n_folds))
    return tuple(drawn_folds(table.target if table.classes else None, len(table), n_folds, seed))


def group_folds(groups: NDArray[np.int64], n_folds: int, seed: int) -> Iterator[Fold]:
    """Yield folds in which the rows of a machine (n,) are all on one side."""
    machines = np.random.default_rng(seed).permutation(np.unique(groups))
    for part in np.array_split(machines, n_folds):
        judged = np.isin(groups, part)
        yield Fold(np.flatnonzero(~judged), np.flatnonzero(judged))


def chained_folds(time_us: NDArray[np.int64], n_folds: int) -> Iterator[Fold]:
    """Yield folds that learn from everything before the rows they judge; the first block is only learned from."""
    order = np.argsort(time_us, kind="stable")
    blocks = np.array_split(order, n_folds + 1)
    for i in range(1, n_folds + 1):
        yield Fold(np.concatenate(blocks[:i]), blocks[i])


def drawn_folds(classes: Floats | None, n_rows: int, n_folds: int, seed: int) -> Iterator[Fold]:
    """Yield folds of rows drawn at random, each class (n,) spread evenly over them."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    place = np.empty(n_rows, dtype=np.int64)
    place[order] = np.arange(n_rows) % n_folds
    for i in range(n_folds):
        yield Fold(np.flatnonzero(place != i), np.flatnonzero(place == i))


def hold_out(table: Table, share: float) -> Fold:
    """Return the last share of the rows as those to judge: in time, or as they stand where no times are known."""
    order = np.arange(len(table)) if table.time_us is None else np.argsort(table.time_us, kind="stable")
    n_judged = round(share * len(table))
    if not 0 < n_judged < len(table):
        raise Invalid(f"rows: {len(table)} are too few to hold {share:.0%} back", details={"field": "rows"})
    return Fold(order[:-n_judged], order[-n_judged:])


def drawn_out(table: Table, share: float, seed: int) -> Fold:
    """Return rows drawn at random as those to judge, about this share of each class; raise Invalid for too few."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table))
    if table.target is not None:
        order = order[np.argsort(table.target[order], kind="stable")]
    # Every place along the classes, in steps of 1 / share, so that each class gives its part.
    is_judged = np.diff(np.floor(np.arange(len(table) + 1) * share + rng.random())) > 0
    if not 0 < is_judged.sum() < len(table):
        raise Invalid(f"rows: {len(table)} are too few to hold {share:.0%} back", details={"field": "rows"})
    return Fold(np.sort(order[~is_judged]), np.sort(order[is_judged]))
