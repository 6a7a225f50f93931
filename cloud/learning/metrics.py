"""How good answers are against what is known: decisions, rankings, values, quantiles and probabilities.

Never point-adjusted: a window counts as found row by row, or once as an episode in `evaluation`, and says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.learning.table import Floats

Bools = NDArray[np.bool_]
THRESHOLDS = 250
"""As the reference implementation of VUS takes them, evenly spaced in rank."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Of rows pooled: f1, precision, recall 0..1; far, mar: normal rows alarmed and anomalous ones missed, in %."""

    f1: float
    far: float
    mar: float
    precision: float
    recall: float


def decision(truth: Bools, is_over: Bools) -> Decision:
    """Return how good these decisions (n,) are for this truth (n,)."""
    hits = int((truth & is_over).sum())
    false, missed = int((~truth & is_over).sum()), int((truth & ~is_over).sum())
    return Decision(
        f1=2 * hits / max(2 * hits + false + missed, 1),
        far=100 * false / max(int((~truth).sum()), 1),
        mar=100 * missed / max(int(truth.sum()), 1),
        precision=hits / max(hits + false, 1),
        recall=hits / max(hits + missed, 1),
    )


def best_f1_threshold(truth: Bools, score: Floats) -> tuple[float, float]:
    """Return a threshold of high F1 and the highest F1, of scores (n,).

    The one with the very highest is luck: among all that are less than one more hit worse, the middle is taken.
    """
    order = np.argsort(-score, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[last_of_score]
    n_true = int(truth.sum())
    f1 = 2 * hits / (last_of_score + 1 + n_true)
    near = np.flatnonzero(f1 > f1.max() - 1 / max(n_true, 1))
    at = score[order][last_of_score][near]
    return float((at.max() + at.min()) / 2), float(f1.max())


def root_mean_square_error(truth: Floats, said: Floats) -> float:
    """Return the RMSE of values (n,), in their unit."""
    return float(np.sqrt(np.mean((said - truth) ** 2)))


def mean_absolute_error(truth: Floats, said: Floats) -> float:
    """Return the MAE of values (n,), in their unit."""
    return float(np.mean(np.abs(said - truth)))


def pinball(truth: Floats, said: Floats, quantile: float) -> float:
    """Return the mean loss of one quantile (n,): Koenker and Bassett 1978."""
    over = truth - said
    return float(np.mean(np.maximum(quantile * over, (quantile - 1) * over)))


def coverage(truth: Floats, said: Floats) -> float:
    """Return the share of truths (n,) at or below what was said (n,): the quantile itself where it is honest."""
    return float(np.mean(truth <= said))


def brier(truth: Bools, probability: Floats) -> float:
    """Return the mean squared error of probabilities (n,): Brier 1950."""
    return float(np.mean((probability - truth) ** 2))


def auc_pr(truth: Bools, score: Floats) -> float:
    """Return the average precision: area under the steps of precision over recall, equal scores taken as one."""
    order = np.argsort(-score, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[last_of_score]
    precision = hits / (last_of_score + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / max(int(truth.sum()), 1))


def auc_roc(truth: Bools, score: Floats) -> float:
    """Return how often an anomaly scores above a normal row, equal ones counting half: Hanley and McNeil 1982."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    n_true = int(truth.sum())
    n_pairs = max(n_true * (len(truth) - n_true), 1)
    return float((ranks[truth].sum() - n_true * (n_true + 1) / 2) / n_pairs)


def vus_pr(truths: Sequence[Bools], scores: Sequence[Floats], *, longest: int) -> float:
    """Return the volume under the precision-recall surface over buffers of 0..longest rows, of one or more series.

    Paparrizos et al., Volume Under the Surface, VLDB 2022, as their reference implementation computes it; the series
    are judged by common thresholds and buffers never reach from one into the next.
    """
    score = np.concatenate(scores)
    cuts = -np.sort(-score)[np.linspace(0, len(score) - 1, THRESHOLDS).astype(int)]
    order = np.argsort(-score, kind="stable")
    counts = np.searchsorted(-score[order], -cuts, side="right")
    n_positive = sum(int(truth.sum()) for truth in truths)
    areas = [_area(truths, score, order, counts, cuts, n_positive, buffer) for buffer in range(longest + 1)]
    return float(np.mean(areas))


def _area(
    truths: Sequence[Bools],
    score: Floats,
    order: NDArray[np.intp],
    counts: NDArray[np.intp],
    cuts: Floats,
    n_positive: int,
    buffer: int,
) -> float:
    soft = np.concatenate([_widened(truth, buffer) for truth in truths])
    hits = np.cumsum(soft[order])[counts - 1]
    peaks = np.array([score[first:last].max() for first, last in _offset_segments(truths, buffer)])
    found = (peaks[:, None] >= cuts).mean(axis=0)
    recall = np.minimum(hits / ((n_positive + soft.sum()) / 2), 1.0) * found
    precision = hits / counts
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _offset_segments(truths: Sequence[Bools], buffer: int) -> list[tuple[int, int]]:
    segments, start = [], 0
    for truth in truths:
        segments += [(start + first, start + last) for first, last in _segments(_widened(truth, buffer) > 0)]
        start += len(truth)
    return segments


def _segments(truth: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], truth, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _widened(truth: Bools, buffer: int) -> Floats:
    soft = truth.astype(np.float64)
    for first, last in _segments(truth):
        after = np.arange(last - 1, min(last - 1 + buffer // 2, len(truth)))
        soft[after] += np.sqrt(1 - (after - last + 1) / max(buffer, 1))
        before = np.arange(max(first - buffer // 2, 0), first)
        soft[before] += np.sqrt(1 - (first - before) / max(buffer, 1))
    return np.minimum(soft, 1.0)
