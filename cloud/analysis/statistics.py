"""Distributions and tests from SciPy: the only file of the cloud that imports it.

Imported when something is asked of it: it costs a third of a second and 40 MiB, in processes that may never be asked.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _special() -> Any:  # noqa: ANN401 - SciPy has no types
    from scipy import special  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    return special


def two_sample_ks(first: Floats, second: Floats) -> tuple[float, float]:
    """Return statistic and p-value of the two-sided Kolmogorov-Smirnov test; exact for small samples."""
    from scipy.stats import ks_2samp  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    with warnings.catch_warnings():
        # It says so where ties make it fall back to the limit law, which is what it then returns.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ks_2samp(first, second)
    return float(found.statistic), float(found.pvalue)


def kolmogorov_tail(distance: float, effective: float) -> float:
    """Return the chance of a two-sample distance this large; effective: n m / (n + m) of independent readings.

    Stephens (1970): the factor that makes the limit law good for small samples.
    """
    root = float(np.sqrt(effective))
    return float(_special().kolmogorov((root + 0.12 + 0.11 / root) * distance))


def normal_score(share: Floats) -> Floats:
    """Return the standard normal quantiles of shares between 0 and 1."""
    return np.asarray(_special().ndtri(share), np.float64)


def student_two_sided(statistic: float, freedom: float) -> float:
    """Return the chance that Student's t with so many degrees of freedom is this far from zero."""
    return float(2.0 * _special().stdtr(freedom, -abs(statistic)))


def log_normal_below(values: Floats) -> Floats:
    """Return log(Phi(x)), exact far in the tail."""
    return np.asarray(_special().log_ndtr(values), np.float64)


def isotonic(values: Floats, weights: Floats) -> Floats:
    """Return the never falling values nearest to these in weighted squares (pool adjacent violators)."""
    from scipy import optimize  # noqa: PLC0415 - see above

    return np.asarray(optimize.isotonic_regression(values, weights=weights).x, np.float64)
