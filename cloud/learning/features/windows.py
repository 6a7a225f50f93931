"""Windows: trailing means and slopes of one machine's rows, fewer rows at its beginning, never a later one."""

import numpy as np

from cloud.learning.table import Floats

LEAST_ROWS_OF_A_SLOPE = 5
"""A line through fewer points says more about noise than about wear; until then the slope is 0."""


def trailing_mean(values: Floats, span: int) -> Floats:
    """Return the mean of each row and up to span - 1 before it, shape (n, n_columns)."""
    first = values[:1]
    total = np.concatenate([np.zeros_like(first), np.cumsum(values - first, axis=0)])
    upto = np.arange(1, len(values) + 1)
    begin = np.maximum(upto - span, 0)
    means: Floats = (total[upto] - total[begin]) / (upto - begin)[:, None] + first
    return means


def trailing_slope(values: Floats, span: int) -> Floats:
    """Return the least-squares slope a row over each row and up to span - 1 before it, shape (n, n_columns)."""
    at = np.arange(len(values), dtype=np.float64)[:, None]
    centred = values - values[:1]
    mean_at, mean = trailing_mean(at, span), trailing_mean(centred, span)
    together = trailing_mean(at * centred, span) - mean_at * mean
    spread = trailing_mean(at * at, span) - mean_at**2
    enough = np.minimum(np.arange(1, len(values) + 1), span)[:, None] >= min(LEAST_ROWS_OF_A_SLOPE, span)
    return np.where(enough, together / np.maximum(spread, 1e-12), 0.0)
