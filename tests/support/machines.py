"""Rows of healthy machines as numbers: independent, or with memory, from one seed."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SETTLED = 100


def remembering(seed: int, rows: int, channels: int, *, memory: float = 0.9) -> Floats:
    """Return AR(1) rows of unit deviation, shape (rows, channels)."""
    fresh = np.random.default_rng(seed).normal(size=(rows + SETTLED, channels)) * np.sqrt(1 - memory**2)
    for i in range(1, len(fresh)):
        fresh[i] += memory * fresh[i - 1]
    return np.asarray(fresh[SETTLED:])


def related(seed: int, rows: int, channels: int = 6) -> Floats:
    """Return rows of channels that follow one load, each in its own way, with noise of a tenth of that."""
    random = np.random.default_rng(seed)
    gains = random.uniform(0.5, 2, channels) * random.choice([-1, 1], channels)
    load = remembering(seed + 1, rows, 1, memory=0.95)
    return np.asarray(load * gains + 0.1 * random.normal(size=(rows, channels)) + random.uniform(-5, 5, channels))
