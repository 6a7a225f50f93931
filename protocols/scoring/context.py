"""Context: the load that a machine is under, as far as its own channels tell: its square, and what it was before.

Channels of one machine follow one load, each in its own way: some with its square, some late. What the load explains is
no fault, so residuals are taken after it too. The load is the first principal axis of the scaled channels; a fault of
one channel moves it little. A row is extended by its square and, by span of the memory, the means of it and its square.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Scoring
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]


def load_of(scaled: Floats) -> Floats:
    """Return the weights (channels,) of the load of scaled rows (n, channels): of unit variance on these rows."""
    values, vectors = np.linalg.eigh(np.cov(scaled, rowvar=False).reshape(scaled.shape[1], -1))
    axis = vectors[:, -1] * np.sign(vectors[np.abs(vectors[:, -1]).argmax(), -1])
    return np.asarray(axis / np.sqrt(max(float(values[-1]), 1e-12)))


def longest(memory: tuple[int, ...]) -> int:
    """Return how many rows a memory of these spans looks back, its own included."""
    return max(memory, default=1)


def memory_of(scoring: Scoring) -> int:
    """Return how many rows before the first that is extended a scorer needs."""
    return longest(scoring.context.memory) - 1 if scoring.context else 0


def extend(scaled: Floats, load: Floats, memory: tuple[int, ...]) -> Floats:
    """Return scaled rows (n, channels) with their context, shape (n - longest + 1, channels + context)."""
    level = scaled @ load
    return extended(np.column_stack((scaled, level, level**2)), scaled.shape[1], memory)


def extended(rows: Floats, n_channels: int, memory: tuple[int, ...]) -> Floats:
    """Return rows that end with the load and its square, with their context instead; see `extend`."""
    begin = longest(memory) - 1
    parts = [rows[begin:, :n_channels], rows[begin:, n_channels + 1 :]]
    if memory:
        parts.append(trailing_means(rows[:, n_channels:], memory).reshape(len(rows) - begin, -1))
    return np.concatenate(parts, axis=1)


def moves_of(load: Floats, n_columns: int) -> Floats:
    """Return how the means of extended rows move, shape (n_columns, channels + 1).

    Columns: what a move of each channel's mean by one moves, and one of the mean square of the load. The means over
    what was before move as those of now do: a memory is short against the time in which a center moves.
    """
    n = len(load)
    moves = np.zeros((n_columns, n + 1))
    moves[:n, :n] = np.eye(n)
    moves[n::2, n] = 1.0
    moves[n + 1 :: 2, :n] = load
    return moves
