"""Trees for tables: boosted classifier and regressor, random forests, and a forecaster of quantiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloud.learning.algorithm import Learned, Part, Progress, Settings, Task, Trained, own_settings
from cloud.learning.algorithms.boosted import Boosted, WithFeatures, load_boosted
from cloud.learning.boosting import Growth, Objective, Trees, grow, grow_quantiles
from cloud.learning.features.expand import expand
from cloud.learning.folds import folds_of
from cloud.learning.metrics import best_f1_threshold
from cloud.learning.soundness import (
    require_classes,
    require_columns,
    require_finite,
    require_rows,
    require_values,
    require_variation,
)
from cloud.learning.table import Floats, Table

MIN_ROWS = 40
MIN_CLASS_ROWS = 5
Share = Annotated[float, Field(gt=0, le=1)]


class TreeSettings(WithFeatures):
    """How trees are grown.

    bins: how finely a column is cut; with few bins a limit that only rare rows are beyond is found only roughly.
    missing: whether rows without some values are refused or learned from as they are.
    """

    trees: Annotated[int, Field(ge=1, le=5_000)] = 200
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    leaves: Annotated[int, Field(ge=2, le=1_024)] = 15
    min_rows_a_leaf: Annotated[int, Field(ge=1, le=100_000)] = 20
    column_share: Share = 0.7
    row_share: Annotated[float, Field(gt=0, lt=1)] = 0.7
    l2: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    bins: Annotated[int, Field(ge=15, le=8_191)] = 255
    missing: Literal["refuse", "keep"] = "refuse"

    def growth(self, objective: Objective, *, is_forest: bool, n_classes: int = 1) -> Growth:
        """Return the same for LightGBM."""
        return Growth(
            objective=objective,
            trees=self.trees,
            learning_rate=self.learning_rate,
            leaves=self.leaves,
            min_rows_a_leaf=self.min_rows_a_leaf,
            column_share=self.column_share,
            row_share=self.row_share,
            l2=self.l2,
            bins=self.bins,
            is_forest=is_forest,
            n_classes=n_classes,
        )


class ClassifierSettings(TreeSettings):
    """threshold_folds: fits from which the threshold between two classes is chosen, each on rows it has not seen.

    0: the threshold is .5.
    """

    threshold_folds: Annotated[int, Field(ge=0, le=10)] = 5


class ForestClassifierSettings(ClassifierSettings):
    """Trees of a forest are grown deep: their mean is what is smooth."""

    leaves: Annotated[int, Field(ge=2, le=1_024)] = 63
    min_rows_a_leaf: Annotated[int, Field(ge=1, le=100_000)] = 5


class RegressorSettings(TreeSettings):
    """cap: values above it are learned as it, such as a remaining life that nobody can tell from a longer one."""

    cap: float | None = None


class ForestRegressorSettings(RegressorSettings):
    """Trees of a forest are grown deep: their mean is what is smooth."""

    leaves: Annotated[int, Field(ge=2, le=1_024)] = 63
    min_rows_a_leaf: Annotated[int, Field(ge=1, le=100_000)] = 5


class QuantileSettings(TreeSettings):
    """quantiles: which ones, rising."""

    quantiles: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1, max_length=25)] = (
        0.1,
        0.5,
        0.9,
    )

    @model_validator(mode="after")
    def _rising(self) -> "QuantileSettings":
        if list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError("quantiles must rise")
        return self


@dataclass(frozen=True, slots=True)
class TreeClassifier:
    """Tells classes apart; Ke et al. 2017 (LightGBM), Breiman 2001 (forest)."""

    name: str
    summary: str
    is_forest: bool = False
    task: Task = Task.CLASSIFICATION
    settings: type[Settings] = ClassifierSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn; the threshold between two classes is the best F1 of rows judged by fits that had not seen them."""
        own = own_settings(ClassifierSettings, settings)
        _require_sound(table, own)
        classes = require_classes(table, max(MIN_CLASS_ROWS, own.threshold_folds))
        values, target = expand(table, own.features).values, table.labels()
        is_binary = len(classes) == 2
        objective = Objective.BINARY if is_binary else Objective.MULTICLASS
        growth = own.growth(objective, is_forest=self.is_forest, n_classes=len(classes))
        n_folds = own.threshold_folds if is_binary else 0
        trees = grow(values, target, growth, seed=seed, progress=Part(progress, 0, n_folds + 1))
        figures = _threshold(table, values, growth, n_folds, progress, seed) if n_folds else {}
        learned = _learned(self, table, own, classes, {"rows": float(len(table)), **figures})
        return Boosted(learned, (trees,))

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_boosted(files, self.name, self.settings)


