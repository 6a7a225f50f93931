"""Features: what a network is fed with, from rows; scaled, made independent, and brought into the int8 range."""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.context import ContextStream
from protocols.scoring.model import Scoring
from protocols.scoring.whitening import RANGE_SIGMAS, spread_of, typical

Floats = NDArray[np.float64]
MAX_MOVE = 1.0
"""How far the center may ever move, in deviations of single rows along each axis: slow wear is hidden up to there."""


class Features:
    """Rows of one Scoring -> features. shift (channels,): how far the center has moved, in widths.

    width: of a row with its context.
    """

    def __init__(self, scoring: Scoring) -> None:
        n, n_spans = len(scoring.channels), len(scoring.spans)
        self._center = np.asarray(scoring.center)
        self._width = np.asarray(scoring.width)
        self._is_linear = bool(scoring.axes)
        self._axes = np.asarray(scoring.axes).reshape(n, -1) if scoring.axes else np.eye(n)
        self._context = ContextStream(scoring.context) if scoring.context else None
        self.width = self._axes.shape[1]
        units = typical(spread_of(scoring)).ravel() if scoring.axes else np.ones(n_spans)
        matrix = np.zeros((n_spans, self.width, n_spans, n))
        for i, unit in enumerate(units):
            matrix[i, :, i] = self._axes.T / unit
        self._matrix = matrix.reshape(n_spans * self.width, n_spans * n)
        self._n_spans = n_spans
        self.shift = np.zeros(n)
        self._offset = np.zeros(n_spans * n)

    def scaled(self, rows: Floats) -> Floats:
        """Return rows (m, channels) about the fitted center, in widths."""
        return np.asarray((rows - self._center) / self._width)

    def extended(self, scaled: Floats) -> Floats:
        """Return the last k of scaled rows (m, channels) with their context, (k, width): all but while it fills."""
        return scaled if self._context is None else self._context.extended(scaled)

    def clear(self) -> None:
        """Forget every row."""
        if self._context is not None:
            self._context.clear()

    def move(self, step: Floats) -> None:
        """Move the center by a step (channels,) in widths, no further than MAX_MOVE from where it was fitted."""
        moved = self.shift + step
        own = np.zeros(self.width)
        own[: len(moved)] = moved
        length = float(np.abs(self._axes @ own).max())
        self.shift = moved * min(1.0, MAX_MOVE / max(length, 1e-12))
        own[: len(moved)] = self.shift
        self._offset = np.tile(own, self._n_spans) @ self._matrix

    def of(self, means: Floats) -> tuple[NDArray[np.float32], Floats | None]:
        """Return features (m, spans * channels) of trailing means (m, spans, width), and what outputs are times.

        A row beyond the int8 range is shrunk into it as a whole, so that it points where it pointed: (m, 1), or None
        where no row is, or the network is not linear and must see rows as they are.
        """
        features = means.reshape(len(means), len(self._matrix)) @ self._matrix
        features -= self._offset
        if self._is_linear and self._is_any_long(features):
            squares = np.square(features).reshape(len(means), self._n_spans, -1).sum(axis=2)
            lengths = np.maximum(np.sqrt(squares.max(axis=1)) / RANGE_SIGMAS, 1.0)[:, None]
            return (features / lengths).astype(np.float32), lengths
        return features.astype(np.float32), None

    def _is_any_long(self, features: Floats) -> bool:
        """Return whether a row may be longer than the range: the cheap answer for the many rows that are not."""
        flat = features.ravel()
        return float(flat @ flat) > RANGE_SIGMAS**2
