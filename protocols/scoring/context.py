"""Context: the load that a machine is under, as far as its own channels tell: its square, and what it was before.

Channels of one machine follow one load, each in its own way: some with its square, some late. What the load explains is
no fault, so residuals are taken after it too. The load is the first principal axis of the scaled channels; a fault of
one channel moves it little. A row is extended by its square and, by span of the memory, the means of it and its square.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Context, Scoring
from protocols.scoring.windows import Window, trailing_means

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
    loads = np.column_stack((level, level**2))
    kept = loads[longest(memory) - 1 :]
    parts = [scaled[longest(memory) - 1 :], kept[:, 1:]]
    if memory:
        parts.append(trailing_means(loads, memory).reshape(len(kept), -1))
    return np.concatenate(parts, axis=1)


class ContextStream:
    """Extends rows as they come; says nothing until its memory is full."""

    def __init__(self, context: Context) -> None:
        self._load = np.asarray(context.load)
        self._center = np.asarray(context.center)
        self._window = Window(context.memory, 2) if context.memory else None
        self._n_means = 2 * len(context.memory)

    def clear(self) -> None:
        """Forget every row."""
        if self._window is not None:
            self._window.clear()

    def extended(self, scaled: Floats) -> Floats:
        """Return the last k of scaled rows (m, channels) with their context, shape (k, channels + context)."""
        level = scaled @ self._load
        loads = np.column_stack((level, level**2))
        context = loads[:, 1:]
        if self._window is not None:
            means = self._window.means(loads)
            known = len(loads) - len(means)
            context = np.concatenate((context[known:], means.reshape(len(means), self._n_means)), axis=1)
        return np.concatenate((scaled[len(scaled) - len(context) :], context - self._center), axis=1)
