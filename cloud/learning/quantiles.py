"""Quantile trees for forecasts: what analysis is given to learn with, so that it need not know who grows trees."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.domain.forecast import LEVELS
from cloud.learning.boosting import Growth, Objective, Trees, grow_quantiles, rising_quantiles
from cloud.learning.table import Floats

_GROWTH = Growth(
    Objective.QUANTILE, trees=100, learning_rate=0.04, leaves=15, min_rows_a_leaf=60, column_share=0.5, row_share=0.7
)
"""Few small trees: changes of a series are mostly noise."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class QuantileTrees:
    """One booster a level."""

    models: Sequence[Trees]

    def predict(self, rows: Floats) -> Floats:
        """Return the quantiles of LEVELS for rows (n, k), shape (n, 5), never falling."""
        return rising_quantiles(self.models, rows)


def fit_quantiles(rows: Floats, target: Floats) -> QuantileTrees:
    """Return quantiles of target (n,) learned from rows (n, k)."""
    return QuantileTrees(grow_quantiles(rows, target, LEVELS, _GROWTH, seed=_SEED))
