"""Efficiency: how much of its running time a Device spends where it usually works, regime by regime; pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.statistics import Floats

LEAST_CELLS = 144
"""A day of ten minutes each: fewer of a regime teach nothing."""
STOPPED = -1
_LOW, _HIGH = 10.0, 90.0


@dataclass(frozen=True, slots=True)
class UsualBand:
    """Where the middle four fifths of a regime's values lay, and what share of them that was: ties make it more."""

    low: float
    high: float
    share: float


def regimes(tag: Floats, above: float, steps: tuple[float, ...]) -> NDArray[np.int64]:
    """Return for each value (n,) of the running Tag its regime from 0, STOPPED up to `above` or where it is NaN."""
    found = np.digitize(tag, (above, *steps), right=True) - 1
    return np.where(np.isfinite(tag), found, STOPPED)


def learn_bands(values: Floats, regime: NDArray[np.int64]) -> dict[int, UsualBand]:
    """Return the band of each regime that was seen long enough in values (n,)."""
    bands = {}
    for number in np.unique(regime[(regime != STOPPED) & np.isfinite(values)]).tolist():
        own = values[(regime == number) & np.isfinite(values)]
        if len(own) < LEAST_CELLS:
            continue
        low, high = np.percentile(own, (_LOW, _HIGH))
        bands[number] = UsualBand(float(low), float(high), float(((own >= low) & (own <= high)).mean()))
    return bands


def efficiency(values: Floats, regime: NDArray[np.int64], bands: dict[int, UsualBand]) -> float | None:
    """Return min(1, time inside the bands / the time that was learned to be inside); None without running time."""
    inside, expected = 0.0, 0.0
    for number, band in bands.items():
        own = values[(regime == number) & np.isfinite(values)]
        inside += float(((own >= band.low) & (own <= band.high)).sum())
        expected += band.share * len(own)
    return min(1.0, inside / expected) if expected > 0 else None
