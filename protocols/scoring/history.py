"""History: the last rows of a stream, and what the windows over them come to: one row at a time, or many at once.

Trailing means, and means of those, are linear in the rows that they look back over. So one row costs one product of
those rows with a kernel that was made once; many rows at once take their means by running sums instead. Both give the
same to rounding.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.context import extended, longest
from protocols.scoring.model import Scoring
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]


class History:
    """Rows of one Scoring, scaled, with the load and its square where the model has a context.

    matrix (spans * width, outputs): what trailing means of extended rows are multiplied with; width: of such a row.
    """

    def __init__(self, scoring: Scoring, matrix: Floats) -> None:
        context = scoring.context
        self._n = len(scoring.channels)
        self._spans = scoring.spans
        self._memory = context.memory if context else ()
        self._load = np.asarray(context.load) if context else None
        self._matrix = matrix
        self._length = max(scoring.spans) + longest(self._memory) - 1
        self._kernel = self._make_kernel()
        self._ring = np.zeros((2 * self._length, self._n + (2 if context else 0)))
        self._at = self._filled = 0

    def clear(self) -> None:
        """Forget every row."""
        self._at = self._filled = 0

    def take(self, scaled: Floats) -> Floats:
        """Return what the windows come to, shape (k, outputs): at the last k of these rows (m, channels), once full."""
        if len(scaled) == 1:
            return self._take_one(scaled[0])
        rows = self._with_load(scaled)
        kept = self._ring[self._at : self._at + self._length][self._length - min(self._filled, self._length - 1) :]
        seen = np.concatenate((kept, rows))
        self._keep(seen[-self._length :])
        if len(seen) < self._length:
            return np.empty((0, self._matrix.shape[1]))
        means = trailing_means(extended(seen, self._n, self._memory) if self._load is not None else seen, self._spans)
        return np.asarray(means.reshape(len(means), -1) @ self._matrix)

    def _take_one(self, scaled: Floats) -> Floats:
        at, length = self._at, self._length
        ring = self._ring
        if self._load is None:
            ring[at] = ring[at + length] = scaled
        else:
            level = float(scaled @ self._load)
            ring[at, : self._n] = ring[at + length, : self._n] = scaled
            ring[at, self._n :] = ring[at + length, self._n :] = (level, level * level)
        self._at = at = (at + 1) % length
        self._filled = min(self._filled + 1, length)
        if self._filled < length:
            return np.empty((0, self._matrix.shape[1]))
        return (ring[at : at + length].ravel() @ self._kernel)[None]

    def _with_load(self, scaled: Floats) -> Floats:
        if self._load is None:
            return scaled
        level = scaled @ self._load
        return np.concatenate((scaled, level[:, None], (level**2)[:, None]), axis=1)

    def _keep(self, rows: Floats) -> None:
        """Keep these rows, the last ones, oldest first, so that the next one goes where the oldest is."""
        n = len(rows)
        for begin in (self._length - n, 2 * self._length - n):
            self._ring[begin : begin + n] = rows
        self._at, self._filled = 0, n

    def _make_kernel(self) -> Floats:
        """Return the kernel (length * columns, outputs): the answer to one row of each kind at each place."""
        n, width = self._n, len(self._matrix) // len(self._spans)
        columns = n + (2 if self._load is not None else 0)
        kernel = np.zeros((self._length, columns, len(self._spans), width))
        for i, span in enumerate(self._spans):
            mean = np.full(span, 1 / span)
            kernel[self._length - span :, np.arange(n), i, np.arange(n)] = 1 / span
            if self._load is not None:
                kernel[self._length - span :, n + 1, i, n] = 1 / span
            for j, spread in enumerate(self._memory):
                both = np.convolve(mean, np.full(spread, 1 / spread))
                for k in (0, 1):
                    kernel[self._length - len(both) :, n + k, i, n + 1 + 2 * j + k] = both
        return kernel.reshape(self._length * columns, -1) @ self._matrix
