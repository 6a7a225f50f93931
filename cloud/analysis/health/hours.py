"""HourlyMedians: the medians of the last week of each limited Tag, kept up, and the trends through them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.health.trend import WEEK_H, Trend, fit_trend
from cloud.analysis.statistics import Floats
from cloud.ports import Buckets, Clock, Points, ReadingStore, Series, SeriesKey
from cloud.records.channel_hours import HOUR_US, ChannelHours, put_channel_hours, read_channel_hours
from cloud.records.database import Records
from protocols.reading import SEVERITY_MASK, Quality

_MOST_ROWS = 4_000_000
_HOURS_AT_ONCE = 24
_ROUND_S = 10.0
Since = Callable[[SeriesKey], int]
"""When a Tag's Device was last repaired, in microseconds; 0 where it never was."""


class HourlyMedians:
    """What each Tag's hours were. One thread.

    Hours are read again only where the store's rollup counts other readings in them than before, so that late readings
    have their part. A round reads for ten seconds at most; what is left is read in the next one.
    """

    def __init__(self, records: Records, store: ReadingStore, clock: Clock) -> None:
        self._records = records
        self._store = store
        self._clock = clock
        self._known: dict[SeriesKey, ChannelHours] | None = None
        self._trends: dict[SeriesKey, tuple[int, Trend | None]] = {}
        self._due: dict[SeriesKey, tuple[Series, Buckets]] = {}
        self._end_us = 0

    def keep_up(self, series: Sequence[Series]) -> None:
        """Read what is new of these Tags; raise Unavailable."""
        end_us = self._clock.now_us() // HOUR_US * HOUR_US
        if self._known is None:
            with self._records.reading() as session:
                self._known = dict(read_channel_hours(session))
        new = [one for one in series if end_us != self._end_us or one.key not in self._trends]
        if new:
            start_us = end_us - WEEK_H * HOUR_US
            rollups = self._store.hourly(new, start_us=start_us, end_us=end_us)
            self._due |= {one.key: (one, rollup) for one, rollup in zip(new, rollups, strict=True)}
            self._end_us = end_us
        self._read_due(self._known)

    def trend(self, key: SeriesKey, *, since_us: int = 0) -> Trend | None:
        """Return the trend of a Tag's medians since then, None where there are too few."""
        cached = self._trends.get(key)
        if cached is not None and cached[0] == since_us:
            return cached[1]
        hours = (self._known or {}).get(key)
        found = None if hours is None else fit_trend(_since(hours, since_us))
        self._trends[key] = (since_us, found)
        return found

    @property
    def end_us(self) -> int:
        """Return when the last of the hours ends."""
        return self._end_us

    def _read_due(self, known: dict[SeriesKey, ChannelHours]) -> None:
        stop_s = self._clock.monotonic_s() + _ROUND_S
        changed: dict[SeriesKey, ChannelHours] = {}
        while self._due and self._clock.monotonic_s() < stop_s:
            key = next(iter(self._due))
            series, rollup = self._due.pop(key)
            before = known.get(key, _nothing(self._end_us)).moved_to(self._end_us)
            known[key] = after = self._brought_up(series, rollup, before)
            self._trends.pop(key, None)
            if after is not before:
                changed[key] = after
        if changed:
            with self._records.writing() as session:
                put_channel_hours(session, changed.items())

    def _brought_up(self, series: Series, rollup: Buckets, hours: ChannelHours) -> ChannelHours:
        start_us = hours.end_us - WEEK_H * HOUR_US
        counts, means = np.zeros(WEEK_H, np.int64), np.full(WEEK_H, np.nan)
        at = (rollup.start_us - start_us) // HOUR_US
        counts[at] = rollup.count
        means[at] = rollup.total / np.maximum(rollup.count, 1)
        stale = np.flatnonzero(counts != hours.counts)
        if not len(stale):
            return hours
        medians = hours.medians.copy()
        for first in range(int(stale[0]), int(stale[-1]) + 1, _HOURS_AT_ONCE):
            chosen = stale[(stale >= first) & (stale < first + _HOURS_AT_ONCE)]
            if len(chosen):
                medians[chosen] = self._medians(series, start_us, chosen, means)
        return replace(hours, medians=np.where(counts > 0, medians, np.nan), counts=counts)

    def _medians(self, series: Series, start_us: int, hours: NDArray[np.int64], means: Floats) -> Floats:
        """Return the medians of these hours (m,); the mean of one whose readings were given up stands for it."""
        first_us, last_us = start_us + int(hours[0]) * HOUR_US, start_us + (int(hours[-1]) + 1) * HOUR_US
        points = self._store.points(series, start_us=first_us, end_us=last_us, limit=_MOST_ROWS)
        times, values = usable(points)
        bounds = np.searchsorted(times, start_us + np.stack([hours, hours + 1]) * HOUR_US)
        pairs = zip(bounds[0].tolist(), bounds[1].tolist(), hours.tolist(), strict=True)
        return np.array([np.median(values[a:b]) if b > a else means[hour] for a, b, hour in pairs])


def usable(points: Points) -> tuple[NDArray[np.int64], Floats]:
    """Return times and values that are finite and not bad, in order of time, each (n,)."""
    values = points.value.astype(np.float64)
    keep = np.isfinite(values) & ((points.quality & SEVERITY_MASK) != Quality.BAD)
    return points.time_us[keep], np.asarray(values[keep], np.float64)


def trends_of(hours: HourlyMedians, keys: Sequence[SeriesKey], since: Since) -> Mapping[SeriesKey, Trend]:
    """Return the trends of those Tags that have one."""
    found = {key: hours.trend(key, since_us=since(key)) for key in keys}
    return {key: trend for key, trend in found.items() if trend is not None}


def _nothing(end_us: int) -> ChannelHours:
    return ChannelHours(end_us, np.full(WEEK_H, np.nan), np.zeros(WEEK_H, np.int64))


def _since(hours: ChannelHours, since_us: int) -> Floats:
    begins = hours.end_us - (len(hours.medians) - np.arange(len(hours.medians))) * HOUR_US
    return np.where(begins >= since_us, hours.medians, np.nan)
