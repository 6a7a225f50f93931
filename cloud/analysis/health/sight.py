"""What the newest readings of a Device say: medians of its limited Tags, and how many readings came of those due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.health.hours import usable
from cloud.domain.device_facts import DeviceFacts
from cloud.ports import ReadingStore, Series
from protocols.reading import SEVERITY_MASK, Kind

ANOMALY_SCORE = "anomaly_score"
"""The Tag on which gateways tell how unusual a Device is, 0..1."""
MEDIAN_US = 15 * 60_000_000
_HOUR_US = 3_600_000_000
_PERIODS = 3
_LEAST_DUE_US = 60_000_000
"""Of a shorter time nobody can say what is missing: the newest readings are on their way still."""
_MOST_ROWS = 100_000
_NUMERIC = (Kind.FLOAT, Kind.INT, Kind.UINT)


@dataclass(frozen=True, slots=True)
class Case:
    """One Device under judgement: what was told of it, its numeric Tags, and when it spoke last, None if never."""

    facts: DeviceFacts
    shown_id: str
    series: Sequence[Series]
    newest_us: int | None
    is_lost: bool = False
    location: str = ""

    @property
    def whose(self) -> tuple[str, str]:
        """Return source and device."""
        return self.facts.source, self.facts.device

    @property
    def numeric(self) -> Sequence[Series]:
        """Return the Tags that hold numbers, without the score that a gateway gives."""
        return [one for one in self.series if one.kind in _NUMERIC and one.key.tag != ANOMALY_SCORE]

    @property
    def limited(self) -> Sequence[Series]:
        """Return the Tags that have limits; the newest series of a Tag whose kind was changed."""
        tags = {one.tag for one in self.facts.limits}
        return list({one.key.tag: one for one in self.numeric if one.key.tag in tags}.values())

    @property
    def primary(self) -> Series | None:
        """Return the main Tag, if it holds numbers."""
        numeric = self.numeric
        return next((one for one in reversed(numeric) if one.is_primary), next(iter(numeric), None))

    @property
    def judged(self) -> Sequence[Series]:
        """Return the Tags whose newest readings are looked at: those with limits, else the main one."""
        return self.limited or [one for one in (self.primary,) if one is not None]

    @property
    def interval_s(self) -> float:
        """Return how often it should speak, 0 where it reports on change."""
        told = self.facts.rated_interval_s
        return told if told is not None else min((one.period_s for one in self.series if one.period_s > 0), default=0.0)

    def window_us(self, series: Series) -> int:
        """Return over how long the median of a Tag goes: 15 minutes, or three intervals of a slow one."""
        interval_s = self.facts.rated_interval_s or series.period_s
        return max(MEDIAN_US, round(_PERIODS * interval_s * 1e6))


@dataclass(frozen=True, slots=True)
class Sight:
    """Medians by Tag; good and expected readings of the last hour; newest_us: of all usable ones, None without any.

    expected is 0 for as long as too little was due to say whether anything is missing.
    """

    medians: Mapping[str, float]
    good: int
    expected: float
    newest_us: int | None


def look_at(store: ReadingStore, case: Case, *, now_us: int, first_us: int) -> Sight:
    """Return what the last hour says; first_us: from when on its readings are due."""
    medians: dict[str, float] = {}
    good, expected, newest_us = 0, 0.0, None
    for series in case.judged:
        window_us = case.window_us(series)
        start_us = now_us - max(_HOUR_US, window_us)
        points = store.points(series, start_us=start_us, end_us=now_us + 1, limit=_MOST_ROWS)
        times, values = usable(points)
        recent = values[times > now_us - window_us]
        if len(recent):
            medians[series.key.tag] = float(np.median(recent))
        if len(times):
            newest_us = max(newest_us or 0, int(times[-1]))
        interval_s = case.facts.rated_interval_s or series.period_s
        if interval_s > 0:
            span_us = max(_HOUR_US, round(interval_s * 1e6))
            since_us = max(now_us - span_us, first_us)
            if now_us - since_us < min(span_us, max(_LEAST_DUE_US, round(_PERIODS * interval_s * 1e6))):
                continue
            is_good = (points.quality & SEVERITY_MASK) == 0
            good += int((is_good & np.isfinite(points.value.astype(np.float64)) & (points.time_us >= since_us)).sum())
            expected += (now_us - since_us) / (interval_s * 1e6)
    return Sight(medians, good, expected, newest_us)
