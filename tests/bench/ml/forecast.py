"""Forecasts of oil temperature 24 h ahead on ETT recordings: errors and coverage, beside the naive ones.

Protocol: the usual one of the papers on this data set, univariate: 12 months to train, 4 to validate, 4 to test;
z-scored by the training months; from every hour of the test months the next 24 hours are foretold, and errors are
averaged over all hours and all 24 horizons. Models are fitted once, on the training months. Conformal corrections learn
from forecasts as they mature, first in the validation months, each only after its own horizon has passed.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.accuracy import measure_columns
from cloud.analysis.conformal import corrected, correction, shifts
from cloud.analysis.forecasting import Forecaster, Grid, Quantiles, learn
from cloud.learning.quantiles import QuantileTrees, fit_quantiles
from tests.bench.ml.table import Cell, Table

Floats = NDArray[np.float64]
HORIZON_H = 24
TRAIN_DAYS, TEST_DAYS = 12 * 30, 4 * 30
_COLUMN = "OT"


@dataclass(frozen=True, slots=True)
class Split:
    """A recording, z-scored; positions where training ends, and validation ends, and the test ends."""

    values: Floats
    day: int
    train: int
    validate: int
    test: int


def tables(data: Path) -> Iterator[Table]:
    """Yield one table a recording of `ett/`."""
    for path in sorted((data / "ett").glob("*.csv*")):
        split = _split(path)
        if split is not None:
            yield _table(path.name.split(".")[0], split)


def _split(path: Path) -> Split | None:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines()))
    values = np.array([float(row[_COLUMN]) for row in rows])
    # The recordings at 15 minutes are read at every hour, as their hourly twins are.
    values = values[:: 4 if re.search(r"m\d", path.name) else 1]
    train, test = TRAIN_DAYS * 24, TEST_DAYS * 24
    if len(values) < train + 2 * test:
        return None
    scaled = (values - values[:train].mean()) / values[:train].std()
    return Split(scaled, 24, train, train + test, train + 2 * test)


def _table(name: str, split: Split) -> Table:
    per_horizon = [_judge(split, horizon) for horizon in range(1, HORIZON_H + 1)]
    rows: list[Sequence[Cell]] = [_row(method, per_horizon) for method in per_horizon[0]]
    return Table(
        f"forecasts: {name}, oil temperature, every hour of the next {HORIZON_H}, z-scored by the training months",
        ("method", "MAE", f"MAE at {HORIZON_H} h", "below p10", "below p90", "least p90", "most p90", "below p99"),
        rows,
        [
            "12 months train, 4 validate, 4 test; univariate; fitted once; errors over all test hours and horizons",
            f"causality: changing all values after an origin moves no forecast from it: {_is_causal(split)}",
            "least, most p90: of the 24 horizons",
        ],
    )


def _row(method: str, per_horizon: Sequence[dict[str, tuple[Floats, Floats]]]) -> Sequence[Cell]:
    found = [measure_columns(*one[method]) for one in per_horizon]
    coverage = {level: [one.coverage[level] for one in found if one.coverage] for level in (0.1, 0.9, 0.99)}
    share = {level: float(np.mean(each)) for level, each in coverage.items()}
    errors = [one.mae or 0.0 for one in found]
    says_spread = not method.startswith("last value")
    shown = (share[0.1], share[0.9], min(coverage[0.9]), max(coverage[0.9]), share[0.99])
    return (method, float(np.mean(errors)), errors[-1], *(shown if says_spread else (None,) * len(shown)))


def _judge(split: Split, horizon: int) -> dict[str, tuple[Floats, Floats]]:
    """Return by method the quantiles (n, 5) and actual values (n,) of the test months."""
    grid = Grid(split.values, split.day)
    origins = np.arange(split.train, split.test - HORIZON_H + 1)
    actual = split.values[origins + horizon - 1]
    is_test = origins >= split.validate
    learned = learn(grid, horizon, fit_quantiles, until=split.train).foretell(grid, origins)
    naive = _naive(split, origins, horizon)
    shuffled = _of_shuffled(split, horizon).foretell(grid, origins[is_test])
    last = np.repeat(split.values[origins - 1][:, None], 5, axis=1)
    return {
        "last value": (last[is_test], actual[is_test]),
        "last value a day before": (naive.quantiles[is_test], actual[is_test]),
        "the same, corrected": (_online(naive, actual, horizon)[is_test], actual[is_test]),
        "shuffled targets": (shuffled.quantiles, actual[is_test]),
        "learned, not corrected": (learned.quantiles[is_test], actual[is_test]),
        "learned, corrected": (_online(learned, actual, horizon)[is_test], actual[is_test]),
    }


def _online(found: Quantiles, actual: Floats, horizon: int) -> Floats:
    """Return quantiles corrected at each origin by the forecasts that had matured by then."""
    moves = shifts(found, actual)
    matured = np.maximum(np.arange(len(actual)) - horizon + 1, 0)
    usable = np.stack([correction(moves[count], int(count), horizon).shift for count in matured])
    return corrected(found, usable)


def _naive(split: Split, origins: NDArray[np.int64], horizon: int) -> Quantiles:
    """Return the value at the same time of a day before, with the quantiles of its errors in training."""
    base = split.values[origins + horizon - 1 - split.day]
    known = split.values[: split.train]
    errors = known[split.day :] - known[: -split.day]
    spread = np.quantile(errors, (0.01, 0.1, 0.5, 0.9, 0.99))
    return Quantiles(base[:, None] + spread, np.full(len(origins), float(errors.std())))


def _of_shuffled(split: Split, horizon: int) -> Forecaster:
    def fit(rows: Floats, target: Floats) -> QuantileTrees:
        return fit_quantiles(rows, np.random.default_rng(0).permutation(target))

    return learn(Grid(split.values, split.day), horizon, fit, until=split.train)


def _is_causal(split: Split) -> bool:
    origin = np.array([split.validate])
    changed = split.values.copy()
    changed[split.validate :] = 99.0
    known, other = Grid(split.values, split.day), Grid(changed, split.day)
    model = learn(known, HORIZON_H, fit_quantiles, until=split.train)
    again = learn(other, HORIZON_H, fit_quantiles, until=split.train)
    same = (model.foretell(known, origin).quantiles, again.foretell(other, origin).quantiles)
    return bool(np.array_equal(*same))
