"""Trailing means: what a row looks like over its last few rows, never over the next."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def trailing_means(rows: Floats, spans: Sequence[int]) -> Floats:
    """Return the means over the last `span` rows, shape (n - longest + 1, spans, channels), of rows (n, channels).

    The first one is of the first row that has a full window of every span.
    """
    longest = max(spans)
    n_means = len(rows) - longest + 1
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=sums[1:])
    means = np.empty((n_means, len(spans), rows.shape[1]))
    for i, span in enumerate(spans):
        np.subtract(sums[longest:], sums[longest - span : -span], out=means[:, i])
        means[:, i] /= span
    return means
