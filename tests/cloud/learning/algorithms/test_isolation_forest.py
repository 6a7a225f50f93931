"""The forest scored in numpy is scikit-learn's."""

import numpy as np
from sklearn.ensemble import IsolationForest as Known  # type: ignore[import-untyped]

from cloud.learning.algorithm import Task, quiet
from cloud.learning.algorithms.isolation_forest import IsolationForest, IsolationSettings
from cloud.learning.table import Table
from tests.support.learning import table_for


def test_scores_are_scikit_learns_to_nine_digits() -> None:
    learned, judged = table_for(Task.ANOMALY, faults=False), table_for(Task.ANOMALY, seed=5)
    trained = IsolationForest().fit(learned, IsolationSettings(n_estimators=50), quiet, 3)
    known = Known(n_estimators=50, max_samples=256, random_state=3).fit(learned.values)
    np.testing.assert_allclose(trained.score(judged), -known.score_samples(judged.values), atol=1e-9, rtol=0)


def test_as_many_new_rows_are_over_the_threshold_as_was_asked_for() -> None:
    learned = table_for(Task.ANOMALY, n=3_000, faults=False)
    judged = table_for(Task.ANOMALY, n=3_000, seed=5, faults=False)
    for contamination in (0.01, 0.1):
        settings = IsolationSettings(n_estimators=30, contamination=contamination)
        trained = IsolationForest().fit(learned, settings, quiet, 3)
        assert 0.5 * contamination < trained.predict(judged).mean() < 1.7 * contamination


def test_rows_that_are_equal_are_scored_all_the_same() -> None:
    values = np.repeat(np.arange(30.0), 10)[:, None]
    trained = IsolationForest().fit(Table(("x",), values), IsolationSettings(n_estimators=20), quiet, 3)
    assert np.isfinite(trained.score(Table(("x",), np.full((5, 1), 1e30)))).all()
