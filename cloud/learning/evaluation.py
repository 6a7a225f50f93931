"""Evaluation: how good an algorithm is on rows it has not learned from; what can be said where nobody knows the truth.

Whatever is chosen, such as a threshold, is chosen inside the rows learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from cloud.learning.algorithm import Algorithm, Part, Progress, Settings, Task, Trained
from cloud.learning.folds import Fold, chained_folds, folds_of, hold_out
from cloud.learning.metrics import (
    auc_pr,
    auc_roc,
    brier,
    coverage,
    decision,
    mean_absolute_error,
    pinball,
    root_mean_square_error,
)
from cloud.learning.soundness import normal_rows
from cloud.learning.table import Floats, Table
from protocols.scoring.episodes import EpisodeRules, Episodes, Opened

DAY_S = 86_400.0
FOLDS = 5
LABEL_FREE = ("score_separation", "expected_alarms_per_day", "over_share")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """figures: by name, all finite; what cannot be measured, such as recall without a fault, is not among them.

    spread: the standard deviation of each over the folds.
    """

    figures: Mapping[str, float]
    rows: int
    folds: int
    spread: Mapping[str, float] = field(default_factory=dict)


def evaluate(
    algorithm: Algorithm, table: Table, settings: Settings, progress: Progress, seed: int, *, share: float = 0.2
) -> Evaluated:
    """Return how good it is on the last share of the rows, learned from those before."""
    return _evaluated(algorithm, table, settings, progress, seed, (hold_out(table, share),))


def cross_validate(
    algorithm: Algorithm, table: Table, settings: Settings, progress: Progress, seed: int, *, n_folds: int = FOLDS
) -> Evaluated:
    """Return how good it is over folds: forward in time for what has an order, else whole machines, or drawn rows.

    Rows without a time are taken to be in the order in which they happened, where it is anomalies that are found.
    """
    has_time = table.time_us is not None
    is_in_time = (algorithm.task is Task.FORECAST and has_time) or (
        algorithm.task is Task.ANOMALY and (has_time or table.groups is None)
    )
    folds = _chained(table, n_folds) if is_in_time else folds_of(table, n_folds, seed)
    return _evaluated(algorithm, table, settings, progress, seed, folds)


def _chained(table: Table, n_folds: int) -> Sequence[Fold]:
    times = np.arange(len(table)) if table.time_us is None else table.time_us
    return tuple(chained_folds(times, n_folds))


def _evaluated(
    algorithm: Algorithm, table: Table, settings: Settings, progress: Progress, seed: int, folds: Sequence[Fold]
) -> Evaluated:
    found, weights = [], []
    for i, fold in enumerate(folds):
        trained = algorithm.fit(table.take(fold.learn), settings, Part(progress, i, len(folds)), seed)
        found.append(figures_of(trained, table.take(fold.judge)))
        weights.append(len(fold.judge))
    names = sorted({name for figures in found for name in figures})
    means = {name: _mean(name, found, weights) for name in names}
    spread = {name: float(np.std([figures[name] for figures in found if name in figures])) for name in names}
    return Evaluated(means, sum(weights), len(folds), spread)


def _mean(name: str, found: Sequence[Mapping[str, float]], weights: Sequence[int]) -> float:
    pairs = [(figures[name], weight) for figures, weight in zip(found, weights, strict=True) if name in figures]
    return float(np.average([value for value, _ in pairs], weights=[weight for _, weight in pairs]))


def figures_of(trained: Trained, table: Table) -> dict[str, float]:
    """Return the figures of a model on rows with a target; for detectors without one, what can be said all the same."""
    match trained.learned.task:
        case Task.CLASSIFICATION:
            return _class_figures(trained, table)
        case Task.REGRESSION:
            return _value_figures(table.labels(), trained.predict(table))
        case Task.FORECAST:
            return _quantile_figures(trained, table)
        case Task.ANOMALY:
            return _anomaly_figures(trained, table)


def _class_figures(trained: Trained, table: Table) -> dict[str, float]:
    truth, said = table.labels(), trained.predict(table)
    classes = range(len(trained.learned.classes))
    each = [decision(truth == one, said == one) for one in classes if (truth == one).any()]
    figures = {
        "accuracy": float((truth == said).mean()),
        "f1_macro": float(np.mean([one.f1 for one in each])),
    }
    if len(trained.learned.classes) > 2:
        figures["precision"] = float(np.mean([one.precision for one in each]))
        figures["recall"] = float(np.mean([one.recall for one in each]))
    if len(trained.learned.classes) == 2:
        probability = trained.outputs(table)[:, 1]
        figures |= _found(truth > 0, said > 0, probability)
        figures["brier"] = brier(truth > 0, probability)
    return figures


def _found(truth: NDArray[np.bool_], is_over: NDArray[np.bool_], score: Floats) -> dict[str, float]:
    if not truth.any():
        return {"far": decision(truth, is_over).far}
    one = decision(truth, is_over)
    figures = {"f1": one.f1, "precision": one.precision, "recall": one.recall, "far": one.far, "mar": one.mar}
    if not truth.all():
        figures["auc_roc"] = auc_roc(truth, score)
    return {**figures, "auc_pr": auc_pr(truth, score), "base_rate": float(truth.mean())}


def _value_figures(truth: Floats, said: Floats) -> dict[str, float]:
    figures = {"rmse": root_mean_square_error(truth, said), "mae": mean_absolute_error(truth, said)}
    spread = float(truth.var())
    return {**figures, "r2": 1 - figures["rmse"] ** 2 / spread} if spread > 0 else figures


def _quantile_figures(trained: Trained, table: Table) -> dict[str, float]:
    truth, said = table.labels(), trained.outputs(table)
    figures = _value_figures(truth, trained.score(table))
    for i, quantile in enumerate(trained.learned.quantiles):
        name = f"p{100 * quantile:g}"
        figures[f"pinball_{name}"] = pinball(truth, said[:, i], quantile)
        figures[f"coverage_{name}"] = coverage(truth, said[:, i])
    return figures


def _anomaly_figures(trained: Trained, table: Table) -> dict[str, float]:
    score = trained.outputs(table)[:, 0]
    known = np.isfinite(score)
    if not known.any():
        raise Invalid("rows: too few to judge by: none has as many before it as the model looks back over")
    figures = {"over_share": float((score[known] > 0.5).mean()), "score_separation": score_separation(score[known])}
    if table.time_us is not None:
        figures["expected_alarms_per_day"] = alarms_per_day(trained, normal_rows(table))
    if table.target is None:
        return figures
    return {**figures, **_found(table.target[known] > 0, score[known] > 0.5, score[known])}


def score_separation(score: Floats) -> float:
    """Return how far scores (n,) in 0..1 over the threshold are from those below: 0 where none is over, at most 1."""
    over = score > 0.5
    return float(score[over].mean() - score[~over].mean()) if over.any() and not over.all() else 0.0


def alarms_per_day(trained: Trained, table: Table) -> float:
    """Return the episodes that a gateway would have opened on these rows, a day of one machine."""
    if table.time_us is None or not len(table):
        return 0.0
    score = trained.outputs(table)
    opened, days = 0, 0.0
    for rows in table.runs():
        times = table.time_us[rows]
        period_s = max(float(np.median(np.diff(times))) / 1e6, 1e-3) if len(times) > 1 else 1.0
        told = Episodes(EpisodeRules(period_s)).take(times, score[rows, 0], np.ones((len(rows), 1)))
        opened += sum(isinstance(one, Opened) for one in told)
        days += len(rows) * period_s / DAY_S
    return opened / days


def label_free(
    algorithm: Algorithm, table: Table, settings: Settings, progress: Progress, seed: int, *, share: float = 0.2
) -> dict[str, float]:
    """Return score_separation, stability and, where times are known, expected_alarms_per_day on the last rows.

    stability: rank correlation, on those rows, of the scores of two models, each of half of the rows before.
    """
    fold = hold_out(table, share)
    taught, judged = table.take(fold.learn), table.take(fold.judge)
    stability = stability_of(algorithm, taught, judged, settings, Part(progress, 0, 2), seed)
    whole = algorithm.fit(taught, settings, Part(progress, 1, 2), seed)
    figures = {name: value for name, value in figures_of(whole, judged).items() if name in LABEL_FREE}
    return {**figures, **stability}


def stability_of(
    algorithm: Algorithm, taught: Table, judged: Table, settings: Settings, progress: Progress, seed: int
) -> dict[str, float]:
    """Return `stability`, nothing where a half of the rows is too little to learn from."""
    half = len(taught) // 2
    try:
        halves = [
            algorithm.fit(taught.take(rows), settings, Part(progress, i, 2), seed)
            for i, rows in enumerate((slice(0, half), slice(half, None)))
        ]
        scores = [one.outputs(judged)[:, 0] for one in halves]
    except Invalid:
        return {}
    return {"stability": rank_correlation(*scores)}


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation (1904) of the rows (n,) that both know, 0 where one says the same of all."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 2 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(one[known]), _ranks(other[known]))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    middle: Floats = last - (count - 1) / 2
    return middle[place]
