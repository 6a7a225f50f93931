"""Figure and Distribution: what is told to whoever draws charts of this installation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; a name that ends in _total is a counter, any other a gauge."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often something took at most so long; buckets: upper bound in seconds and count, each with all below it."""

    name: str
    buckets: Sequence[tuple[float, float]]
    count: float
    seconds: float
