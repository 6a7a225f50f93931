"""A model without a channel that is missing, and a fleet's model with an asset's own scale: no covariance anew.

A missing channel is never filled in: what is left of the covariance has residuals of its own (a normal distribution's
marginal). They are judged by the deviations and the threshold of the whole: a channel that fewer others explain varies
by more, and its residual is in units of that. The load cannot be told without one of its channels: the context goes.
"""

from collections.abc import Collection

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols.scoring.context import memory_of
from protocols.scoring.fit import check_rows, numbers, robust_width
from protocols.scoring.model import Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.scorer import Scorer
from protocols.scoring.scores import LOG_TAIL, body_of, tail_of, threshold_of
from protocols.scoring.whitening import residual_network, spread_of, whiten, whitening_of

Floats = NDArray[np.float64]


def without(scoring: Scoring, channels: Collection[str]) -> Fitted:
    """Return the model of the channels that are left; raise InvalidRows where none is, or for a network of layers."""
    if scoring.kind is not ScoringKind.WHITENING or not scoring.axes:
        raise InvalidRows(f"a model of kind {scoring.kind} cannot do without {', '.join(sorted(channels))}")
    keep = [i for i, channel in enumerate(scoring.channels) if channel not in channels]
    if not keep:
        raise InvalidRows(f"without {', '.join(sorted(channels))} no channel is left")
    covariance = _covariance(scoring)
    whitening = whiten(covariance[np.ix_(keep, keep)])
    spread = spread_of(scoring)[:, keep]
    limits = np.asarray(scoring.limits).reshape(spread_of(scoring).shape)[:, keep]
    reduced = msgspec.structs.replace(
        scoring,
        channels=tuple(scoring.channels[i] for i in keep),
        center=tuple(scoring.center[i] for i in keep),
        width=tuple(scoring.width[i] for i in keep),
        axes=numbers(whitening.axes),
        context=None,
        spread=numbers(spread),
        limits=numbers(limits),
    )
    return Fitted(reduced, residual_network(whitening, spread))


def _covariance(scoring: Scoring) -> Floats:
    n = len(scoring.channels)
    if scoring.context is not None:
        return np.asarray(scoring.context.covariance).reshape(n, n)
    axes = whitening_of(scoring).axes
    return np.asarray(np.linalg.inv(axes.T @ axes), dtype=np.float64)


def adapt_to(scoring: Scoring, network: Network, rows: Floats) -> Scoring:
    """Return the scoring with scale and threshold learned from an asset's normal rows (n, channels).

    Raises InvalidRows for rows that nothing can be learned from.
    """
    check_rows(rows, scoring.channels, at_least=2 * max(scoring.spans) + scoring.smooth + memory_of(scoring))
    width = robust_width(rows)
    still = np.flatnonzero(width == 0)
    if len(still):
        raise InvalidRows(f"{scoring.channels[still[0]]}: constant, no scale can be learned")
    own = msgspec.structs.replace(scoring, center=numbers(rows.mean(axis=0)), width=numbers(width))
    raw = Scorer(own, network).take(rows, may_adapt=False).raw
    raw = raw[np.isfinite(raw)]
    threshold = threshold_of(raw, scoring.alarm_share)
    return msgspec.structs.replace(
        own,
        threshold=threshold,
        body=body_of(raw, threshold),
        tail=tail_of(raw, threshold, prior=LOG_TAIL),
        rows=len(rows),
    )
