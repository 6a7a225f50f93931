"""What each channel has that the others do not explain: the residuals that faults show in, and their network.

With Q the inverse of the covariance of rows, channel i's residual is (Q x)_i / sqrt(Q_ii): what is left of it after the
best linear guess from the others, of unit variance on rows like the learned ones (Whittaker 1990, section 5.8). A fault
of one channel is largest there by Cauchy's inequality, so the largest residual detects and explains at once; in
T-squared it is diluted by every channel that is well.

The covariance is that of single rows although trailing means are judged: their noise keeps directions that hardly vary
from being trusted beyond what rows can tell (a ridge of the right size). On trailing means the same recipe finds less
and alarms more where the load goes to places not seen while learning.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Scoring
from protocols.scoring.quantise import Layer, quantise_within
from protocols.scoring.tflite import write_tflite

Floats = NDArray[np.float64]
FLOOR = 1e-6
"""The least variance of an axis, as a share of the mean one: rounding, not knowledge, lies below."""
RANGE_SIGMAS = 24.0
"""How long a span's features may be before a row is scaled into the int8 range, and its outputs back."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """axes (n, p): rows of n channels, extended to p, to n independent ones; back (n, n): those to residuals.

    deviations (n,): of the residuals in units of the rows, where everything is known.
    """

    axes: Floats
    back: Floats
    deviations: Floats


def shrunk_covariance(rows: Floats) -> Floats:
    """Return the covariance of centered rows (n, channels), its correlations shrunk towards none.

    By how much says the analytic estimate of Schafer and Strimmer (2005): hardly for strong correlations.
    """
    n = len(rows)
    deviations = np.sqrt(np.mean(rows**2, axis=0)) + 1e-12
    scaled = rows / deviations
    correlation: Floats = scaled.T @ scaled / n
    variance = ((scaled**2).T @ scaled**2 / n - correlation**2) / n
    off = ~np.eye(len(correlation), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    intensity = min(1.0, float(variance[off].sum()) / total) if total > 0 else 1.0
    correlation[off] *= 1 - intensity
    return correlation * np.outer(deviations, deviations)


def whiten(covariance: Floats, n_channels: int | None = None) -> Whitening:
    """Return the residuals of the first n channels of rows with this covariance (p, p), in two steps."""
    residuals, deviations = _residuals(covariance, n_channels or len(covariance))
    values, vectors = np.linalg.eigh(residuals[:, : len(residuals)] * deviations)
    roots = np.sqrt(np.maximum(values, FLOOR))
    axes = (vectors / roots) @ vectors.T @ residuals
    return Whitening(axes=axes, back=(vectors * roots) @ vectors.T, deviations=deviations)


def residuals_of(covariance: Floats, n_channels: int | None = None) -> Floats:
    """Return the matrix (n, p) from rows with this covariance (p, p) to the residuals of their first n channels."""
    return _residuals(covariance, n_channels or len(covariance))[0]


def _residuals(covariance: Floats, n: int) -> tuple[Floats, Floats]:
    """Return the matrix (n, p) to residuals, and their deviations (n,) in units of the rows."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, FLOOR * values.mean())
    precision = (vectors[:n] / values) @ vectors.T
    deviations = 1.0 / np.sqrt(precision.diagonal())
    return precision * deviations[:, None], deviations


def whitening_of(scoring: Scoring) -> Whitening:
    """Return the whitening that a model was made of; it must have axes."""
    axes = np.asarray(scoring.axes).reshape(len(scoring.channels), -1)
    n = len(axes)
    # Residuals are of unit variance and those of other channels' own parts: back is the root of what axes leave to it.
    own = np.linalg.norm(axes[:, :n], axis=0)
    values, vectors = np.linalg.eigh(axes[:, :n].T @ axes[:, :n] / np.outer(own, own))
    roots = np.sqrt(np.maximum(values, FLOOR))
    return Whitening(axes, (vectors * roots) @ vectors.T, 1.0 / own)


def spread_of(scoring: Scoring) -> Floats:
    """Return the deviations of residuals by span and channel."""
    return np.asarray(scoring.spread).reshape(len(scoring.spans), len(scoring.channels))


def typical(spread: Floats) -> Floats:
    """Return the one deviation a span, shape (spans, 1), that features are counted in; spread (spans, channels)."""
    return np.median(spread, axis=1, keepdims=True)


def residual_layer(whitening: Whitening, spread: Floats) -> Layer:
    """Return the layer from features, span after span, to residuals in deviations; spread (spans, channels)."""
    n_spans, n = spread.shape
    weights = np.zeros((n_spans * n, n_spans * n))
    for i, scale in enumerate(typical(spread) / spread):
        weights[i * n : (i + 1) * n, i * n : (i + 1) * n] = whitening.back * scale[:, None]
    return Layer(weights, np.zeros(len(weights)))


def residual_network(whitening: Whitening, spread: Floats) -> bytes:
    """Return the int8 network from features to residuals; no row within RANGE_SIGMAS saturates it.

    The ill-conditioned step, that to independent axes, stays in floats: in eight bits it would lose the small
    differences between channels that move together, which is where faults show. What is left has rows of length one.
    """
    layer = residual_layer(whitening, spread)
    longest = float(np.sqrt((layer.weights**2).sum(axis=1)).max())
    return write_tflite(quantise_within([layer], [RANGE_SIGMAS, RANGE_SIGMAS * longest]))
