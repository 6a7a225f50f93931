"""The conformal correction of quantiles: what recently matured forecasts say of how far each quantile was off.

A quantile tracker for each horizon and level: after every matured forecast the shift moves by a small step so that the
actual value lies below the quantile as often as it should. The share converges whatever the series does; no later
value has a part in an earlier correction. Angelopoulos, Candes, Tibshirani, Conformal PID Control, 2023; Gibbs and
Candes, Adaptive Conformal Inference, 2021. The median is left as the model says: shifting it costs accuracy.
"""

from dataclasses import dataclass

import numpy as np

from cloud.analysis.forecasting import Quantiles
from cloud.analysis.statistics import Floats
from cloud.domain.forecast import LEVELS

STEP = 0.02
"""How far one forecast moves a shift, in units of the scatter of a day."""
MOST_MATURED = 3000
"""So many matured forecasts are looked at; older ones have no weight left."""
_LEVELS = np.array(LEVELS)
_IS_MIDDLE = _LEVELS == 0.5
_NEEDED = np.ceil(np.round(1 / np.minimum(_LEVELS, 1 - _LEVELS), 6)) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Shifts of each level, (5,), in units of scale; is_calibrated: whether every level had residuals enough."""

    shift: Floats
    is_calibrated: bool


def shifts(found: Quantiles, actual: Floats) -> Floats:
    """Return the shifts after each matured forecast, in order of time: (n + 1, 5), the first before any of them."""
    score = (actual[:, None] - found.quantiles) / found.scale[:, None]
    moves = np.zeros((len(score) + 1, len(LEVELS)))
    current = np.zeros(len(LEVELS))
    for index, row in enumerate(score):
        if np.isfinite(row).all():
            current = current + STEP * np.where(_IS_MIDDLE, 0.0, _LEVELS - (row <= current))
        moves[index + 1] = current
    return moves


def correction(shift: Floats, matured: int, horizon: int) -> Correction:
    """Return what may be used of a shift that so many matured forecasts of so many steps ahead have made.

    Overlapping forecasts count once. A level without residuals enough is only ever widened, and called not calibrated.
    """
    enough = matured // max(1, horizon) >= _NEEDED
    outward = np.where(_LEVELS < 0.5, np.minimum(shift, 0.0), np.maximum(shift, 0.0))
    return Correction(np.where(enough, shift, outward), bool(enough.all()))


def corrected(found: Quantiles, shift: Floats) -> Floats:
    """Return quantiles moved by shifts, (5,) or (n, 5), in order again: (n, 5).

    Outer levels never cross the median, which stays where it was.
    """
    moved = found.quantiles + shift * found.scale[:, None]
    middle = found.quantiles[:, _IS_MIDDLE]
    kept = np.where(_LEVELS < 0.5, np.minimum(moved, middle), np.maximum(moved, middle))
    return np.asarray(np.sort(kept, axis=1), np.float64)
