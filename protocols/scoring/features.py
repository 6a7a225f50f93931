"""Features: what a network is fed with, from rows; scaled, made independent, and brought into the int8 range."""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Scoring
from protocols.scoring.whitening import RANGE_SIGMAS, spread_of, typical

Floats = NDArray[np.float64]
MAX_MOVE = 1.0
"""How far the center may ever move, in deviations of single rows along each axis: slow wear is hidden up to there."""


class Features:
    """Rows of one Scoring -> features. shift (channels,): how far the center has moved, in widths."""

    def __init__(self, scoring: Scoring) -> None:
        n = len(scoring.channels)
        self._center = np.asarray(scoring.center)
        self._width = np.asarray(scoring.width)
        self._axes = np.asarray(scoring.axes).reshape(n, n) if scoring.axes else np.eye(n)
        self._is_linear = bool(scoring.axes)
        unit = typical(spread_of(scoring)) if scoring.axes else np.ones((len(scoring.spans), 1))
        self._to_features = np.stack([self._axes.T / each for each in unit])
        self.shift = np.zeros(n)

    def scaled(self, rows: Floats) -> Floats:
        """Return rows (m, channels) about the fitted center, in widths."""
        return np.asarray((rows - self._center) / self._width)

    def move(self, step: Floats) -> None:
        """Move the center by a step (channels,) in widths, no further than MAX_MOVE from where it was fitted."""
        moved = self.shift + step
        length = float(np.abs(self._axes @ moved).max())
        self.shift = moved * min(1.0, MAX_MOVE / max(length, 1e-12))

    def of(self, means: Floats) -> tuple[NDArray[np.float32], Floats | None]:
        """Return features (m, spans * channels) of trailing means (m, spans, channels), and what outputs are times.

        A row beyond the int8 range is shrunk into it as a whole, so that it points where it pointed: (m, 1), or None
        where no row is, or the network is not linear and must see rows as they are.
        """
        moved = means - self.shift
        by_span = np.matmul(moved.transpose(1, 0, 2), self._to_features)
        if not self._is_linear:
            return _flat(by_span), None
        lengths = np.sqrt(np.einsum("smc,smc->sm", by_span, by_span).max(axis=0)) / RANGE_SIGMAS
        if not (lengths > 1.0).any():
            return _flat(by_span), None
        lengths = np.maximum(lengths, 1.0)[:, None]
        return _flat(by_span / lengths), lengths


def _flat(by_span: Floats) -> NDArray[np.float32]:
    n_spans, m, n = by_span.shape
    return by_span.transpose(1, 0, 2).reshape(m, n_spans * n).astype(np.float32)
