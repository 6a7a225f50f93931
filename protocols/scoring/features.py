"""Features: what a network is fed with, from rows; scaled, made independent, and brought into the int8 range."""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.context import moves_of
from protocols.scoring.history import History
from protocols.scoring.model import Scoring
from protocols.scoring.whitening import RANGE_SIGMAS, spread_of, typical

Floats = NDArray[np.float64]
MAX_MOVE = 1.0
"""How far the center may ever move, in deviations of single rows along each axis: slow wear is hidden up to there."""


class Features:
    """Rows of one Scoring -> features.

    shift: how far the center has moved, in widths, shape (channels,), and how far the mean square of the load has where
    there is a context: what the load explains is explained about the load as it is now.
    """

    def __init__(self, scoring: Scoring) -> None:
        n, n_spans = len(scoring.channels), len(scoring.spans)
        self._center = np.asarray(scoring.center)
        self._width = np.asarray(scoring.width)
        self._is_linear = bool(scoring.axes)
        self._axes = np.asarray(scoring.axes).reshape(n, -1) if scoring.axes else np.eye(n)
        self._row = self._axes.shape[1]
        units = typical(spread_of(scoring)).ravel() if scoring.axes else np.ones(n_spans)
        matrix = np.zeros((n_spans, self._row, n_spans, n))
        for i, unit in enumerate(units):
            matrix[i, :, i] = self._axes.T / unit
        self._matrix = matrix.reshape(n_spans * self._row, n_spans * n)
        self._history = History(scoring, self._matrix)
        self._n_spans = n_spans
        self._middle = np.zeros(self._row)
        self._moves = np.zeros((self._row, n))
        self._moves[:n] = np.eye(n)
        self._load: Floats | None = None
        if scoring.context:
            self._load = np.asarray(scoring.context.load)
            self._middle[n:] = scoring.context.center
            self._moves = moves_of(self._load, self._row)
        self.shift = np.zeros(self._moves.shape[1])
        self._fitted = np.concatenate((np.zeros(n), self._middle[n : n + len(self.shift) - n]))
        self._offset = np.tile(self._middle, n_spans) @ self._matrix

    def scaled(self, rows: Floats) -> Floats:
        """Return rows (m, channels) about the fitted center, in widths."""
        scaled: Floats = rows - self._center
        scaled /= self._width
        return scaled

    def windows(self, scaled: Floats) -> Floats:
        """Return what the windows come to at the last k of scaled rows (m, channels), once they are full.

        Shape (k, spans * channels); `of` makes features of it.
        """
        return self._history.take(scaled)

    def clear(self) -> None:
        """Forget every row."""
        self._history.clear()

    def sums(self, scaled: Floats) -> Floats:
        """Return the sum of scaled rows (m, channels), with that of the square of the load behind; as `shift` is."""
        total: Floats = scaled[0] if len(scaled) == 1 else scaled.sum(axis=0)
        if self._load is None:
            return total
        level = scaled @ self._load
        return np.asarray(np.append(total, level @ level))

    def move(self, mean: Floats, rate: float) -> None:
        """Move the center towards the mean of rows (shift,), no further than MAX_MOVE from where it was fitted."""
        moved = self.shift + rate * (mean - self._fitted - self.shift)
        length = float(np.abs(self._axes @ (self._moves @ moved)).max())
        self.shift = moved * min(1.0, MAX_MOVE / max(length, 1e-12))
        self._offset = np.tile(self._middle + self._moves @ self.shift, self._n_spans) @ self._matrix

    def of(self, windows: Floats) -> tuple[NDArray[np.float32], Floats | None]:
        """Return features (m, spans * channels) about the center as it is now, and what outputs are times.

        A row beyond the int8 range is shrunk into it as a whole, so that it points where it pointed: (m, 1), or None
        where no row is, or the network is not linear and must see rows as they are.
        """
        features = windows - self._offset
        if self._is_linear and self._is_any_long(features):
            squares = np.square(features).reshape(len(features), self._n_spans, -1).sum(axis=2)
            lengths = np.maximum(np.sqrt(squares.max(axis=1)) / RANGE_SIGMAS, 1.0)[:, None]
            return (features / lengths).astype(np.float32), lengths
        return features.astype(np.float32), None

    def _is_any_long(self, features: Floats) -> bool:
        """Return whether a row may be longer than the range: the cheap answer for the many rows that are not."""
        flat = features.ravel()
        return float(flat @ flat) > RANGE_SIGMAS**2