@dataclass(frozen=True, slots=True)
class TreeRegressor:
    """Learns a value; Ke et al. 2017 (LightGBM), Breiman 2001 (forest)."""

    name: str
    summary: str
    is_forest: bool = False
    task: Task = Task.REGRESSION
    settings: type[Settings] = RegressorSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn the mean value."""
        own = own_settings(RegressorSettings, settings)
        _require_sound(table, own)
        target = require_values(table)
        if own.cap is not None:
            target = np.minimum(target, own.cap)
        growth = own.growth(Objective.VALUE, is_forest=self.is_forest)
        trees = grow(expand(table, own.features).values, target, growth, seed=seed, progress=progress)
        return Boosted(_learned(self, table, own, (), {"rows": float(len(table))}), (trees,))

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_boosted(files, self.name, self.settings)


@dataclass(frozen=True, slots=True)
class QuantileForecaster:
    """Learns quantiles of a value; Koenker and Bassett 1978, by Ke et al. 2017."""

    name: str = "quantile_boosting"
    summary: str = "Quantiles of a value to come, such as the load in an hour."
    task: Task = Task.FORECAST
    settings: type[Settings] = QuantileSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn one model a quantile."""
        own = own_settings(QuantileSettings, settings)
        _require_sound(table, own)
        target = require_values(table)
        growth = own.growth(Objective.QUANTILE, is_forest=False)
        values = expand(table, own.features).values
        models = grow_quantiles(values, target, own.quantiles, growth, seed=seed, progress=progress)
        return Boosted(_learned(self, table, own, (), {"rows": float(len(table))}, own.quantiles), models)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_boosted(files, self.name, self.settings)


def out_of_fold(
    table: Table, values: Floats, growth: Growth, n_folds: int, progress: Progress, seed: int
) -> tuple[Floats, Floats]:
    """Return targets and probabilities of rows judged by trees that had not seen them, both (m,)."""
    truth, said = [], []
    folds = folds_of(table, n_folds, seed)
    for i, fold in enumerate(folds):
        target = table.labels()[fold.learn]
        if np.ptp(target) == 0:
            continue
        trees: Trees = grow(values[fold.learn], target, growth, seed=seed, progress=Part(progress, i + 1, n_folds + 1))
        said.append(trees.said(values[fold.judge])[:, 0])
        truth.append(table.labels()[fold.judge])
    return (np.concatenate(truth), np.concatenate(said)) if said else (np.empty(0), np.empty(0))


def _threshold(
    table: Table, values: Floats, growth: Growth, n_folds: int, progress: Progress, seed: int
) -> dict[str, float]:
    truth, said = out_of_fold(table, values, growth, n_folds, progress, seed)
    if len(truth) == 0 or np.ptp(truth) == 0:
        return {"threshold": 0.5}
    threshold, f1 = best_f1_threshold(truth > 0, said)
    return {"threshold": threshold, "f1_out_of_fold": f1}


def _require_sound(table: Table, settings: TreeSettings) -> None:
    require_columns(table)
    require_rows(table, MIN_ROWS)
    require_finite(table, may_miss=settings.missing == "keep" and settings.features.windows is None)
    require_variation(table)


def _learned(
    algorithm: TreeClassifier | TreeRegressor | QuantileForecaster,
    table: Table,
    settings: Settings,
    classes: tuple[str, ...],
    figures: Mapping[str, float],
    quantiles: tuple[float, ...] = (),
) -> Learned:
    return Learned(
        algorithm.name, algorithm.task, table.columns, classes, settings, figures, quantiles, dict(table.levels)
    )


CLASSIFIER = TreeClassifier("gradient_boosting_classifier", "Classes from a table, with exact reasons.")
REGRESSOR = TreeRegressor("gradient_boosting_regressor", "A value from a table, with exact reasons.")
FOREST_CLASSIFIER = TreeClassifier(
    "random_forest_classifier", "Classes by a vote of trees.", is_forest=True, settings=ForestClassifierSettings
)
FOREST_REGRESSOR = TreeRegressor(
    "random_forest_regressor", "A value by the mean of trees.", is_forest=True, settings=ForestRegressorSettings
)
FORECASTER = QuantileForecaster()
