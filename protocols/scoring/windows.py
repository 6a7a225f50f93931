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
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=sums[1:])
    means = np.empty((len(rows) - longest + 1, len(spans), rows.shape[1]))
    for i, span in enumerate(spans):
        np.subtract(sums[longest:], sums[longest - span : -span], out=means[:, i])
        means[:, i] /= span
    return means


class Window:
    """The last rows of a stream, as many as the longest span needs; rows come in any number at once."""

    def __init__(self, spans: Sequence[int], n_channels: int) -> None:
        self._spans = tuple(spans)
        self._longest = max(spans)
        self._rows = np.empty((0, n_channels))
        self._weights = np.zeros((len(self._spans), self._longest))
        for weights, span in zip(self._weights, self._spans, strict=True):
            weights[-span:] = 1 / span

    def clear(self) -> None:
        """Forget every row."""
        self._rows = self._rows[:0]

    def means(self, rows: Floats) -> Floats:
        """Return the trailing means (k, spans, channels) of these rows (m, channels): of the last k, once filled."""
        seen = np.concatenate((self._rows, rows))
        self._rows = seen[max(len(seen) - self._longest + 1, 0) :]
        if len(seen) == self._longest:
            return np.asarray(self._weights @ seen)[None]
        if len(seen) < self._longest:
            return np.empty((0, len(self._spans), rows.shape[1]))
        return trailing_means(seen, self._spans)
