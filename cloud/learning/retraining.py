"""Retraining: a detector learns anew from stored readings and labels, and serves only where it does no worse.

The rows are split by time: the earlier ones teach the challenger, the later ones and all recorded faults judge both.
Where there is no champion yet, the gateways' own models stand for it, with what they really did.
Rows that operators called a true fault teach nothing; those of a false alarm are normal, and teach. What was compared
is what is shipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from cloud.domain.autonomy import rank
from cloud.domain.drift import Baseline
from cloud.domain.label import Label, Verdict
from cloud.domain.model import CHALLENGER, CHAMPION, Task
from cloud.domain.retraining import Retraining, Showing, compare
from cloud.domain.times import to_datetime
from cloud.errors import Invalid, NotFound
from cloud.learning.algorithm import Part, Portable, Progress, read_settings
from cloud.learning.algorithm import Task as Learning
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.algorithms.scored import open_network
from cloud.learning.drawing import Drawn, draw_rows
from cloud.learning.judging import Contestant, agreement, figures_of, judge
from cloud.learning.packaging import About, make_package
from cloud.learning.recorded import own_showing
from cloud.learning.registry import Registry
from cloud.learning.retrain_request import RetrainRequest
from cloud.learning.rivals import rivals_of
from cloud.learning.table import Table
from cloud.ports import Clock, ReadingStore, SeriesKey
from cloud.records.database import Records
from cloud.records.drift import set_baseline
from cloud.records.jobs import Outcome
from cloud.records.labels import list_labels
from cloud.records.models import set_alias
from cloud.records.retrainings import add_retraining
from protocols.package import Lineage, Package, unpack_package
from protocols.scoring.model import Fitted

DEFAULT_ALGORITHM = "whitening"
_TAUGHT_SHARE = 0.7
_SETTLING_ROWS = 60
"""After a fault: rows of the longest window, in which it is still seen."""


@dataclass(frozen=True, slots=True)
class Retrainer:
    """What a retraining uses."""

    records: Records
    clock: Clock
    registry: Registry
    store: ReadingStore


@dataclass(frozen=True, slots=True, eq=False)
class _Grounds:
    """All that is learned from and judged by; cut_us: rows up to then teach, later ones judge.

    settle_us: for so long after its end a fault is still seen.
    """

    plan: RetrainRequest
    rows: Drawn
    labels: Sequence[Label]
    cut_us: int
    settle_us: int
    normal: Drawn
    champion: int | None
    champion_package: Package | None


@dataclass(frozen=True, slots=True, eq=False)
class _Contest:
    """What came of it: the challenger's fit, how both did, and how far int8 agrees."""

    fitted: Fitted
    is_fleet: bool
    algorithm: str
    shown: Showing
    agreed: float
    package: Package


def retrain(parts: Retrainer, request: RetrainRequest, *, job_id: str, by: str, progress: Progress) -> Outcome:
    """Return a challenger with the verdict on it; raise Invalid, NotFound, Cancelled, Unavailable."""
    grounds = _prepare(parts, request, progress)
    contest = _best(parts, grounds, lambda share, step: progress(0.3 + 0.6 * share, step), by)
    progress(0.9, "comparing")
    before = _judge_champion(parts, grounds)
    verdict = compare(before, contest.shown, contest.agreed)
    retraining = Retraining(
        id=job_id,
        model=grounds.plan.model,
        cause=grounds.plan.cause,
        at=to_datetime(parts.clock.now_us()),
        is_promoted=verdict.is_promoted,
        champion=grounds.champion,
        challenger=None,
        reasons=verdict.reasons,
        figures=_figures(grounds, contest, before),
    )
    return _outcome(parts, retraining, contest.package, grounds.normal, by)


def package_of(registry: Registry, model: str, alias: str | None = None) -> tuple[int, Package] | None:
    """Return number and package of a version by its alias, else of the one that is shown; None where there is none."""
    try:
        found = registry.version(model, alias)
    except NotFound:
        return None
    if not found.has_package:
        raise Invalid(f"model: {found.label} runs on no gateway", code="NO_PACKAGE", details={"field": "model"})
    return found.version, unpack_package(registry.read(found))


