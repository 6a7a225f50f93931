"""From raw numbers to values and back: value = raw * scale + offset, in decimals, by everybody to the same bit.

Where scale and offset are decimals the sum is done in whole numbers: 3 with scale 0.1 is 0.3, not 0.3 and a bit.
"""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

MAX_PLACES = 9
"""Scales with more decimals than this are taken as plain floats."""


class Ratio(NamedTuple):
    """A value is (raw * factor + summand) / divisor."""

    factor: float
    summand: float
    divisor: float

    def value(self, raw: float) -> float:
        """Return the value of one raw number."""
        return (float(raw) * self.factor + self.summand) / self.divisor

    def raw(self, value: float) -> float:
        """Return the raw number of one value."""
        return (value * self.divisor - self.summand) / self.factor


@lru_cache(maxsize=4096)
def ratio(scale: float, offset: float) -> Ratio:
    """Return how to compute raw * scale + offset; both are finite."""
    exact = Decimal(repr(scale)), Decimal(repr(offset))
    places = max(0, *(-int(number.normalize().as_tuple().exponent) for number in exact))
    if places > MAX_PLACES:
        return Ratio(scale, offset, 1.0)
    factor, summand = (float(number * 10**places) for number in exact)
    return Ratio(factor, summand, float(10**places))
