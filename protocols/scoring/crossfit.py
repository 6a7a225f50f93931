"""What rows look like to a model that did not learn from them: blocks in order of time, with a guard around each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.evidence import TINY, independent_rows, surprises
from protocols.scoring.whitening import residuals_of, shrunk_covariance
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True)
class CrossFit:
    """Residuals of held-out rows, judged.

    spread (spans, channels): their deviation; residuals (n, spans, channels), and deviations: the same by a spread
    without their own block.
    """

    spread: Floats
    residuals: Floats
    deviations: Floats

    @cached_property
    def dof(self) -> Floats:
        """Return how many independent rows each deviation (spans, channels) is worth."""
        return independent_rows(self.residuals.reshape(len(self.residuals), -1)).reshape(self.spread.shape)

    @property
    def surprises(self) -> Floats:
        """Return the largest surprise of each row (n,)."""
        return np.asarray(surprises(self.deviations, self.dof).max(axis=(1, 2)))

    def raw(self, limits: Floats) -> Floats:
        """Return log of how many times its limit (spans, channels), squared, each row's worst residual is (n,)."""
        return np.asarray(2 * np.log(np.abs(self.deviations / limits).max(axis=(1, 2)) + TINY))


def cross_fit(rows: Floats, spans: Sequence[int], n_channels: int | None = None, memory: int = 0) -> CrossFit:
    """Return how scaled rows of n channels, extended (n, p), look from outside: each block by a fit of the others.

    The guard of the longest span, and of the memory that the rows have, keeps out what shares a window with the block.
    """
    longest = max(spans)
    guard = longest + memory
    blocks = []
    for first, last in pairwise(np.linspace(0, len(rows), FOLDS + 1).astype(int)):
        others = np.concatenate([rows[: max(first - guard, 0)], rows[last + guard :]])
        center = others.mean(axis=0)
        matrix = residuals_of(shrunk_covariance(others - center), n_channels)
        seen = rows[max(first - longest + 1, 0) : last] - center
        blocks.append(trailing_means(seen, spans) @ matrix.T)
    everything = np.concatenate(blocks)
    squares = np.array([np.square(block).sum(axis=0) for block in blocks])
    n_rows = np.array([len(block) for block in blocks])
    deviations = []
    for i, block in enumerate(blocks):
        is_other = np.arange(FOLDS) != i
        deviations.append(block / _deviation(squares[is_other], n_rows[is_other]))
    return CrossFit(_deviation(squares, n_rows), everything, np.concatenate(deviations))


def _deviation(squares: Floats, n_rows: NDArray[np.int_]) -> Floats:
    """Return the root mean square (spans, channels) of blocks, by their sums of squares and their rows; never zero."""
    return np.asarray(np.sqrt(squares.sum(axis=0) / n_rows.sum()) + 1e-6)
