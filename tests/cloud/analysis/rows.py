"""Rows of processes whose memory is known."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def autoregressive(generator: np.random.Generator, n: int, r: float) -> Floats:
    """Return rows of a first-order autoregression, marginal standard deviation 1, (n,)."""
    size = n + 500
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    noise = generator.standard_normal(size) * np.sqrt(1 - r**2)
    return np.asarray(np.fft.irfft(np.fft.rfft(noise) / (1 - r * turns), size)[:n], np.float64)


def daily(n: int, *, steps: int = 24) -> Floats:
    """Return a cycle of one day, amplitude 1."""
    return np.asarray(np.sin(2 * np.pi * np.arange(n) / steps), np.float64)
