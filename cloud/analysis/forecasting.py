"""Quantiles of a series some steps ahead: learned by quantile regression, or seasonal-naive where data are short.

Koenker and Bassett, Regression Quantiles, 1978. Learned on changes in units of the last day's scatter (`series`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.series import NAMES, Origins, features, history_needed, scales, targets
from cloud.analysis.statistics import Floats
from cloud.domain.forecast import LEVELS

LEARNED = "quantile_boosting"
NAIVE = "seasonal_naive"
LEAST_DAYS_TO_LEARN = 14
_MOST_ROWS = 20_000
_LEAST_ROWS = 100
_LEAST_RESIDUALS = 8
_NAIVE_FEATURES = ("same_time_1_day",)


class QuantileModel(Protocol):
    """What has learned quantiles of a number."""

    def predict(self, rows: Floats) -> Floats:
        """Return the quantiles of LEVELS for rows (n, k), shape (n, 5), never falling."""


class QuantileFit(Protocol):
    """How such a model is learned: the wall between analysis and the library that grows trees."""

    def __call__(self, rows: Floats, target: Floats) -> QuantileModel:
        """Return a model of target (n,) by rows (n, k), all finite; the same numbers give the same model."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A series on a regular grid: values (m,), NaN where none is known; day: steps a day; phase: of position 0."""

    values: Floats
    day: int
    phase: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """What was foretold from n origins: quantiles (n, 5) and the unit of their correction, scale (n,)."""

    quantiles: Floats
    scale: Floats


@dataclass(frozen=True, slots=True)
class Forecaster:
    """What foretells one series one horizon ahead; without a model it is seasonal-naive."""

    horizon: int
    model: QuantileModel | None

    @property
    def method(self) -> str:
        """Return how it foretells."""
        return NAIVE if self.model is None else LEARNED

    @property
    def features(self) -> tuple[str, ...]:
        """Return what it looks at."""
        return _NAIVE_FEATURES if self.model is None else NAMES

    def foretell(self, grid: Grid, origins: Origins) -> Quantiles:
        """Return quantiles for the step `horizon` after the last known one; NaN where what it looks at is missing.

        origins: positions of the first unknown step, (n,), each at least `history_needed` where a model is at work.
        """
        if self.model is None:
            return _naive(grid, origins, self.horizon)
        rows = features(grid.values, origins, self.horizon, day=grid.day, phase=grid.phase)
        scale = scales(grid.values, origins, day=grid.day)
        known = np.isfinite(rows).all(axis=1) & np.isfinite(scale)
        found = np.full((len(origins), len(LEVELS)), np.nan)
        if known.any():
            found[known] = self.model.predict(rows[known])
        last = grid.values[origins - 1]
        return Quantiles(last[:, None] + found * scale[:, None], scale)


def learn(
    grid: Grid, horizon: int, fit: QuantileFit, *, excluded: NDArray[np.bool_] | None = None, until: int | None = None
) -> Forecaster:
    """Return a forecaster of values before `until`; excluded: (m,), steps (of events) that nothing is learned from."""
    end = len(grid.values) if until is None else until
    first = history_needed(grid.day)
    origins = np.arange(first, end - horizon + 1)
    if end < LEAST_DAYS_TO_LEARN * grid.day or len(origins) < _LEAST_ROWS:
        return Forecaster(horizon, None)
    if excluded is not None:
        origins = origins[~(excluded[origins - 1] | excluded[origins + horizon - 1])]
    origins = origins[:: max(1, -(-len(origins) // _MOST_ROWS))]
    rows = features(grid.values, origins, horizon, day=grid.day, phase=grid.phase)
    target = targets(grid.values, origins, horizon, day=grid.day)
    known = np.isfinite(rows).all(axis=1) & np.isfinite(target)
    if int(known.sum()) < _LEAST_ROWS:
        return Forecaster(horizon, None)
    return Forecaster(horizon, fit(rows[known], target[known]))


def _naive(grid: Grid, origins: Origins, horizon: int) -> Quantiles:
    found = np.full((len(origins), len(LEVELS)), np.nan)
    scale = np.ones(len(origins))
    for index, origin in enumerate(origins.tolist()):
        base, errors = _naive_errors(grid, origin, horizon)
        errors = errors[np.isfinite(errors)]
        if np.isfinite(base) and len(errors) >= _LEAST_RESIDUALS:
            found[index] = base + np.quantile(errors, LEVELS)
            scale[index] = float(errors.std()) or 1.0
    return Quantiles(found, scale)


def _naive_errors(grid: Grid, origin: int, horizon: int) -> tuple[float, Floats]:
    """Return the value a season before the target, the last one where there is no season, and how such guesses erred.

    The season is a day, or as many days as the horizon needs, so that only known values are read.
    """
    lag = grid.day * -(-horizon // grid.day)
    if origin < 2 * lag:
        lag = horizon
    known = grid.values[:origin]
    base = float(known[origin + horizon - 1 - lag]) if len(known) >= lag - horizon + 1 else float("nan")
    return base, known[lag:] - known[:-lag]