def _prepare(parts: Retrainer, request: RetrainRequest, progress: Progress) -> _Grounds:
    progress(0.0, "reading")
    champion = package_of(parts.registry, request.model, CHAMPION)
    known = champion or package_of(parts.registry, request.model)
    plan = _with_algorithm(request.filled(None if known is None else known[1].card))
    wish = plan.wish(parts.clock.now_us())
    rows = draw_rows(parts.store, wish, lambda share: progress(0.3 * share, "reading"))
    with parts.records.reading() as session:
        labels = [
            label
            for source, device in rows.devices
            for label in list_labels(session, source=source, device=device, from_us=wish.start_us, to_us=wish.end_us)
        ]
    whole = rows.complete()
    settle_us = round(_SETTLING_ROWS * rows.period_s * 1e6)
    normal = whole.take(~whole.within(labels, Verdict.TRUE_FAULT, after_us=settle_us))
    if not len(normal):
        raise Invalid("rows: none is complete and without a fault", code="NO_ROWS", details={"field": "days"})
    cut_us = int(np.quantile(normal.time_us, _TAUGHT_SHARE))
    taught = normal.take(normal.time_us <= cut_us)
    number, package = champion or (None, None)
    return _Grounds(plan, rows, labels, cut_us, settle_us, taught, number, package)


def _with_algorithm(plan: RetrainRequest) -> RetrainRequest:
    """Return the plan with the algorithm to learn by: what a gateway fitted itself is fitted by the same function."""
    name = plan.algorithm if plan.algorithm in ALGORITHMS else DEFAULT_ALGORITHM
    if ALGORITHMS[name].task is not Learning.ANOMALY:
        issue = f"{name} finds no anomalies"
        raise Invalid(f"algorithm: {issue}", details={"field": "algorithm", "issue": issue})
    return msgspec.structs.replace(plan, algorithm=name)


def _learn(plan: RetrainRequest, rows: Drawn, progress: Progress) -> Portable:
    algorithm = ALGORITHMS[plan.algorithm]
    groups = rows.device if len(rows.devices) > 1 else None
    table = Table(rows.tags, rows.values, time_us=rows.time_us, groups=groups)
    trained = algorithm.fit(table, read_settings(algorithm.settings, plan.settings), progress, plan.seed)
    if not isinstance(trained, Portable):
        issue = f"{plan.algorithm} makes no model that gateways can run"
        raise Invalid(f"algorithm: {issue}", details={"field": "algorithm", "issue": issue})
    return trained


def _best(parts: Retrainer, grounds: _Grounds, progress: Progress, by: str) -> _Contest:
    """Return how the best candidate did; one that these rows do not suit is left out, the first excepted."""
    plans = rivals_of(grounds.plan, machines=len(grounds.rows.devices))
    held: list[_Contest] = []
    for number, plan in enumerate(plans):
        part = Part(progress, number, len(plans))
        part(0.0, f"learning {plan.algorithm}")
        try:
            learned = _learn(plan, grounds.normal, part)
            held.append(_hold(parts, grounds, learned, plan, by))
        except Invalid:
            if not held:
                raise
    return min(held, key=lambda one: rank(one.shown))


def _hold(parts: Retrainer, grounds: _Grounds, learned: Portable, plan: RetrainRequest, by: str) -> _Contest:
    fitted = learned.fitted()
    network = open_network(fitted.network)
    challenger = Contestant(fitted.scoring, network, learned.is_fleet)
    shown = judge(challenger, grounds.rows, grounds.labels, grounds.cut_us)
    later = grounds.rows.select(fitted.scoring.channels).complete()
    agreed = agreement(fitted, network, later.take(later.time_us > grounds.cut_us))
    first = grounds.normal.take(grounds.normal.device == 0).select(fitted.scoring.channels)
    about = _about(parts, replace(grounds, plan=plan), fitted, shown, by, is_fleet=learned.is_fleet)
    package = make_package(fitted, network, first.values, about)
    return _Contest(fitted, learned.is_fleet, plan.algorithm, shown, agreed, package)


