"""Tables to learn from, small and with something to be found in them: mostly in the first column."""

from collections.abc import Mapping

import numpy as np

from cloud.learning.algorithm import Task
from cloud.learning.table import Floats, Table

COLUMNS = ("flow", "pressure", "current")
SMALL: Mapping[str, Mapping[str, object]] = {
    "gradient_boosting_classifier": {"trees": 30, "threshold_folds": 3},
    "gradient_boosting_regressor": {"trees": 60},
    "random_forest_classifier": {"trees": 20, "threshold_folds": 3},
    "random_forest_regressor": {"trees": 20},
    "quantile_boosting": {"trees": 40},
    "autoencoder": {"epochs": 30, "hidden": 12, "spans": (1, 5)},
    "convolutional_autoencoder": {"epochs": 8, "filters": 6, "spans": (1, 2, 4)},
    "isolation_forest": {"n_estimators": 40},
}
"""Settings that make a fit quick."""


def table_for(task: Task, *, seed: int = 1, n: int = 600, faults: bool = True) -> Table:
    """Return a table that the task can be learned from."""
    rng = np.random.default_rng(seed)
    match task:
        case Task.ANOMALY:
            return _channels(rng, n, faults=faults)
        case Task.CLASSIFICATION:
            values = rng.normal(size=(n, 3))
            target = (values[:, 0] + 0.2 * values[:, 1] > 0.5).astype(np.float64)
            return Table(COLUMNS, values, target, classes=("good", "bad"), target_name="outcome")
        case Task.REGRESSION | Task.FORECAST:
            values = rng.normal(size=(n, 3))
            target = 2 * values[:, 0] + 0.3 * values[:, 1] + 0.2 * rng.normal(size=n)
            return Table(COLUMNS, values, target, target_name="outcome")


def _channels(rng: np.random.Generator, n: int, *, faults: bool) -> Table:
    values: Floats = rng.normal(size=(n, 3)) @ np.array([[1.0, 0.4, 0.1], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    label = np.zeros(n)
    if faults:
        label[n - 80 :] = 1
        values[n - 80 :, 0] += 6
    time_us = np.arange(n, dtype=np.int64) * 1_000_000
    return Table(COLUMNS, values, label, time_us, target_name="outcome")
