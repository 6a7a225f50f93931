"""The share of anomalous rows of late: an exponentially weighted mean over time, half of it of the last six hours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_US = 6 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Burden:
    """Weighted counts of anomalous and of all rows as they are at upto_us, the time of the newest row among them."""

    anomalous: float = 0.0
    rows: float = 0.0
    upto_us: int = 0

    @property
    def share(self) -> float | None:
        """Return the share of anomalous rows, None where nothing was judged."""
        return self.anomalous / self.rows if self.rows > 0 else None

    def after(self, time_us: NDArray[np.int64], is_anomalous: NDArray[np.bool_]) -> "Burden":
        """Return the burden with the rows (n,) that are newer than all before, in order of time."""
        new = time_us > self.upto_us
        if not new.any():
            return self
        times, flags = time_us[new], is_anomalous[new]
        upto_us = int(times[-1])
        fade = _fade(upto_us - self.upto_us) if self.rows else 0.0
        weights = np.exp2((times - upto_us) / HALF_LIFE_US)
        return Burden(self.anomalous * fade + float(weights @ flags), self.rows * fade + float(weights.sum()), upto_us)


def _fade(passed_us: int) -> float:
    return float(np.exp2(-passed_us / HALF_LIFE_US))
