"""Whether the newest readings of a series come from another distribution than earlier ones: two verdicts.

Documented: two-sample Kolmogorov-Smirnov on raw values, and the population stability index beside it. They take
readings for independent, so they cry drift on most windows of any series with a memory.

Corrected: location and spread of normal scores (ranks in the baseline, hence blind to outliers and units) by Student's
t over the long-run variance of the series (`long_run`), and Kolmogorov-Smirnov over the effective number of readings;
together by weighted Bonferroni, over channels by Holm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloud.analysis.long_run import Memory, correlations, mean_error, remember
from cloud.analysis.statistics import Floats, kolmogorov_tail, normal_score, student_two_sided, two_sample_ks
from cloud.domain.drift import Corrected, Documented

FALSE_ALARMS = 0.003
"""The corrected verdict's default share of checks that cry without drift."""
LEAST_ROWS = 20
"""Fewer readings than this on a side say nothing of a memory."""
_WEIGHTS = (0.7, 0.15, 0.15)
_BINS = 10
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one channel tells, before other channels count; p_value: of location, spread and shape together."""

    location_p: float
    spread_p: float
    shape_p: float
    autocorrelation: float
    effective_recent: float
    effective_baseline: float

    @property
    def p_value(self) -> float:
        """Return the weighted Bonferroni bound of the three."""
        parts = zip((self.location_p, self.spread_p, self.shape_p), _WEIGHTS, strict=True)
        return min(1.0, *(p_value / weight for p_value, weight in parts))


def documented(baseline: Floats, recent: Floats, *, threshold: float) -> Documented:
    """Return the documented verdict on raw values, shapes (m,) and (n,): drift where p < threshold."""
    statistic, p_value = two_sample_ks(recent, baseline)
    return Documented(p_value < threshold, statistic, p_value)


def stability_index(baseline: Floats, recent: Floats) -> float:
    """Return the population stability index over ten bins of equal count in the baseline; 0.25 is a major shift."""
    edges = np.unique(np.quantile(baseline, np.linspace(0, 1, _BINS + 1)[1:-1]))
    expected, found = (_shares(values, edges) for values in (baseline, recent))
    return float(((found - expected) * np.log(found / expected)).sum())


def weigh(baseline: Floats, recent: Floats) -> Evidence:
    """Return what one channel tells of drift, with its memory allowed for; finite values in order of time.

    baseline (m,), recent (n,): both at least LEAST_ROWS; the baseline should be the longer one: it carries the memory.
    """
    known = np.sort(baseline)
    if known[0] == known[-1]:
        return _of_constant(known, recent)
    old, new = _scores(known, baseline), _scores(known, recent)
    memory = remember((old, new))
    implied = correlations(memory)
    return Evidence(
        location_p=_location(memory, old, new),
        spread_p=_spread(implied, np.abs(old), np.abs(new)),
        shape_p=_shape(implied, known, np.sort(recent)),
        autocorrelation=float(implied[0]) if len(implied) else 0.0,
        effective_recent=len(recent) * memory.share,
        effective_baseline=len(baseline) * memory.share,
    )


def judge(evidence: Sequence[Evidence], *, false_alarms: float = FALSE_ALARMS) -> list[Corrected]:
    """Return the corrected verdicts of channels that were checked together; p-values are adjusted by Holm (1979)."""
    raw = np.array([one.p_value for one in evidence])
    adjusted = np.empty(len(raw))
    order = np.argsort(raw, kind="stable")
    left = len(raw) - np.arange(len(raw))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * left))
    return [
        Corrected(
            is_drift=bool(p_value < false_alarms),
            p_value=float(p_value),
            location_p=one.location_p,
            spread_p=one.spread_p,
            shape_p=one.shape_p,
            autocorrelation=one.autocorrelation,
            effective_recent=one.effective_recent,
            effective_baseline=one.effective_baseline,
            channels=len(evidence),
        )
        for one, p_value in zip(evidence, adjusted.tolist(), strict=True)
    ]


def _scores(known: Floats, values: Floats) -> Floats:
    below, upto = np.searchsorted(known, values, "left"), np.searchsorted(known, values, "right")
    return normal_score((below + upto + 1) / (2 * len(known) + 2))


def _location(memory: Memory, old: Floats, new: Floats) -> float:
    return _difference_p(old, new, *mean_error(memory, old, len(new)))


def _spread(implied: Floats, old: Floats, new: Floats) -> float:
    # A Gaussian series of correlation r has |z| correlated by this; a series whose bursts cluster has more.
    curve = np.sqrt(1 - implied**2) + implied * np.arcsin(implied) - 1
    share = 1 / (1 + 2 * float(curve.sum()) / (np.pi / 2 - 1))
    own = remember((old, new))
    if own.variance <= 0:
        return 1.0
    memory = Memory(own.variance, max(own.long_run, own.variance / share), own.coefficients, own.count)
    return _difference_p(old, new, *mean_error(memory, old, len(new)))


def _difference_p(old: Floats, new: Floats, variance: float, freedom: float) -> float:
    difference = float(new.mean() - old.mean())
    if variance <= 0:
        return 1.0 if difference == 0 else 0.0
    return student_two_sided(difference / float(np.sqrt(variance)), freedom)


def _shape(implied: Floats, known: Floats, recent: Floats) -> float:
    # Whether values lie below a level is correlated by the arcsine law, most of all in the middle.
    share = min(1.0, 1 / max(1.0, 1 + 2 * float((2 / np.pi) * np.arcsin(implied).sum())))
    both = np.concatenate((known, recent))
    below = [np.searchsorted(values, both, "right") / len(values) for values in (known, recent)]
    distance = float(np.abs(below[0] - below[1]).max())
    old, new = len(known) * share, len(recent) * share
    return kolmogorov_tail(distance, old * new / (old + new))


def _of_constant(known: Floats, recent: Floats) -> Evidence:
    is_same = bool((recent == known[0]).all())
    p_value = 1.0 if is_same else 0.0
    return Evidence(p_value, 1.0, p_value, 0.0, float(len(recent)), float(len(known)))


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, values, "right"), minlength=len(edges) + 1)
    return np.asarray(np.maximum(counts / len(values), _LEAST_SHARE), np.float64)
