"""Reconstruction: what autoencoders share: each machine's own scale, rows in order of time, a threshold of later rows.

One network for a fleet, scale and threshold for each machine: learned per machine, small autoencoders find less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from pydantic import Field

from cloud.errors import Invalid
from cloud.learning.algorithm import Learned, Settings, Task
from cloud.learning.algorithms.scored import Scored, open_network, period_of
from cloud.learning.calibration import Calibration
from cloud.learning.soundness import normal_rows, require_columns, require_finite, require_rows, require_variation
from cloud.learning.table import Floats, Table
from protocols.scoring.fit import chosen_spans, robust_width
from protocols.scoring.model import MAX_CHANNELS, Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.reduce import adapt_to
from protocols.scoring.scorer import Scorer
from protocols.scoring.windows import trailing_means

MIN_ROWS = 200
LEARN = 0.6
"""Share of a machine's rows that weights are learned from; those after it end the training and give the threshold."""


class ReconstructionSettings(Settings):
    """alarm_share: of normal rows over the threshold; spans: rows of each mean, chosen from the rows where none is.

    smooth: rows of the last mean of log scores; period_s: time from row to row, taken from the times where known.
    """

    alarm_share: Annotated[float, Field(ge=1e-4, le=0.5)] = 0.01
    spans: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(max_length=8)] = ()
    smooth: Annotated[int, Field(ge=1, le=1_000)] = 5
    period_s: Annotated[float, Field(gt=0, le=86_400)] = 1.0
    epochs: Annotated[int, Field(ge=1, le=2_000)] = 80
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3


@dataclass(frozen=True, slots=True)
class Prepared:
    """Normal rows of each machine; learn, stop: features (n, spans * channels), span after span, in its own scale."""

    table: Table
    spans: tuple[int, ...]
    learn: Floats
    stop: Floats


def prepare(table: Table, settings: ReconstructionSettings) -> Prepared:
    """Return what an autoencoder trains on; raise Invalid naming what nothing can be learned from."""
    require_columns(table)
    if len(table.columns) > MAX_CHANNELS:
        raise Invalid(f"columns: {len(table.columns)} are more than the {MAX_CHANNELS} of a gateway's model")
    table = normal_rows(table)
    require_rows(table, MIN_ROWS)
    require_finite(table)
    require_variation(table)
    runs = list(table.runs())
    shortest = min(len(rows) for rows in runs)
    spans = settings.spans or chosen_spans(int(shortest * (1 - LEARN)))
    if shortest < 10 * max(spans) + settings.smooth:
        raise Invalid(
            f"rows: a machine has {shortest}, its windows of {max(spans)} rows need {10 * max(spans) + settings.smooth}"
        )
    features = [_features(table.values[rows], spans) for rows in runs]
    learn = np.concatenate([part[: int(LEARN * len(part))] for part in features])
    stop = np.concatenate([part[int(LEARN * len(part)) :] for part in features])
    return Prepared(table, spans, learn, stop)


def _features(rows: Floats, spans: Sequence[int]) -> Floats:
    means = trailing_means((rows - np.median(rows, axis=0)) / robust_width(rows), spans)
    return means.reshape(len(means), -1)


def finish(
    name: str, prepared: Prepared, settings: ReconstructionSettings, data: bytes, exact: Network | None = None
) -> Scored:
    """Return the model of a trained network, with scale and threshold of each machine.

    exact: the same network in floats, for how often both say the same of a row.
    """
    table, network = prepared.table, open_network(data)
    scoring = _scoring(prepared, settings)
    runs = list(table.runs())
    of_machine = [_own_scoring(scoring, network, table.values[rows]) for rows in runs]
    if len(runs) == 1 or table.groups is None:
        scoring, by_machine = of_machine[0], {}
    else:
        by_machine = {int(table.groups[rows[0]]): own for rows, own in zip(runs, of_machine, strict=True)}
        scoring = _middle(of_machine)
    figures = {"rows": float(len(table)), "threshold": scoring.threshold, "network_bytes": float(len(data))}
    if exact is not None:
        figures["int8_agreement"] = _agreement(of_machine, network, exact, [table.values[rows] for rows in runs])
    learned = Learned(name, Task.ANOMALY, table.columns, ("normal", "anomaly"), settings, figures)
    return Scored(learned, Fitted(scoring, data, figures), by_machine, is_fleet=len(runs) > 1)


def _scoring(prepared: Prepared, settings: ReconstructionSettings) -> Scoring:
    n = len(prepared.table.columns)
    return Scoring(
        kind=ScoringKind.RECONSTRUCTION,
        channels=prepared.table.columns,
        period_s=period_of(prepared.table, settings.period_s),
        spans=prepared.spans,
        center=(0.0,) * n,
        width=(1.0,) * n,
        smooth=settings.smooth,
        threshold=0.0,
        alarm_share=settings.alarm_share,
        rows=len(prepared.table),
    )


def _own_scoring(scoring: Scoring, network: Network, rows: Floats) -> Scoring:
    """Return it with the scale of these rows, and the threshold of those that no weight was learned from."""
    try:
        own = adapt_to(scoring, network, rows)
    except InvalidRows as error:
        raise Invalid(f"rows: {error}") from error
    raw = Scorer(own, network).take(rows, may_adapt=False).raw[int(LEARN * len(rows)) :]
    calibration = Calibration.of(raw[np.isfinite(raw)], scoring.alarm_share)
    return msgspec.structs.replace(own, threshold=calibration.threshold, body=calibration.body, tail=calibration.tail)


def _agreement(of_machine: Sequence[Scoring], network: Network, exact: Network, parts: Sequence[Floats]) -> float:
    same = [
        Scorer(scoring, network).take(rows, may_adapt=False).is_over
        == Scorer(scoring, exact).take(rows, may_adapt=False).is_over
        for scoring, rows in zip(of_machine, parts, strict=True)
    ]
    return float(np.concatenate(same).mean())


def _middle(scorings: Sequence[Scoring]) -> Scoring:
    """Return the scoring of a machine nobody knows yet: the middle of all, until it learns its own."""
    order = np.argsort([one.threshold for one in scorings])
    middle = scorings[order[len(order) // 2]]
    center = np.median([one.center for one in scorings], axis=0)
    width = np.median([one.width for one in scorings], axis=0)
    known: Scoring = msgspec.structs.replace(middle, center=tuple(center.tolist()), width=tuple(width.tolist()))
    return known
