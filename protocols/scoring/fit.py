"""Fit a model from normal rows of one asset: scale, residuals, a threshold that keeps its promise, an int8 network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.crossfit import FOLDS
from protocols.scoring.evidence import limits_of
from protocols.scoring.model import MAX_CHANNELS, Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.scores import LOG_TAIL, body_of, tail_of, threshold_of
from protocols.scoring.views import best_view
from protocols.scoring.whitening import residual_network
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]
SPANS = (5, 15, 60)
"""Short for steps, long for slow faults, each three to four of the one before, so that none falls between."""
ROWS_A_SPAN = 20
"""Windows without a row in common that a span needs, else its deviation is a guess."""
MIN_ROWS = 60
"""Below, a fifth of the rows is not longer than the guard around it."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What to aim for.

    alarm_share: of normal rows over the threshold; spans: rows of each trailing mean, chosen from the rows if none;
    smooth: rows of the last mean of log scores.
    """

    alarm_share: float = 0.01
    spans: tuple[int, ...] = ()
    smooth: int = 1


def fit(rows: Floats, channels: Sequence[str], *, period_s: float, options: FitOptions | None = None) -> Fitted:
    """Return a model of these normal rows (n, channels); channels that never move are left out with a note.

    Raises InvalidRows that says which channel is wrong and how.
    """
    options = options or FitOptions()
    rows = np.asarray(rows, dtype=np.float64)
    check_rows(rows, channels)
    moving, notes = _moving(rows, channels)
    rows = rows[:, moving]
    spans = _spans(len(rows), options)
    center, width = rows.mean(axis=0), robust_width(rows)
    scaled = (rows - center) / width
    view = best_view(scaled, spans)
    limits = limits_of(threshold_of(view.outside.surprises, options.alarm_share), view.outside.dof)
    raw = trailing_means(view.outside.raw(limits)[:, None], (options.smooth,))[:, 0, 0]
    threshold = threshold_of(raw, options.alarm_share)
    scoring = Scoring(
        kind=ScoringKind.WHITENING,
        channels=tuple(channels[i] for i in moving),
        period_s=period_s,
        spans=spans,
        center=numbers(center),
        width=numbers(width),
        smooth=options.smooth,
        threshold=threshold,
        alarm_share=options.alarm_share,
        rows=len(rows),
        axes=numbers(view.whitening.axes),
        context=view.context,
        spread=numbers(view.outside.spread),
        limits=numbers(limits),
        body=body_of(raw, threshold),
        tail=tail_of(raw, threshold, prior=LOG_TAIL),
    )
    outside = view.outside
    figures = {"independent_rows": float(outside.dof.min()), "held_out_alarm_share": float(np.mean(raw > threshold))}
    return Fitted(scoring, residual_network(view.whitening, outside.spread), figures, notes)


def chosen_spans(n_rows: int) -> tuple[int, ...]:
    """Return the spans that this many rows can carry."""
    return tuple(span for span in SPANS if n_rows >= ROWS_A_SPAN * span) or (1,)


def robust_width(rows: Floats) -> Floats:
    """Return the width of each channel (channels,): the spread of its middle half, as of a normal distribution.

    A channel whose middle half hardly moves, such as one of few steps, has its plain deviation.
    """
    low, high = np.quantile(rows, (0.25, 0.75), axis=0)
    width = (high - low) / 1.349
    plain = rows.std(axis=0)
    return np.asarray(np.where(width > 0.1 * plain, width, plain))


def check_rows(rows: Floats, channels: Sequence[str], *, at_least: int = MIN_ROWS) -> None:
    """Raise InvalidRows where rows are too few, of the wrong shape, or hold what is no number."""
    if rows.ndim != 2 or rows.shape[1] != len(channels) or not 0 < len(channels) <= MAX_CHANNELS:
        raise InvalidRows(f"rows of shape {rows.shape} for {len(channels)} channels; at most {MAX_CHANNELS}")
    if len(rows) < at_least:
        raise InvalidRows(f"{len(rows)} rows are too few: at least {at_least} are needed")
    if np.isfinite(rows).all():
        return
    row, column = np.argwhere(~np.isfinite(rows))[0]
    raise InvalidRows(f"{channels[column]}: row {row} is {rows[row, column]}: only finite numbers can be learned")


def numbers(values: Floats) -> tuple[float, ...]:
    """Return the values, row after row."""
    return tuple(values.ravel().tolist())


def _moving(rows: Floats, channels: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return which channels move, and a note for each that does not: rounding is no movement."""
    is_moving = rows.std(axis=0) > 1e-9 * np.abs(rows).max(axis=0)
    if not is_moving.any():
        raise InvalidRows(f"{', '.join(channels)}: constant, nothing can be learned")
    still = np.flatnonzero(~is_moving).tolist()
    notes = tuple(f"{channels[i]} is always {rows[0, i]:g}: left out" for i in still)
    return np.flatnonzero(is_moving).tolist(), notes


def _spans(n_rows: int, options: FitOptions) -> tuple[int, ...]:
    spans = options.spans or chosen_spans(n_rows)
    if min(spans) < 1 or options.smooth < 1 or not 0 < options.alarm_share < 1:
        raise InvalidRows(f"spans {spans}, smooth {options.smooth}, alarm_share {options.alarm_share}: not possible")
    if n_rows < max(MIN_ROWS, 2 * FOLDS * max(spans)):
        raise InvalidRows(f"{n_rows} rows are too few for means over {max(spans)}: {2 * FOLDS * max(spans)} are needed")
    return spans
