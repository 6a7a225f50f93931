"""How much a mean of readings that follow one another really tells: the long-run variance of a series.

An autoregression is fitted by Levinson's recursion, its order chosen by AIC up to 10 log10(n). The sum of its
coefficients, which a fitted mean pulls down, is corrected (Kendall 1954). For a first-order series the effective number
of readings is n (1 - r) / (1 + r). Where many blocks as long as the newest readings fit into the baseline, the spread
of their means (the moving block bootstrap in closed form, Kuensch 1989) is asked too: it sees cycles and slow waves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.statistics import Floats

_LARGEST_SUM = 0.999
_LAGS_OF_ACF = 4096
_LEAST_BLOCKS = 8
_BLOCKS_CONTRADICT = 1.65
"""Blocks overrule the autoregression where their variance exceeds it by so many of its own standard errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """How a series remembers: variance, long-run variance (of n times the mean), and the autoregression behind it.

    correlation: of neighbouring values; share: how many independent values one value is worth, at most 1.
    """

    variance: float
    long_run: float
    coefficients: Floats
    count: int

    @property
    def share(self) -> float:
        """Return the part of n that is effective."""
        return min(1.0, self.variance / self.long_run) if self.long_run > 0 else 1.0

    @property
    def freedom(self) -> float:
        """Return the degrees of freedom of the long-run variance.

        The relative error of s^2 / (1 - a)^2 is 2 sd(a) / (1 - a), where sd(a)^2 = (1 - a^2) / n.
        """
        return max(1.0, self.count * self.share / 2.0)


def remember(parts: Sequence[Floats]) -> Memory:
    """Return the memory of a series seen in parts that may differ in their level; each of shape (n_i,)."""
    count = sum(map(len, parts))
    lags = max(1, min(round(10 * np.log10(count)), min(map(len, parts)) // 4))
    covariance = sum((_covariance(part, lags) * (len(part) / count) for part in parts), np.zeros(lags + 1))
    variance = float(covariance[0])
    if variance <= 0:
        return Memory(0.0, 0.0, np.zeros(0), count)
    coefficients, noise = _autoregression(covariance, count)
    total = float(coefficients.sum())
    if len(coefficients):
        total = min(total + (1 + 3 * total) * len(parts) / count, max(total, _LARGEST_SUM))
    return Memory(variance, noise / (1 - total) ** 2, _rescaled(coefficients, total), count)


def correlations(memory: Memory) -> Floats:
    """Return the autocorrelations that a fitted autoregression implies, from lag 1 until they have faded."""
    order = len(memory.coefficients)
    if not order:
        return np.zeros(0)
    size = 2 * _LAGS_OF_ACF
    spectrum = np.abs(np.fft.rfft(np.concatenate(([1.0], -memory.coefficients)), size)) ** -2.0
    found = np.fft.irfft(spectrum, size)
    return np.asarray(found[1:_LAGS_OF_ACF] / found[0], np.float64)


def block_variance(values: Floats, size: int) -> tuple[float, float] | None:
    """Return the variance of means of blocks of `size`, with its degrees of freedom; None for too few blocks."""
    blocks = len(values) // size
    if blocks < _LEAST_BLOCKS:
        return None
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means = (sums[size:] - sums[:-size]) / size
    # The overall mean follows the blocks: it takes size / n of their variance away.
    return float(means.var() / (1 - size / len(values))), 1.5 * blocks - 1


def mean_error(memory: Memory, values: Floats, recent: int) -> tuple[float, float]:
    """Return the variance of (mean of `recent` new values - mean of the baseline's), and its degrees of freedom."""
    share = 1 / recent + 1 / len(values)
    variance, freedom = memory.long_run * share, memory.freedom
    blocks = block_variance(values, recent)
    if blocks is None:
        return variance, freedom
    of_blocks = blocks[0] * recent * share
    if of_blocks > variance * (1 + _BLOCKS_CONTRADICT * np.sqrt(2 / blocks[1])):
        return of_blocks, blocks[1]
    return variance, freedom


def _covariance(values: Floats, lags: int) -> Floats:
    centred = values - values.mean()
    size = len(centred)
    products = [float(centred[: size - lag] @ centred[lag:]) for lag in range(lags + 1)]
    return np.asarray(products, np.float64) / size


def _autoregression(covariance: Floats, count: int) -> tuple[Floats, float]:
    found, noise = np.zeros(0), float(covariance[0])
    best = (count * np.log(noise), found, noise)
    floor = noise * 1e-12
    for order in range(1, len(covariance)):
        reflection = float(covariance[order] - found @ covariance[order - 1 : 0 : -1]) / noise
        found = np.append(found - reflection * found[::-1], reflection)
        noise = max(noise * (1 - reflection**2), floor)
        criterion = count * np.log(noise) + 2 * order
        if criterion < best[0]:
            best = (criterion, found, noise)
    return best[1], best[2]


def _rescaled(coefficients: Floats, total: float) -> Floats:
    # Only a little is ever added, to the first coefficient, where the bias of a persistent series lies.
    if not len(coefficients):
        return coefficients
    moved = coefficients.copy()
    moved[0] += total - coefficients.sum()
    return moved
