"""The parts of every Device's score at once, out of what its newest readings, its trends and its drift checks say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.health.burden import Burden
from cloud.analysis.health.score import (
    PARTS,
    anomaly_freedom,
    completeness,
    drift_freedom,
    health_scores,
    limit_margin,
    trend_room,
)
from cloud.analysis.health.sight import Case, Sight
from cloud.analysis.health.trend import Trend
from cloud.analysis.statistics import Floats
from cloud.domain.health import Part
from cloud.ports import SeriesKey

_FAR_H = 87_600.0
"""Ten years: what is further away than that is told as never."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that is known of one Device when it is judged; own_share: of anomalous rows, as its model promised.

    drifting, checked: how many of its Tags drift lastingly, and how many were ever checked; passed_h: since the hours
    behind the trends ended.
    """

    case: Case
    sight: Sight
    burden: Burden
    own_share: float
    trends: Mapping[SeriesKey, Trend]
    drifting: int
    checked: int
    passed_h: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out for one Device: score None where it is not measured, parts by name, and figures that explain."""

    score: float | None
    parts: Mapping[Part, float]
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Worst:
    value: float = float("nan")
    tag: str = ""


def judge_all(grounds: Sequence[Grounds]) -> Sequence[Verdict]:
    """Return the verdicts on these Devices."""
    if not grounds:
        return []
    margins = [worst_margin(one.case, one.sight.medians) for one in grounds]
    soonest = [soonest_limit(one) for one in grounds]
    share = np.array([np.nan if one.burden.share is None else one.burden.share for one in grounds])
    columns = (
        np.array([one.value for one in margins]),
        anomaly_freedom(share, np.array([one.own_share for one in grounds])),
        trend_room(np.array([one.value for one in soonest])),
        drift_freedom(np.array([one.drifting for one in grounds]), np.array([one.checked for one in grounds])),
        completeness(
            np.array([float(one.sight.good) for one in grounds]), np.array([one.sight.expected for one in grounds])
        ),
    )
    parts = np.stack(columns, axis=1)
    scores = health_scores(parts)
    rows = zip(grounds, margins, soonest, parts, scores.tolist(), strict=True)
    return [_verdict(*row) for row in rows]


def worst_margin(case: Case, medians: Mapping[str, float]) -> _Worst:
    """Return the smallest margin over all limited Tags that were read, and whose it is; NaN without any."""
    found = [
        _Worst(float(limit_margin(np.array(medians[one.tag]), np.array(warn), np.array(crit))), one.tag)
        for one in case.facts.limits
        if one.tag in medians
        for warn, crit in one.sides
    ]
    return min(found, key=lambda one: one.value, default=_Worst())


def soonest_limit(one: Grounds) -> _Worst:
    """Return in how many hours a trend reaches a critical limit first, infinite: never; NaN without a trend."""
    keys = {series.key.tag: series.key for series in one.case.limited}
    found = [
        _Worst(one.trends[keys[limits.tag]].hours_to(crit, warn, passed_h=one.passed_h), limits.tag)
        for limits in one.case.facts.limits
        if limits.tag in keys and keys[limits.tag] in one.trends
        for warn, crit in limits.sides
    ]
    return min(found, key=lambda each: each.value, default=_Worst())


def _verdict(one: Grounds, margin: _Worst, soonest: _Worst, parts: Floats, score: float) -> Verdict:
    told: dict[str, object] = {
        "limits": {"tag": margin.tag, "median": one.sight.medians.get(margin.tag)} if margin.tag else None,
        "anomalies": None
        if one.burden.share is None
        else {"share": round(one.burden.share, 6), "own_share": one.own_share},
        "trend": _trend_told(one, soonest),
        "drift": {"drifting": one.drifting, "checked": one.checked} if one.checked else None,
        "data_quality": {"good": one.sight.good, "expected": round(one.sight.expected, 3)}
        if one.sight.expected
        else None,
    }
    known = {part: float(value) for part, value in zip(PARTS, parts.tolist(), strict=True) if np.isfinite(value)}
    return Verdict(float(score) if np.isfinite(score) else None, known, told)


def _trend_told(one: Grounds, soonest: _Worst) -> dict[str, object] | None:
    if not soonest.tag:
        return None
    trend = next(trend for key, trend in one.trends.items() if key.tag == soonest.tag)
    return {
        "tag": soonest.tag,
        "hours_to_limit": round(soonest.value, 3) if soonest.value <= _FAR_H else None,
        "slope_per_hour": trend.slope,
        "standard_error": trend.error,
        "medians": trend.medians,
        "is_significant": trend.is_significant,
    }
