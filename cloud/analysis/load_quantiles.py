"""Quantiles of the load some minutes ahead: learned by boosting from 14 days on, seasonal-naive before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.forecasting import LEARNED, NAIVE, Forecaster, Grid, QuantileFit, QuantileModel, Quantiles
from cloud.analysis.load_series import DAY, HISTORY_NEEDED, NAMES, features, targets
from cloud.analysis.series import scales
from cloud.analysis.statistics import Floats
from cloud.domain.forecast import LEVELS

LEAST_MINUTES_TO_LEARN = 14 * DAY
_MOST_ROWS = 12_000
_LEAST_ROWS = 500
_NAIVE_FEATURES = ("lag_1440", "hour_of_day")


@dataclass(frozen=True, slots=True)
class LoadForecaster:
    """What foretells one service one horizon ahead, in minutes; without a model it is seasonal-naive."""

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

    def foretell(self, base: Floats, online: Floats, *, start: int) -> Quantiles:
        """Return quantiles (1, 5), in order and never negative, of `horizon` minutes after the last; NaN if unknown."""
        origin = np.array([len(base)])
        if self.model is None:
            found = Forecaster(self.horizon, None).foretell(Grid(base, DAY), origin)
            return Quantiles(np.maximum(found.quantiles, 0.0), found.scale)
        rows = features(base, online, origin, self.horizon, start=start)
        scale = scales(base, origin, day=DAY)
        if not (np.isfinite(rows).all() and np.isfinite(scale).all()):
            return Forecaster(self.horizon, None).foretell(Grid(base, DAY), origin)
        told = base[origin - 1][:, None] + self.model.predict(rows) * scale[:, None]
        return Quantiles(np.maximum(np.sort(told, axis=1), 0.0), scale)


def learn(
    base: Floats, online: Floats, horizon: int, fit: QuantileFit, *, start: int, marked: NDArray[np.bool_]
) -> LoadForecaster:
    """Return a forecaster; marked: (m,), minutes of events that nothing is learned from."""
    origins = np.arange(HISTORY_NEEDED, len(base) - horizon + 1)
    if len(base) < LEAST_MINUTES_TO_LEARN or len(origins) < _LEAST_ROWS:
        return LoadForecaster(horizon, None)
    origins = origins[~(marked[origins - 1] | marked[origins + horizon - 1])]
    origins = origins[:: max(1, -(-len(origins) // _MOST_ROWS))]
    rows = features(base, online, origins, horizon, start=start)
    target = targets(base, origins, horizon)
    known = np.isfinite(rows).all(axis=1) & np.isfinite(target)
    if int(known.sum()) < _LEAST_ROWS:
        return LoadForecaster(horizon, None)
    return LoadForecaster(horizon, fit(rows[known], target[known]))


def in_order(quantiles: Floats) -> Floats:
    """Return quantiles (5,) in order and never negative, as they are published."""
    assert quantiles.shape == (len(LEVELS),)  # noqa: S101 - a fault of ours, not of anybody's data
    return np.sort(np.maximum(quantiles, 0.0))
