"""Energy in kWh: what a counter counted, or the integral of a power, which never reaches across a gap; pure."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.statistics import Floats

Times = NDArray[np.int64]
COUNTERS: Mapping[str, float] = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}
"""kWh in one of the unit."""
POWERS: Mapping[str, float] = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
"""kW in one of the unit."""
_HOUR_US = 3.6e9
_THREE = 3
_SQRT_3 = float(np.sqrt(3.0))


def counted(values: Floats) -> float:
    """Return by how much a counter (n,) rose; where it falls it began anew at zero."""
    steps = np.diff(values)
    return float(np.where(steps >= 0, steps, values[1:]).sum()) if len(values) > 1 else 0.0


def integrated(time_us: Times, power_kw: Floats, *, longest_us: int) -> float:
    """Return the kWh of a power (n,), by trapezoids between readings that are at most `longest_us` apart."""
    steps = np.diff(time_us)
    middle = (power_kw[1:] + power_kw[:-1]) / 2
    return float(np.where(steps <= longest_us, middle * steps, 0.0).sum()) / _HOUR_US


def electric_power(voltage: Floats, current: Floats, factor: Floats, *, phases: int) -> Floats:
    """Return kW of volts between phases, amperes and power factors, (n,)."""
    return np.asarray(voltage * current * factor * (_SQRT_3 if phases == _THREE else 1.0) / 1e3, np.float64)


def held(at_us: Times, time_us: Times, values: Floats, *, longest_us: int) -> Floats:
    """Return the value that was read last before each moment, (m,); NaN where that is longer ago."""
    if not len(time_us):
        return np.full(len(at_us), np.nan)
    before = np.searchsorted(time_us, at_us, "right") - 1
    age = at_us - time_us[np.maximum(before, 0)]
    return np.where((before >= 0) & (age <= longest_us), values[np.maximum(before, 0)], np.nan)
