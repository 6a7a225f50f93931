"""How surprising a residual is, and where each channel's limit lies for all of them to be equally surprising.

A deviation learned from few independent rows is itself uncertain, so a residual of z deviations has the surprise of
Student's t with that many degrees of freedom, (dof + 1) log(1 + z^2 / dof): z^2 where much is known, and slowly growing
where a channel that drifts was seen drifting once or twice.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TINY = 1e-12
LEAST_DOF = 1.0


def surprises(residuals: Floats, dof: Floats) -> Floats:
    """Return the surprise of each residual, same shape."""
    return np.asarray((dof + 1.0) * np.log1p(np.square(residuals) / dof))


def limits_of(surprise: float, dof: Floats) -> Floats:
    """Return the residuals, in deviations, that have this surprise; same shape as dof."""
    return np.asarray(np.sqrt(dof * np.expm1(surprise / (dof + 1.0))))


def independent_rows(series: Floats) -> Floats:
    """Return how many independent rows each column (n, columns) is worth, less the one its center took; at least 1.

    n over the integrated autocorrelation time, summed up to the first negative value (Geyer 1992).
    """
    n = len(series)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(np.ascontiguousarray(series.T), size)
    correlation = np.fft.irfft((spectrum * spectrum.conj()).real)[:, :n]
    correlation /= np.maximum(correlation[:, :1], TINY)
    is_before = np.cumsum(correlation < 0, axis=1) == 0
    time = 2 * np.sum(correlation, axis=1, where=is_before) - 1
    return np.asarray(np.maximum(n / np.maximum(time, 1.0) - 1.0, LEAST_DOF))
