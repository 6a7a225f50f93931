"""Stored readings as hourly means on a regular grid, NaN where an hour holds none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.statistics import Floats
from cloud.ports import Buckets, ReadingStore, Series
from protocols.reading import Kind

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Means of m whole hours that end at end_us, one row a series: values (k, m)."""

    series: tuple[Series, ...]
    values: Floats
    end_us: int

    def start_us(self, position: int) -> int:
        """Return when the hour at this position begins."""
        return self.end_us - (int(self.values.shape[1]) - position) * HOUR_US


def read_hours(store: ReadingStore, series: Sequence[Series], *, now_us: int, hours: int) -> Hours:
    """Return the last so many whole hours of the series that hold numbers; never empty columns at the beginning."""
    numeric = tuple(one for one in series if one.kind in (Kind.FLOAT, Kind.INT, Kind.UINT))
    end_us = now_us // HOUR_US * HOUR_US
    start_us = max(0, end_us - hours * HOUR_US)
    size = (end_us - start_us) // HOUR_US
    values = np.full((len(numeric), size), np.nan)
    for row, found in zip(values, store.hourly(numeric, start_us=start_us, end_us=end_us), strict=True):
        _fill(row, found, start_us)
    known = np.isfinite(values).any(axis=0)
    first = int(known.argmax()) if known.any() else size
    return Hours(numeric, values[:, first:], end_us)


def _fill(row: Floats, found: Buckets, start_us: int) -> None:
    counted = found.count > 0
    at = (found.start_us[counted] - start_us) // HOUR_US
    row[at] = found.total[counted] / found.count[counted]
