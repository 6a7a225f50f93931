"""Inference: what models say of rows, and why; one way for every page that asks, whatever it calls it.

Blocking and without HTTP; callers run it on threads of its own. Heavy libraries come with the first model that needs
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloud.domain.model import CHAMPION, Model, ModelVersion
from cloud.errors import Conflict, Invalid, NotFound
from cloud.learning.algorithm import Portable, Task, Trained
from cloud.learning.algorithms.boosted import Boosted
from cloud.learning.algorithms.isolation_forest import Isolated
from cloud.learning.preparing import Prepared
from cloud.learning.registry import Registry
from cloud.learning.rows import Row, read_rows, require_known_levels
from cloud.learning.shelf import Ready, Shelf
from cloud.learning.table import Floats, Table

AUTO = "auto"
HALF = 0.5
_LEAST_SHARE, _MOST_SHARE = 1e-4, 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class RowScores:
    """Of n rows: score (n,) in 0..1 with .5 at the threshold; is_over (n,); version: `name@number` that said so."""

    score: Floats
    is_over: NDArray[np.bool_]
    version: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one row; probabilities by class add up to 1, confidence is the highest of them.

    prediction: the likeliest class, a value, or `normal` and `anomaly`; decision: of two classes the one by the
    threshold that was chosen in training, which for rare classes is not .5; score: of a detector, 0..1.
    """

    prediction: str | float
    confidence: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    decision: str | None = None
    score: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one row was judged so: what each feature added in `space`, and its share of all that was added or taken.

    output: what base and contributions add up to where `is_exact`; importances add up to 1.
    """

    contributions: Mapping[str, float]
    importances: Mapping[str, float]
    base: float
    output: float
    space: str
    method: str
    is_exact: bool


class Inference:
    """Asks models of the registry; safe to use from several threads."""

    def __init__(self, registry: Registry, shelf: Shelf) -> None:
        self._registry = registry
        self._shelf = shelf

    def ready(self, version: ModelVersion) -> Ready:
        """Return a version ready to answer; raise Conflict where it does not run here, Unavailable where it is lost."""
        return self._shelf.take(version)

    def serving(self, name: str) -> tuple[Model, Ready]:
        """Return the version that serves; raise NotFound, or Conflict where none was deployed."""
        model = self._registry.get(name)
        champion = model.aliases.get(CHAMPION)
        found = None if champion is None else model.find(champion)
        if found is None:
            raise Conflict(f"{model.name} is not deployed: POST /models/{model.id}/deploy", code="MODEL_NOT_DEPLOYED")
        return model, self.ready(found)

    def chosen(self, name: str, wanted: str = AUTO) -> tuple[Model, Ready]:
        """Return a version by number or alias; auto: the champion, else the newest that was judged. Raise NotFound."""
        model = self._registry.get(name)
        return model, self.ready(_version(model, wanted))

    def score_rows(
        self,
        name: str,
        columns: Sequence[str],
        values: Floats,
        *,
        version: int | None = None,
        time_us: NDArray[np.int64] | None = None,
    ) -> RowScores:
        """Return how strange a Device's rows (n, n_columns) are, in order of time; None: the version in `chosen`.

        Raises NotFound, Conflict, Unavailable, and Invalid that names a column which the model needs and is not there.
        """
        _, ready = self.chosen(name, AUTO if version is None else str(version))
        return scores_of(ready, Table(tuple(columns), values, time_us=time_us))


def scores_of(ready: Ready, table: Table) -> RowScores:
    """Return how strange rows are; raise Invalid for a model that is no detector."""
    if ready.learned.task is not Task.ANOMALY:
        issue = f"{ready.version.model} is for {ready.learned.task}; only detectors find anomalies"
        raise Invalid(f"model: {issue}", code="NOT_A_DETECTOR", details={"field": "model_name", "issue": issue})
    score = np.clip(np.nan_to_num(ready.outputs(table)[:, 0], nan=0.0), 0.0, 1.0)
    return RowScores(score, score > HALF, ready.version.label)


def table_of(ready: Ready, rows: Sequence[Row], *, field: str) -> Table:
    """Return JSON rows as the model's table; raise Invalid that names row and feature."""
    lineage = ready.version.lineage
    ignored = [f"{lineage[key]}" for key in ("target", "group") if lineage.get(key)]
    is_tolerant = getattr(ready.learned.settings, "missing", "refuse") == "keep"
    table = read_rows(ready.learned, rows, field=field, ignored=ignored, may_miss=is_tolerant)
    if not isinstance(ready.trained, Prepared) and not is_tolerant:
        require_known_levels(table, field)
    return table


