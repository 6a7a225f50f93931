"""How good matured forecasts were: errors, shares within their quantiles, and the confidence they earn; never NaN."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.statistics import Floats
from cloud.domain.forecast import LEVELS, Forecast

FLOOR = 1e-9
"""Actual values nearer to zero than this, or than a thousandth of their mean size, stay out of shares of themselves."""
_RELATIVE_FLOOR = 1e-3
LEAST_FOR_CONFIDENCE = 30
NEWEST_FOR_CONFIDENCE = 100


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Figures of `count` matured forecasts; None where nothing can be said.

    mape, wape in percent; r2 is None where the actual values do not vary; coverage: by level, the share of actual
    values at or below that quantile.
    """

    count: int
    mae: float | None = None
    rmse: float | None = None
    mape: float | None = None
    wape: float | None = None
    r2: float | None = None
    coverage: Mapping[float, float] | None = None


def measure(forecasts: Sequence[Forecast]) -> Accuracy:
    """Return the figures of forecasts; those without an actual value do not count."""
    matured = [one for one in forecasts if one.actual is not None]
    if not matured:
        return Accuracy(0)
    actual = np.array([one.actual for one in matured], np.float64)
    return measure_columns(np.array([one.quantiles for one in matured]), actual)


def measure_columns(quantiles: Floats, actual: Floats) -> Accuracy:
    """Return the figures of quantiles (n, 5) against actual values (n,), n >= 1, all finite."""
    error = quantiles[:, LEVELS.index(0.5)] - actual
    size = np.abs(actual)
    counts = size > max(FLOOR, _RELATIVE_FLOOR * float(size.mean()))
    spread = float(((actual - actual.mean()) ** 2).sum())
    total = float(size.sum())
    return Accuracy(
        count=len(actual),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        mape=float((np.abs(error[counts]) / size[counts]).mean() * 100) if counts.any() else None,
        wape=float(np.abs(error).sum() / total * 100) if total > FLOOR else None,
        r2=1 - float((error**2).sum()) / spread if spread > FLOOR else None,
        coverage={level: float((actual <= quantiles[:, index]).mean()) for index, level in enumerate(LEVELS)},
    )


def confidence(forecasts: Sequence[Forecast]) -> float | None:
    """Return clip(1 - WAPE) clip(1 - |share below p90 - 0.9| / 0.4) of the newest hundred; None below thirty."""
    found = measure(forecasts[-NEWEST_FOR_CONFIDENCE:])
    if found.count < LEAST_FOR_CONFIDENCE or found.wape is None or found.coverage is None:
        return None
    of_errors = float(np.clip(1 - found.wape / 100, 0, 1))
    return of_errors * float(np.clip(1 - abs(found.coverage[0.9] - 0.9) / 0.4, 0, 1))


def error_percentage(forecast: Forecast) -> float | None:
    """Return how far the median was off, in percent of the actual value; None where that is unknown or near zero."""
    if forecast.actual is None or abs(forecast.actual) <= FLOOR:
        return None
    return abs(forecast.median - forecast.actual) / abs(forecast.actual) * 100
