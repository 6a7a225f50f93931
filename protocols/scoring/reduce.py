"""A model without a channel that is missing, and a fleet's model with an asset's own scale: no covariance anew.

A missing channel is never filled in: what is left of the covariance is whitened by itself (a normal distribution's
marginal), and the threshold is moved as chi-squared moves with fewer degrees of freedom.
"""

from collections.abc import Collection

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols.scoring.fit import RANGE_SIGMAS, back_layer, robust_scale
from protocols.scoring.model import Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.quantise import quantise_within
from protocols.scoring.scorer import Scorer
from protocols.scoring.scores import body_of, tail_of
from protocols.scoring.tflite import write_tflite
from protocols.scoring.whitening import whiten

Floats = NDArray[np.float64]
UPPER_Z = 2.326
"""Of the standard normal distribution at 99 %."""


def without(scoring: Scoring, channels: Collection[str]) -> Fitted:
    """Return the model of the channels that are left; raise InvalidRows where none is, or for a network of layers."""
    if scoring.kind is not ScoringKind.WHITENING or not scoring.axes:
        raise InvalidRows(f"a model of kind {scoring.kind} cannot do without {', '.join(sorted(channels))}")
    n = len(scoring.channels)
    keep = [i for i, channel in enumerate(scoring.channels) if channel not in channels]
    if not keep:
        raise InvalidRows(f"without {', '.join(sorted(channels))} no channel is left")
    axes = np.asarray(scoring.axes).reshape(-1, n, n)
    covariances = np.linalg.inv(axes.transpose(0, 2, 1) @ axes)
    whitenings = [whiten(covariance[np.ix_(keep, keep)]) for covariance in covariances]
    shift = _log_quantile(len(keep)) - _log_quantile(n)
    scale = np.concatenate([whitening.gains for whitening in whitenings])
    reduced = msgspec.structs.replace(
        scoring,
        channels=tuple(scoring.channels[i] for i in keep),
        center=tuple(scoring.center[i] for i in keep),
        width=tuple(scoring.width[i] for i in keep),
        threshold=scoring.threshold + shift,
        axes=tuple(tuple(whitening.axes.ravel().tolist()) for whitening in whitenings),
        gains=tuple(scale.tolist()),
        body=tuple(point + shift for point in scoring.body),
    )
    return Fitted(reduced, write_tflite(quantise_within([back_layer(whitenings)], [RANGE_SIGMAS] * 2)))


def adapt_to(scoring: Scoring, network: Network, rows: Floats) -> Scoring:
    """Return the scoring with scale and threshold learned from an asset's normal rows (n, channels).

    Raises InvalidRows for rows that nothing can be learned from.
    """
    needed = max(scoring.spans) * 2 + scoring.smooth
    if len(rows) < needed:
        raise InvalidRows(f"{len(rows)} rows are too few to adapt to: {needed} are needed")
    scale = robust_scale(rows)
    own = msgspec.structs.replace(scoring, center=tuple(scale.center.tolist()), width=tuple(scale.width.tolist()))
    raw = Scorer(own, network).take(rows, may_adapt=False).raw
    raw = raw[np.isfinite(raw)]
    threshold = float(np.quantile(raw, 1 - scoring.alarm_share))
    return msgspec.structs.replace(
        own, threshold=threshold, body=body_of(raw, threshold), tail=tail_of(raw, threshold), rows=len(rows)
    )


def _log_quantile(n: int) -> float:
    """Return log of the 99 % point of chi-squared with n degrees over n (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * n)
    return float(3 * np.log(1 - spread + UPPER_Z * np.sqrt(spread)))
