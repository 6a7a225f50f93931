"""What trees owe beyond the port: thresholds, recipes, holes, forests, several classes."""

from dataclasses import replace

import numpy as np
import pytest

from cloud.errors import Invalid
from cloud.learning.algorithm import Task, quiet
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.algorithms.gradient_boosting import (
    CLASSIFIER,
    FORECASTER,
    FOREST_CLASSIFIER,
    REGRESSOR,
    ClassifierSettings,
    ForestClassifierSettings,
    QuantileSettings,
    RegressorSettings,
    TreeClassifier,
)
from cloud.learning.boosting import Growth, Objective, grow_quantiles, rising_quantiles
from cloud.learning.features.recipe import Product, Recipe
from cloud.learning.recipes import PRESETS
from cloud.learning.table import Table
from tests.support.learning import table_for


def rare(seed: int, n: int = 4_000) -> Table:
    """Return a machine that fails where power is over a limit that few rows are beyond."""
    rng = np.random.default_rng(seed)
    values = np.column_stack([rng.normal(40, 10, n), rng.normal(1_500, 180, n)])
    target = (values[:, 0] * values[:, 1] > 88_000).astype(np.float64)
    return Table(("torque", "speed"), values, target, classes=("runs", "fails"))


def test_fine_bins_find_a_limit_that_few_rows_are_beyond() -> None:
    power = Recipe(made=(Product(name="power", of=("torque", "speed")),), keep=())
    errors = []
    for bins in (255, 4_095):
        settings = ClassifierSettings(features=power, bins=bins, trees=80, min_rows_a_leaf=5, threshold_folds=0)
        judged = rare(2)
        errors.append(int((CLASSIFIER.fit(rare(1), settings, quiet, 1).predict(judged) != judged.labels()).sum()))
    assert errors[1] < errors[0]


def test_the_threshold_is_chosen_for_rare_classes() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2_000, 2))
    target = (values[:, 0] + rng.normal(size=2_000) > 2.3).astype(np.float64)
    table = Table(("a", "b"), values, target, classes=("no", "yes"))
    chosen = CLASSIFIER.fit(table, ClassifierSettings(trees=60), quiet, 1).learned.figures
    assert chosen["threshold"] < 0.4
    assert 0 < chosen["f1_out_of_fold"] < 1


@pytest.mark.parametrize("algorithm", [CLASSIFIER, FOREST_CLASSIFIER])
def test_of_several_classes_the_probabilities_add_up_and_the_reasons_are_of_the_answer(
    algorithm: TreeClassifier,
) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(600, 2))
    table = Table(
        ("a", "b"), values, np.digitize(values[:, 0], [-0.5, 0.5]).astype(np.float64), classes=("x", "y", "z")
    )
    trained = algorithm.fit(table, ForestClassifierSettings(trees=30), quiet, 1)
    outputs = trained.outputs(table)
    np.testing.assert_allclose(outputs.sum(axis=1), 1)
    np.testing.assert_array_equal(trained.predict(table), outputs.argmax(axis=1))
    assert (trained.predict(table) == table.labels()).mean() > 0.9
    assert np.abs(trained.explain(table).contributions).mean(axis=0).argmax() == 0


def test_rows_with_holes_are_learned_from_only_where_that_was_asked_for() -> None:
    table = table_for(Task.REGRESSION)
    table.values[::7, 1] = np.nan
    with pytest.raises(Invalid, match="'pressure'"):
        REGRESSOR.fit(table, RegressorSettings(), quiet, 1)
    trained = REGRESSOR.fit(table, RegressorSettings(trees=30, missing="keep"), quiet, 1)
    assert np.isfinite(trained.predict(table)).all()


def test_a_category_is_known_by_its_name_whatever_its_number() -> None:
    rng = np.random.default_rng(1)
    kind, load = rng.integers(0, 3, 500).astype(np.float64), rng.normal(size=500)
    table = Table(("kind", "load"), np.column_stack([kind, load]), 5 * kind + load, levels={"kind": ("L", "M", "H")})
    trained = REGRESSOR.fit(table, RegressorSettings(trees=50), quiet, 1)
    turned = replace(table, values=np.column_stack([2 - kind, load]), levels={"kind": ("H", "M", "L")})
    np.testing.assert_array_equal(trained.predict(turned), trained.predict(table))
    unknown = replace(table, levels={"kind": ("L", "M", "new")})
    assert np.isfinite(trained.predict(unknown)).all()


def test_a_capped_value_is_never_said_to_be_far_above_the_cap() -> None:
    table = table_for(Task.REGRESSION)
    said = REGRESSOR.fit(table, RegressorSettings(trees=50, cap=1.0), quiet, 1).predict(table)
    assert said.max() < 1.3


def test_quantiles_never_cross() -> None:
    table = table_for(Task.FORECAST)
    settings = QuantileSettings(trees=20, quantiles=(0.05, 0.45, 0.5, 0.55, 0.95))
    said = FORECASTER.fit(table, settings, quiet, 1).outputs(table_for(Task.FORECAST, seed=9))
    assert (np.diff(said, axis=1) >= 0).all()


def test_quantile_trees_may_be_grown_without_the_port() -> None:
    table = table_for(Task.FORECAST)
    growth = Growth(Objective.QUANTILE, trees=20)
    models = grow_quantiles(table.values, table.labels(), (0.1, 0.9), growth, seed=1)
    low, high = rising_quantiles(models, table.values).T
    assert 0.6 < np.mean((table.labels() >= low) & (table.labels() <= high)) < 1


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_belongs_to_its_algorithm(name: str) -> None:
    preset = PRESETS[name]
    assert isinstance(preset.settings, ALGORITHMS[preset.algorithm].settings)
    assert type(preset.settings).model_validate_json(preset.settings.model_dump_json()) == preset.settings
