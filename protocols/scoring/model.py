"""Scoring and Fitted: all that a scorer needs to know beside its int8 network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec

from protocols.errors import ProtocolError
from protocols.tag import Name

MAX_CHANNELS = 64
Numbers = tuple[float, ...]


class ScoringKind(StrEnum):
    """What the network's output means."""

    WHITENING = "whitening"
    """The features whitened: their squares add up to T-squared."""
    RECONSTRUCTION = "reconstruction"
    """The features as the network would have them: what differs is the anomaly."""


class InvalidRows(ProtocolError):
    """Rows that nothing can be learned from; says which channel and why."""


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rows are extended by; see `context.py`.

    load: weights of the scaled channels; memory: spans in rows; center: means of what a row is extended by; covariance:
    of the scaled channels alone, row after row, for a model without one of them.
    """

    load: Numbers
    memory: tuple[Annotated[int, msgspec.Meta(ge=1, le=100_000)], ...]
    center: Numbers
    covariance: Numbers


class Scoring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows become scores.

    channels: Tags in the order of the columns; period_s: time from row to row; spans: rows of each trailing mean, the
    features are laid out span after span; center, width: scale by channel; smooth: rows of the last short mean of log
    scores; threshold: of that mean; alarm_share: share of normal rows over the threshold, cross-fitted; rows: how many
    rows it was fitted on.
    axes: row after row, the matrix that makes scaled means, with their context where there is one, into independent
    features, one a channel, in floats; none: they are the features.
    spread: by output, the deviation that normal rows had in blocks not learned from, which the network divides by.
    limits: by output, how many deviations are as rare as the threshold means; with them a row counts by the output that
    is most times its limit, by the mean square of its outputs without.
    body: scores of normal rows at evenly spaced shares of those under the threshold; tail: mean excess of the highest.
    """

    kind: ScoringKind
    channels: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=MAX_CHANNELS)]
    period_s: Annotated[float, msgspec.Meta(gt=0)]
    spans: tuple[int, ...]
    center: Numbers
    width: Numbers
    smooth: Annotated[int, msgspec.Meta(ge=1)] = 1
    threshold: float
    alarm_share: float = 0.01
    rows: int = 0
    axes: Numbers = ()
    context: Context | None = None
    spread: Numbers = ()
    limits: Numbers = ()
    body: Numbers = ()
    tail: Annotated[float, msgspec.Meta(gt=0)] = 1.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model: how to score, the int8 network as TFLite, figures of the fit by name, and what people should know.

    notes: such as channels left out of the scoring because they never moved.
    """

    scoring: Scoring
    network: bytes
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
