"""Fit a model from normal rows of one asset: scale, whitening, a threshold that keeps its promise, an int8 network.

The threshold never comes from the rows that fitted the covariance: five blocks in order of time, each scored by a fit
of the others without a guard of the longest span on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.quantise import Layer, quantise_within
from protocols.scoring.scores import body_of, tail_of
from protocols.scoring.tflite import write_tflite
from protocols.scoring.whitening import Whitening, shrunk_covariance, whiten
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]
SPANS = (5, 15, 60)
ROWS_A_SPAN = 20
MIN_ROWS = 60
FOLDS = 5
RANGE_SIGMAS = 24.0
"""How far from normal the int8 network still tells one deviation from a larger one."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What to aim for.

    alarm_share: of normal rows over the threshold; spans: rows of each trailing mean, chosen from the rows if none;
    smooth: rows of the last mean of log scores.
    """

    alarm_share: float = 0.01
    spans: tuple[int, ...] = ()
    smooth: int = 5


@dataclass(frozen=True, slots=True)
class _Scale:
    center: Floats
    width: Floats


def fit(rows: Floats, channels: Sequence[str], *, period_s: float, options: FitOptions | None = None) -> Fitted:
    """Return a model of these normal rows (n, channels); channels that never move are left out with a note.

    Raises InvalidRows that says which channel is wrong and how.
    """
    options = options or FitOptions()
    rows = np.asarray(rows, dtype=np.float64)
    _check(rows, channels)
    moving = [i for i in range(len(channels)) if np.ptp(rows[:, i]) > 0]
    if not moving:
        raise InvalidRows(f"none of {', '.join(channels)} ever changes: nothing can be learned")
    left_out = tuple(
        f"{channels[i]} is always {rows[0, i]:g}: left out" for i in range(len(channels)) if i not in moving
    )
    rows = rows[:, moving]
    spans = options.spans or chosen_spans(len(rows))
    outside = cross_fitted(rows, spans, options.smooth)
    threshold = float(np.quantile(outside, 1 - options.alarm_share))
    scale, whitenings = _fit_parts(rows, spans)
    scoring = Scoring(
        kind=ScoringKind.WHITENING,
        channels=tuple(channels[i] for i in moving),
        period_s=period_s,
        spans=spans,
        center=_numbers(scale.center),
        width=_numbers(scale.width),
        smooth=options.smooth,
        threshold=threshold,
        alarm_share=options.alarm_share,
        rows=len(rows),
        axes=tuple(_numbers(whitening.axes) for whitening in whitenings),
        gains=_numbers(np.concatenate([whitening.gains for whitening in whitenings])),
        body=body_of(outside, threshold),
        tail=tail_of(outside, threshold),
    )
    return Fitted(scoring, write_tflite(quantise_within([back_layer(whitenings)], [RANGE_SIGMAS] * 2)), {}, left_out)


def chosen_spans(n_rows: int) -> tuple[int, ...]:
    """Return the spans that this many rows can carry: at least 20 windows without a row in common."""
    return tuple(span for span in SPANS if n_rows >= ROWS_A_SPAN * span) or (1,)


def back_layer(whitenings: Sequence[Whitening]) -> Layer:
    """Return the network's one layer: the axes of each span back to its channels."""
    n = len(whitenings[0].gains)
    weights = np.zeros((n * len(whitenings),) * 2)
    for i, whitening in enumerate(whitenings):
        weights[i * n : (i + 1) * n, i * n : (i + 1) * n] = whitening.back
    return Layer(weights, np.zeros(len(weights)))


def cross_fitted(rows: Floats, spans: tuple[int, ...], smooth: int) -> Floats:
    """Return raw scores of rows (n, channels), each by a fit that saw neither the row nor its neighbours."""
    bounds = np.linspace(0, len(rows), FOLDS + 1).astype(int)
    guard = max(spans)
    scores = []
    for first, last in pairwise(bounds):
        others = [part for part in (rows[: max(first - guard, 0)], rows[last + guard :]) if len(part) > guard]
        if not others:
            continue
        scale, whitenings = _fit_segments(others, spans)
        scores.append(_raw(rows[first:last], scale, whitenings, spans, smooth))
    return np.concatenate(scores)


def _raw(rows: Floats, scale: _Scale, whitenings: Sequence[Whitening], spans: tuple[int, ...], smooth: int) -> Floats:
    means = trailing_means((rows - scale.center) / scale.width, spans)
    squares = sum(((means[:, i] @ w.axes.T) ** 2).sum(axis=1) for i, w in enumerate(whitenings))
    logs = np.log(squares / (len(spans) * rows.shape[1]) + 1e-12)
    return trailing_means(logs[:, None], (smooth,))[:, 0, 0]


def _fit_parts(rows: Floats, spans: tuple[int, ...]) -> tuple[_Scale, list[Whitening]]:
    return _fit_segments([rows], spans)


def _fit_segments(segments: Sequence[Floats], spans: tuple[int, ...]) -> tuple[_Scale, list[Whitening]]:
    scale = robust_scale(np.concatenate(segments))
    means = np.concatenate([trailing_means((part - scale.center) / scale.width, spans) for part in segments])
    return scale, [whiten(shrunk_covariance(means[:, i])) for i in range(len(spans))]


def robust_scale(rows: Floats) -> _Scale:
    """Return center and width of each channel: median and spread of the middle half, else the plain deviation."""
    low, center, high = np.quantile(rows, (0.25, 0.5, 0.75), axis=0)
    width = (high - low) / 1.349
    plain = rows.std(axis=0)
    width = np.where(width > 0.1 * plain, width, plain)
    return _Scale(center, np.where(width > 0, width, 1.0))


def _check(rows: Floats, channels: Sequence[str]) -> None:
    if rows.ndim != 2 or rows.shape[1] != len(channels) or not len(channels):
        raise InvalidRows(f"rows of shape {rows.shape} for {len(channels)} channels")
    if len(rows) < MIN_ROWS:
        raise InvalidRows(f"{len(rows)} rows are too few: at least {MIN_ROWS} are needed")
    for i, channel in enumerate(channels):
        wrong = np.flatnonzero(~np.isfinite(rows[:, i]))
        if len(wrong):
            raise InvalidRows(f"{channel}: row {wrong[0]} is {rows[wrong[0], i]}: only finite numbers can be learned")


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(values.ravel().tolist())
