"""Forecast: what a series is expected to be at one time in the future, and what it then was; pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from cloud.ports import SeriesKey

LEVELS = (0.01, 0.1, 0.5, 0.9, 0.99)
"""The quantiles of every forecast, in order."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles of LEVELS, never falling; raw: the same before the conformal correction, which learns on them.

    scale: the unit of that correction.
    is_calibrated: whether enough forecasts of this horizon have matured to correct every level.
    actual: None until the horizon has passed and a reading was there.
    """

    series: SeriesKey
    issued_at: datetime
    target_at: datetime
    horizon_minutes: int
    quantiles: tuple[float, ...]
    raw: tuple[float, ...]
    scale: float
    method: str
    model_version: str
    is_calibrated: bool
    features: tuple[str, ...] = field(default=())
    confidence: float | None = None
    actual: float | None = None
    id: int | None = None
    multiplier: float = 1.0
    """By how much planned events were reckoned to change it; it is in the quantiles, and not in raw."""

    @property
    def median(self) -> float:
        """Return the value in the middle."""
        return self.quantiles[LEVELS.index(0.5)]


def reckoned(forecast: Forecast, multiplier: float) -> Forecast:
    """Return a forecast of a service with what events do to it now, instead of what they did when it was made."""
    factor = multiplier / forecast.multiplier
    return replace(forecast, quantiles=tuple(one * factor for one in forecast.quantiles), multiplier=multiplier)
