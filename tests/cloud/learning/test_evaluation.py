"""Evaluation on rows not learned from: it tells learning from luck."""

from dataclasses import replace

import numpy as np
import pytest

from cloud.learning.algorithm import Task, quiet, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.evaluation import Evaluated, cross_validate, evaluate, label_free, rank_correlation
from cloud.learning.table import Table
from tests.support.learning import SMALL, table_for

EVERY = ["whitening", "isolation_forest", "gradient_boosting_classifier", "gradient_boosting_regressor",
         "quantile_boosting"]  # fmt: skip


def judged(name: str, table: Table, *, n_folds: int = 3) -> Evaluated:
    algorithm = ALGORITHMS[name]
    settings = read_settings(algorithm.settings, SMALL.get(name, {}))
    return cross_validate(algorithm, table, settings, quiet, 3, n_folds=n_folds)


@pytest.mark.parametrize("name", EVERY)
def test_every_figure_is_a_finite_number(name: str) -> None:
    found = judged(name, table_for(ALGORITHMS[name].task))
    assert found.folds == 3
    assert found.figures
    assert np.isfinite(list(found.figures.values())).all()


def test_shuffled_labels_fall_to_the_base_rate() -> None:
    table = table_for(Task.CLASSIFICATION)
    shuffled = replace(table, target=np.random.default_rng(0).permutation(table.labels()))
    honest, lucky = (judged("gradient_boosting_classifier", one).figures for one in (table, shuffled))
    assert honest["auc_pr"] > 0.95
    assert lucky["auc_pr"] < lucky["base_rate"] + 0.1


def test_a_shuffled_value_cannot_be_told() -> None:
    table = table_for(Task.REGRESSION)
    shuffled = replace(table, target=np.random.default_rng(0).permutation(table.labels()))
    assert judged("gradient_boosting_regressor", table).figures["r2"] > 0.8
    assert judged("gradient_boosting_regressor", shuffled).figures["r2"] < 0.05


def test_a_detector_finds_the_faults_of_the_last_rows() -> None:
    settings = read_settings(ALGORITHMS["whitening"].settings, {})
    found = evaluate(ALGORITHMS["whitening"], table_for(Task.ANOMALY), settings, quiet, 1, share=0.3)
    assert found.rows == 180
    assert found.figures["recall"] > 0.8
    assert found.figures["expected_alarms_per_day"] == 0


def test_quantiles_cover_about_what_they_say() -> None:
    figures = judged("quantile_boosting", table_for(Task.FORECAST, n=2_000)).figures
    assert 0.0 < figures["coverage_p10"] < 0.3
    assert 0.7 < figures["coverage_p90"] < 1.0


def test_without_labels_two_halves_of_the_rows_agree_about_the_rest() -> None:
    table = replace(table_for(Task.ANOMALY), target=None)
    settings = read_settings(ALGORITHMS["whitening"].settings, {"spans": (1, 5)})
    figures = label_free(ALGORITHMS["whitening"], table, settings, quiet, 1)
    assert set(figures) == {"score_separation", "stability", "expected_alarms_per_day", "over_share"}
    assert figures["stability"] > 0.8
    assert figures["score_separation"] > 0.3


def test_rank_correlation_looks_at_the_order_alone() -> None:
    one = np.array([np.nan, 1.0, 2.0, 3.0])
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.ones(4)) == 0
