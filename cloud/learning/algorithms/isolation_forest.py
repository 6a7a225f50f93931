"""Isolation forest: rows that few random cuts set apart are strange; grown by scikit-learn, run here as arrays.

Liu, Ting and Zhou, Isolation Forest, ICDM 2008. Each row is judged by itself: no windows, no order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloud.errors import Invalid
from cloud.learning.algorithm import (
    Explanation,
    Learned,
    Part,
    Progress,
    Settings,
    Task,
    Trained,
    own_settings,
)
from cloud.learning.calibration import Calibration
from cloud.learning.keeping import CARD, card_file, read_arrays, read_card, read_file
from cloud.learning.keeping import arrays_file as npz
from cloud.learning.occlusion import occlusion
from cloud.learning.soundness import normal_rows, require_columns, require_finite, require_rows, require_variation
from cloud.learning.table import Floats, Table

MIN_ROWS = 60
FOLDS = 5
USUAL_ROWS, MOST_ROWS = 256, 65_536
"""Rows that a tree is grown from: as Liu et al. take them, and at most."""
ARRAYS = "forest.npz"
INTEGERS = ("column", "left", "right", "roots")
FLOATS = ("cut", "length", "scale", "median", "threshold", "body", "tail")


class IsolationSettings(Settings):
    """contamination: share of the learned rows that are taken for strange; max_samples: rows a tree is grown from.

    max_samples as a share of all rows where it is at most 1; `auto`: 256 rows.
    """

    n_estimators: Annotated[int, Field(ge=10, le=1_000)] = 100
    max_samples: Annotated[int, Field(ge=16, le=65_536)] | Annotated[float, Field(gt=0, le=1)] | Literal["auto"] = 256
    contamination: Annotated[float, Field(ge=1e-4, le=0.5)] = 0.01

    def rows_a_tree(self, n_rows: int) -> int:
        """Return how many of so many rows a tree is grown from, at least 2."""
        match self.max_samples:
            case "auto":
                return USUAL_ROWS
            case int():
                return self.max_samples
            case share:
                return max(2, min(round(share * n_rows), MOST_ROWS))


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """All trees end to end; of nodes (m,), column -1 is a leaf `length` steps down; scale: of a usual path."""

    column: NDArray[np.int64]
    cut: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    length: Floats
    roots: NDArray[np.int64]
    scale: Floats

    def score(self, values: Floats) -> Floats:
        """Return the anomaly score of rows (n, n_columns), 0..1, shape (n,)."""
        seen = values.astype(np.float32)
        rows = np.arange(len(seen))
        total = np.zeros(len(seen))
        for root in self.roots:
            node = np.full(len(seen), root)
            inside = self.column[node] >= 0
            while inside.any():
                goes_left = seen[rows, np.maximum(self.column[node], 0)] <= self.cut[node]
                node = np.where(inside, np.where(goes_left, self.left[node], self.right[node]), node)
                inside = self.column[node] >= 0
            total += self.length[node]
        score: Floats = 2.0 ** -(total / self.scale[0])
        return score


@dataclass(frozen=True, slots=True, eq=False)
class Isolated:
    """A forest that has learned, its threshold from rows that it had not seen."""

    learned: Learned
    forest: Forest
    median: Floats
    calibration: Calibration

    def score(self, table: Table) -> Floats:
        """Return the anomaly scores of Liu et al., shape (n,)."""
        own = table.select(self.learned.columns)
        require_finite(own)
        return self.forest.score(own.values)

    def predict(self, table: Table) -> Floats:
        """Return 1 for rows over the threshold, else 0, shape (n,)."""
        return (self.score(table) > self.calibration.threshold).astype(np.float64)

    def outputs(self, table: Table) -> Floats:
        """Return the scores with .5 at the threshold, shape (n, 1)."""
        return self.calibration.scores(self.score(table))[:, None]

    @property
    def alarm_share(self) -> float:
        """Return the share of rows, judged by trees that had not seen them, that is over the threshold."""
        return own_settings(IsolationSettings, self.learned.settings).contamination

    def explain(self, table: Table) -> Explanation:
        """Return by how much the score falls where a column has its usual value instead."""
        return occlusion(self.score, table, self.learned.columns, self.median)

    def files(self) -> Mapping[str, bytes]:
        """Return the card and the trees as arrays."""
        own = {
            "median": self.median,
            "threshold": np.array([self.calibration.threshold]),
            "body": np.array(self.calibration.body),
            "tail": np.array([self.calibration.tail]),
        }
        names = ("column", "cut", "left", "right", "length", "roots", "scale")
        trees: dict[str, NDArray[Any]] = {name: getattr(self.forest, name) for name in names}
        return {CARD: card_file(self.learned), ARRAYS: npz({**trees, **own})}


@dataclass(frozen=True, slots=True)
class IsolationForest:
    """Finds rows that random cuts set apart quickly."""

    name: str = "isolation_forest"
    summary: str = "Strange rows of a table, each by itself; knows no time."
    task: Task = Task.ANOMALY
    settings: type[Settings] = IsolationSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from rows not labelled faulty; the threshold is of rows that the trees judging them had not seen."""
        own = own_settings(IsolationSettings, settings)
        require_columns(table)
        table = normal_rows(table)
        require_rows(table, MIN_ROWS)
        require_finite(table)
        require_variation(table)
        outside = _cross_fitted(table.values, own, progress, seed)
        progress(FOLDS / (FOLDS + 1), "growing the forest")
        forest = _grow(table.values, own, seed)
        calibration = Calibration.of(outside, own.contamination)
        figures = {"threshold": calibration.threshold, "rows": float(len(table))}
        learned = Learned(self.name, self.task, table.columns, ("normal", "anomaly"), own, figures)
        progress(1.0, "grown")
        return Isolated(learned, forest, np.median(table.values, axis=0), calibration)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        learned = read_card(files, self.name, self.settings)
        arrays = read_arrays(read_file(files, ARRAYS), (*INTEGERS, *FLOATS))
        forest = Forest(*(arrays[name] for name in ("column", "cut", "left", "right", "length", "roots", "scale")))
        _require_trees(forest, len(learned.columns))
        threshold, tail = float(arrays["threshold"][0]), float(arrays["tail"][0])
        return Isolated(learned, forest, arrays["median"], Calibration(threshold, tuple(arrays["body"].tolist()), tail))