def _judge_champion(parts: Retrainer, grounds: _Grounds) -> Showing | None:
    """Return how the champion does on the same rows, the gateways' own models where there is none.

    None where no gateway judged, or the champion's Tags were not asked for.
    """
    package = grounds.champion_package
    if package is None:
        with parts.records.reading() as session:
            return own_showing(session, parts.store, grounds.rows, grounds.labels, grounds.cut_us, grounds.settle_us)
    if not set(package.card.scoring.channels) <= set(grounds.rows.tags):
        return None
    champion = Contestant(package.card.scoring, open_network(package.network), package.card.is_fleet)
    return judge(champion, grounds.rows, grounds.labels, grounds.cut_us)


def _about(parts: Retrainer, grounds: _Grounds, fitted: Fitted, shown: Showing, by: str, *, is_fleet: bool) -> About:
    normal, plan = grounds.normal, grounds.plan
    lineage = Lineage(
        made_at_us=parts.clock.now_us(),
        made_by=by,
        algorithm=plan.algorithm,
        rows=len(normal),
        from_us=int(normal.time_us.min()),
        to_us=int(normal.time_us.max()),
        devices=plan.devices,
        labels=len(grounds.labels),
    )
    metrics = {
        "alarms_per_day": shown.alarms_per_day,
        "alarm_share": fitted.scoring.alarm_share,
        "period_s": fitted.scoring.period_s,
    }
    metrics |= {} if shown.recall is None else {"recall": shown.recall}
    return About(plan.model, lineage, metrics, is_fleet)


def _figures(grounds: _Grounds, contest: _Contest, before: Showing | None) -> dict[str, object]:
    return {
        "champion": None if before is None else figures_of(before),
        "algorithm": contest.algorithm,
        "candidates": grounds.plan.rivals,
        "challenger": figures_of(contest.shown),
        "int8_agreement": contest.agreed,
        "rows": len(grounds.rows),
        "held_out_rows": int((grounds.rows.time_us > grounds.cut_us).sum()),
        "period_s": grounds.rows.period_s,
    }


def _outcome(parts: Retrainer, retraining: Retraining, package: Package, normal: Drawn, by: str) -> Outcome:
    result: dict[str, object] = {
        "model": retraining.model,
        "promoted": retraining.is_promoted,
        "reasons": list(retraining.reasons),
        "figures": dict(retraining.figures),
    }

    def keep(session: Session) -> None:
        version = parts.registry.add_version(
            retraining.model,
            algorithm=package.card.lineage.algorithm,
            task=Task.ANOMALY,
            by=by,
            package=package,
            card={
                "retraining": retraining.id,
                "verdict": "promoted" if retraining.is_promoted else "refused",
                "comparison": _comparison(retraining),
            },
            session=session,
        )
        result["version"] = version.version
        add_retraining(session, replace(retraining, challenger=version.version))
        if retraining.is_promoted:
            set_alias(session, retraining.model, CHALLENGER, version.version)
            _keep_baselines(session, retraining, normal, version.label)

    return Outcome(result, keep)


def _comparison(retraining: Retraining) -> dict[str, object]:
    """Return how challenger and champion did on the same rows, as the challenger's card keeps it."""
    return {
        "champion": retraining.champion,
        "champion_metrics": retraining.figures.get("champion"),
        "challenger_metrics": retraining.figures.get("challenger"),
        "rows": retraining.figures.get("held_out_rows"),
        "is_better": retraining.is_promoted,
        "reasons": list(retraining.reasons),
    }


def _keep_baselines(session: Session, retraining: Retraining, rows: Drawn, label: str) -> None:
    """Keep what the model learned from as what drift is measured against."""
    for number, (source, device) in enumerate(rows.devices):
        mine = rows.take(rows.device == number)
        if not len(mine):
            continue
        start_us, end_us = int(mine.time_us[0]), int(mine.time_us[-1])
        for index, tag in enumerate(rows.tags):
            key = SeriesKey(source, device, tag)
            set_baseline(session, Baseline(key, mine.values[:, index], start_us, end_us, retraining.at, label))
