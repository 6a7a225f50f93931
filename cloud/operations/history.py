"""History: readings of one Tag over a time, page by page or down-sampled to a number of points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from cloud.domain.history import Completeness, Cursor, QualityRun, bucket_width_us, measure, outline, quality_runs
from cloud.errors import Invalid, NotFound
from cloud.ports import Buckets, Points, ReadingStore, Series
from protocols.reading import SEVERITY_MASK, Kind, Quality

PRIMARY = "value"
"""The metric that stands for a Device's main Tag, whatever that is called."""


class Wanted(StrEnum):
    """Which readings to show by their quality."""

    ALL = "all"
    USABLE = "usable"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: start_us <= time < end_us, at most `limit` readings a page, or at most max_points in all."""

    start_us: int
    end_us: int
    limit: int
    max_points: int | None = None
    cursor: str | None = None
    wanted: Wanted = Wanted.ALL


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Readings in order of time, and what is known of those that are not there.

    bucket_us: the width of a bucket of down-sampled readings, None for raw ones; next_cursor: None at the end.
    """

    series: Series
    points: Points
    runs: tuple[QualityRun, ...]
    completeness: Completeness | None
    next_cursor: str | None = None
    bucket_us: int | None = None


def choose_series(found: Sequence[Series], *, device_id: str, metric: str, kind: Kind | None = None) -> Series:
    """Return the Tag of this name, for `value` the main one; raise NotFound that names what there is.

    A Tag whose kind was changed has a series for each kind; without a wish it is the newest of them.
    """
    fitting = [series for series in found if kind in (None, series.kind)]
    by_name = [series for series in fitting if series.key.tag == metric]
    if by_name:
        return by_name[-1]
    if metric == PRIMARY and fitting:
        return next((series for series in reversed(fitting) if series.is_primary), fitting[0])
    names = [series.key.tag for series in found]
    message = f"device {device_id} has no metric {metric!r}; it has: {', '.join(names) or 'none'}"
    raise NotFound(message, code="METRIC_NOT_FOUND", details={"metric": metric, "metrics": names})


def read_page(store: ReadingStore, series: Series, window: Window, *, now_us: int) -> Page:
    """Return one page; raise Invalid for a cursor of other readings, or a text that is to be down-sampled."""
    if window.max_points is None:
        return _raw_page(store, series, window, now_us)
    if window.cursor is not None:
        raise Invalid("cursor: goes with raw readings, not with max_points", code="INVALID_CURSOR")
    count = max(1, window.max_points // 2)
    buckets = store.buckets(series, start_us=window.start_us, end_us=window.end_us, count=count)
    if buckets.count.sum() <= window.max_points:
        raw = _raw_page(store, series, replace(window, limit=window.max_points), now_us)
        if raw.next_cursor is None:
            return raw
    if series.kind is Kind.TEXT:
        raise Invalid("max_points: texts cannot be down-sampled; page through them with limit", code="NOT_A_NUMBER")
    return _outline_page(series, window, buckets)


def _raw_page(store: ReadingStore, series: Series, window: Window, now_us: int) -> Page:
    cursor = _position(series, window)
    points = store.points(series, start_us=cursor.start_us, end_us=cursor.end_us, limit=window.limit + 1)
    covered_us, following = min(cursor.end_us, max(now_us, cursor.start_us)), None
    if len(points.time_us) > window.limit:
        covered_us = int(points.time_us[window.limit])
        following = Cursor(series.id, covered_us, cursor.end_us).encode()
        points = _chosen(points, np.arange(window.limit))
    completeness = measure(
        points.time_us, points.quality, period_s=series.period_s, start_us=cursor.start_us, end_us=covered_us
    )
    points = _of_quality(points, window.wanted)
    return Page(series, points, quality_runs(points.quality), completeness, following)


def _position(series: Series, window: Window) -> Cursor:
    if window.cursor is None:
        return Cursor(series.id, window.start_us, window.end_us)
    cursor = Cursor.decode(window.cursor)
    if cursor.series != series.id:
        raise Invalid("cursor: was given out for another device or metric", code="INVALID_CURSOR")
    return cursor


def _of_quality(points: Points, wanted: Wanted) -> Points:
    match wanted:
        case Wanted.ALL:
            return points
        case Wanted.GOOD:
            return _chosen(points, (points.quality & SEVERITY_MASK) == 0)
        case Wanted.USABLE:
            return _chosen(points, (points.quality & SEVERITY_MASK) != Quality.BAD)
        case _:
            assert_never(wanted)


def _chosen(points: Points, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Points:
    return Points(points.kind, points.time_us[keep], points.value[keep], points.quality[keep], points.texts)


def _outline_page(series: Series, window: Window, buckets: Buckets) -> Page:
    width_us = bucket_width_us(buckets, end_us=window.end_us)
    times, values = outline(buckets, width_us=width_us, end_us=window.end_us)
    points = Points(Kind.FLOAT, times, values, np.zeros(len(times), np.uint8))
    return Page(series, points, (), None, bucket_us=width_us)
