"""Judging: how a detector does on stored rows, as a gateway would: its scores, its episodes, the faults it finds."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.domain.label import Label, Verdict
from cloud.domain.retraining import Showing
from cloud.errors import Invalid
from cloud.learning.drawing import Drawn
from cloud.learning.packaging import rows_to_fill
from protocols.scoring.episodes import EpisodeRules, Episodes, Opened
from protocols.scoring.model import Fitted, InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.networks import FloatNetwork
from protocols.scoring.reduce import adapt_to
from protocols.scoring.scorer import Scorer
from protocols.scoring.whitening import residual_layer, spread_of, whitening_of

Floats = NDArray[np.float64]
_DAY_US = 86_400 * 1_000_000
_GAP_ROWS = 5
_ROWS_AT_ONCE = 50
"""As on a gateway, what is taken for normal follows only while no run is under way: so often is that asked."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A detector that is judged: how it scores, the network that runs, and whether each machine adapts it."""

    scoring: Scoring
    network: Network
    is_fleet: bool = False


def judge(one: Contestant, rows: Drawn, labels: Sequence[Label], cut_us: int) -> Showing:
    """Return how a detector does on the complete rows after `cut_us`, and on all recorded faults; raise Invalid."""
    own = rows.select(one.scoring.channels).complete()
    if not one.is_fleet:
        return judge_rows(one.scoring, one.network, own, labels, cut_us)
    machines = [own.take(own.device == number) for number in range(len(own.devices))]
    shown = [
        judge_rows(_adapted(one, mine, labels, cut_us), one.network, mine, labels, cut_us)
        for mine in machines
        if len(mine)
    ]
    return Showing(
        sum(each.alarms_per_day for each in shown) / max(len(shown), 1),
        sum(each.found for each in shown),
        sum(each.faults for each in shown),
    )


def _adapted(one: Contestant, rows: Drawn, labels: Sequence[Label], cut_us: int) -> Scoring:
    """Return a fleet's scoring with the scale and threshold that this machine's earlier rows teach."""
    taught = rows.take((rows.time_us <= cut_us) & ~rows.within(labels, Verdict.TRUE_FAULT))
    try:
        return adapt_to(one.scoring, one.network, taught.values)
    except InvalidRows as error:
        raise Invalid(f"rows: {error}", details={"field": "days"}) from error


def judge_rows(
    scoring: Scoring, network: Network, rows: Drawn, labels: Sequence[Label], counted_from_us: int
) -> Showing:
    """Return how a model does: false alarms on rows from `counted_from_us` on, faults over all of them."""
    opened: list[tuple[int, int]] = []
    for number in range(len(rows.devices)):
        mine = rows.take(rows.device == number)
        opened += [(number, one.at_us) for one in _episodes(scoring, network, mine)]
    reach_us = round(rows_to_fill(scoring, network) * rows.period_s * 1e6)
    return counted(opened, rows, labels, counted_from_us, reach_us)


def counted(
    opened: Sequence[tuple[int, int]], rows: Drawn, labels: Sequence[Label], counted_from_us: int, reach_us: int
) -> Showing:
    """Return what these openings, as (device, time), come to on these rows.

    reach_us: so long a fault is still seen after its end, and may be seen before it was by whom it was labelled.
    """
    faults = [one for one in labels if one.verdict is Verdict.TRUE_FAULT and _has_rows(rows, one)]
    is_counted = rows.time_us > counted_from_us
    normal = int((is_counted & ~rows.within(faults, Verdict.TRUE_FAULT, after_us=reach_us)).sum())
    days = normal * rows.period_s * 1e6 / _DAY_US
    near = [[_meets(rows, fault, one, reach_us, reach_us) for fault in faults] for one in opened]
    false = [one for one, met in zip(opened, near, strict=True) if one[1] > counted_from_us and not any(met)]
    found = sum(any(_meets(rows, fault, one, reach_us, 0) for one in opened) for fault in faults)
    return Showing(len(false) / days if days else 0.0, found, len(faults))


def agreement(fitted: Fitted, network: Network, rows: Drawn) -> float:
    """Return the share of rows on which int8 and exact arithmetic say the same: over the threshold, or not.

    A model of layers brings the figure from its own fit as `int8_agreement`; 0 where nobody measured it.
    """
    if fitted.scoring.kind is not ScoringKind.WHITENING or not fitted.scoring.axes:
        return fitted.figures.get("int8_agreement", 0.0)
    same, total = 0, 0
    for number in range(len(rows.devices)):
        values = rows.values[rows.device == number]
        told, exact = (
            Scorer(fitted.scoring, one).take(values, may_adapt=False)
            for one in (network, exact_network(fitted.scoring))
        )
        known = ~np.isnan(told.raw)
        same += int((told.is_over == exact.is_over)[known].sum())
        total += int(known.sum())
    return same / total if total else 0.0


def exact_network(scoring: Scoring) -> Network:
    """Return a whitening model's network in floats."""
    return FloatNetwork([residual_layer(whitening_of(scoring), spread_of(scoring))])


def _episodes(scoring: Scoring, network: Network, rows: Drawn) -> list[Opened]:
    """Return the episodes that one Device's rows open; windows never reach across a gap."""
    scorer, episodes = Scorer(scoring, network), Episodes(EpisodeRules(scoring.period_s))
    gap_us = round(_GAP_ROWS * rows.period_s * 1e6)
    opened: list[Opened] = []
    for stretch in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows.time_us) > gap_us) + 1):
        scorer.reset()
        for first in range(0, len(stretch), _ROWS_AT_ONCE):
            part = stretch[first : first + _ROWS_AT_ONCE]
            judged = scorer.take(rows.values[part], may_adapt=not episodes.is_running)
            told = episodes.take(rows.time_us[part], judged.score, judged.shares)
            opened += [one for one in told if isinstance(one, Opened)]
    return opened


def _meets(rows: Drawn, fault: Label, one: tuple[int, int], before_us: int, after_us: int) -> bool:
    number, at_us = one
    is_device = rows.devices[number] == (fault.source, fault.device)
    return is_device and fault.from_us - before_us <= at_us < fault.to_us + after_us


def _has_rows(rows: Drawn, fault: Label) -> bool:
    return bool(rows.within([fault], Verdict.TRUE_FAULT).any())


def figures_of(showing: Showing) -> dict[str, object]:
    """Return a showing as JSON has it."""
    told: dict[str, object] = msgspec.to_builtins(showing)
    return {**told, "recall": showing.recall}