def answers(ready: Ready, table: Table) -> list[Answer]:
    """Return what the model says of each row."""
    outputs = ready.outputs(table)
    match ready.learned.task:
        case Task.CLASSIFICATION:
            decided = ready.trained.predict(table).astype(np.int64).tolist()
            return [_class_answer(ready, row, code) for row, code in zip(outputs, decided, strict=True)]
        case Task.REGRESSION:
            return [Answer(float(value)) for value in outputs[:, 0]]
        case Task.FORECAST:
            return [_quantile_answer(ready, row) for row in outputs]
        case Task.ANOMALY:
            scores = scores_of(ready, table)
            names = ("normal", "anomaly")
            pairs = zip(scores.score.tolist(), scores.is_over.tolist(), strict=True)
            return [Answer(names[is_over], score=score, decision=names[is_over]) for score, is_over in pairs]


def reason(ready: Ready, table: Table) -> Reason:
    """Return why the last row of the table was judged so."""
    if ready.lookback:
        table = ready.with_past(table)
    told = ready.trained.explain(table)
    names = table.columns
    added = np.nan_to_num(told.contributions[-1])
    base = float(told.base[-1])
    return Reason(
        contributions=dict(zip(names, added.tolist(), strict=True)),
        importances=dict(zip(names, shares_of(added).tolist(), strict=True)),
        base=base,
        output=base + float(added.sum()) if told.is_exact else _score(ready, table),
        space=told.space,
        method=told.method_used,
        is_exact=told.is_exact,
    )


def has_exact_reasons(ready: Ready) -> bool:
    """Return whether what features contributed can be told exactly and at little cost."""
    return isinstance(ready.trained, Boosted)


def shares_of(added: Floats) -> Floats:
    """Return the share of each in all that was added or taken (k,), equal ones where nothing was; they sum to 1."""
    size = np.abs(added)
    largest = float(size.max(initial=0.0))
    if largest == 0.0:
        return np.full(len(added), 1.0 / max(len(added), 1))
    scaled = size / largest
    shares: Floats = scaled / scaled.sum()
    return shares


def false_alarm_share(sensitivity: float) -> float:
    """Return the share of normal rows that may be called anomalies: log-linear from 1e-4 at 0 to 1e-2 at 1."""
    return float(_LEAST_SHARE * (_MOST_SHARE / _LEAST_SHARE) ** sensitivity)


def level_at(trained: Trained, share: float) -> float:
    """Return the score in 0..1 that this share of normal rows exceeds, by the detector's scores out of fold.

    Up to the threshold t the score is .5 F(s)/F(t), above it 1 - .5 exp(-(s - t)/tail): so with c, the share over t,
    F(s) = 1 - share gives the first, and c exp(-(s - t)/tail) = share the second. It never rises with the share.
    """
    over = _alarm_share(trained)
    return 1.0 - HALF * share / over if share <= over else HALF * (1.0 - share) / (1.0 - over)


def _alarm_share(trained: Trained) -> float:
    inner = trained.inner if isinstance(trained, Prepared) else trained
    if isinstance(inner, Portable):
        return inner.fitted().scoring.alarm_share
    if isinstance(inner, Isolated):
        return inner.alarm_share
    issue = f"{inner.learned.algorithm} keeps no scores of normal rows to choose a sensitivity by"
    raise Invalid(f"sensitivity: {issue}", code="NO_SENSITIVITY", details={"field": "sensitivity", "issue": issue})


def _version(model: Model, wanted: str) -> ModelVersion:
    if wanted == AUTO:
        champion = model.aliases.get(CHAMPION)
        judged = (one for one in model.versions if one.archived_at is None and one.metrics)
        found = next(judged, None) if champion is None else model.find(champion)
    else:
        number = int(wanted) if wanted.isascii() and wanted.isdecimal() else model.aliases.get(wanted)
        found = None if number is None else model.find(number)
    if found is None:
        known = ", ".join([AUTO, *model.aliases, *(str(one.version) for one in model.versions[:10])])
        told = f"{model.name} has no version {wanted[:40]!r}; there are {known}"
        raise NotFound(told, code="MODEL_VERSION_NOT_FOUND")
    return found


def _class_answer(ready: Ready, row: Floats, decided: int) -> Answer:
    row = np.clip(row, 0.0, None)
    row = row / row.sum()
    classes = ready.learned.classes
    likeliest = int(row.argmax())
    by_class = dict(zip(classes, row.tolist(), strict=True))
    return Answer(classes[likeliest], float(row[likeliest]), by_class, decision=classes[decided])


def _quantile_answer(ready: Ready, row: Floats) -> Answer:
    quantiles = ready.learned.quantiles
    middle = int(np.argmin(np.abs(np.asarray(quantiles) - HALF)))
    told = {f"p{100 * quantile:g}": float(value) for quantile, value in zip(quantiles, row, strict=True)}
    return Answer(float(row[middle]), quantiles=told)


def _score(ready: Ready, table: Table) -> float:
    return float(np.nan_to_num(ready.trained.score(table)[-1]))