def _cross_fitted(values: Floats, settings: IsolationSettings, progress: Progress, seed: int) -> Floats:
    bounds = np.linspace(0, len(values), FOLDS + 1).astype(int)
    scores = []
    for i, (first, last) in enumerate(pairwise(bounds)):
        Part(progress, i, FOLDS + 1)(0.0, f"fold {i + 1} of {FOLDS}")
        others = np.concatenate([values[:first], values[last:]])
        scores.append(_grow(others, settings, seed).score(values[first:last]))
    return np.concatenate(scores)


def _grow(values: Floats, settings: IsolationSettings, seed: int) -> Forest:
    from sklearn.ensemble import IsolationForest as Grower  # type: ignore[import-untyped]  # noqa: PLC0415 - 60 MiB

    rows = min(settings.rows_a_tree(len(values)), len(values))
    grower = Grower(n_estimators=settings.n_estimators, max_samples=rows, random_state=seed, n_jobs=1).fit(values)
    trees = [estimator.tree_ for estimator in grower.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    is_leaf = np.concatenate([tree.children_left < 0 for tree in trees])
    steps = np.concatenate([_depth(tree) + _usual_path(tree.n_node_samples) for tree in trees])
    return Forest(
        column=np.where(is_leaf, -1, np.concatenate([tree.feature for tree in trees])),
        cut=np.concatenate([tree.threshold for tree in trees]),
        left=np.concatenate([tree.children_left + start for tree, start in zip(trees, starts, strict=True)]),
        right=np.concatenate([tree.children_right + start for tree, start in zip(trees, starts, strict=True)]),
        length=steps,
        roots=starts,
        scale=np.array([len(trees) * float(_usual_path(np.array([rows]))[0])]),
    )


def _depth(tree: Any) -> Floats:  # noqa: ANN401 - scikit-learn has no types
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    return depth


def _usual_path(n_rows: NDArray[np.int64]) -> Floats:
    """Return the mean path of an unsuccessful search in a binary tree of so many rows, as Liu et al. have it."""
    n = np.asarray(n_rows, dtype=np.float64)
    large = 2.0 * (np.log(np.maximum(n - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (n - 1.0) / np.maximum(n, 1.0)
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, large))


def _require_trees(forest: Forest, n_columns: int) -> None:
    n_nodes = len(forest.column)
    inside = forest.column >= 0
    own = np.flatnonzero(inside)
    is_sound = all(len(part) == n_nodes for part in (forest.cut, forest.left, forest.right, forest.length))
    is_sound = is_sound and bool((forest.column < n_columns).all()) and bool((forest.roots < n_nodes).all())
    for child in (forest.left, forest.right):
        is_sound = is_sound and bool(((child[own] > own) & (child[own] < n_nodes)).all())
    if not is_sound:
        raise Invalid(f"{ARRAYS}: the arrays are no forest over {n_columns} columns")
