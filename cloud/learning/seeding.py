"""Seeding: the documented models, trained on generated rows or on a file, registered and deployed; twice is once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from cloud.domain.model import CHAMPION, ModelVersion
from cloud.domain.model import Task as ModelTask
from cloud.errors import Invalid, NotFound
from cloud.learning.algorithm import Algorithm, Trained, quiet
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.algorithms.gradient_boosting import ForestClassifierSettings, RegressorSettings
from cloud.learning.algorithms.isolation_forest import IsolationSettings
from cloud.learning.algorithms.trend_season import TrendSettings
from cloud.learning.evaluation import figures_of
from cloud.learning.features.lagged import with_lags
from cloud.learning.features.recipe import Difference, Product, Recipe
from cloud.learning.folds import Fold, drawn_out, hold_out
from cloud.learning.generated import MACHINING_COLUMNS, MACHINING_TARGET, machining, sensors, series
from cloud.learning.metrics import mean_absolute_error
from cloud.learning.preparing import Preparing
from cloud.learning.registry import Registry
from cloud.learning.sensed import STANDARDISED, usual
from cloud.learning.sheet import Sheet
from cloud.learning.table import Floats, Table
from cloud.learning.tabling import Layout, make_table

CLASSIFIER = "ai4i_classifier_randomforest_baseline"
DETECTOR = "anomaly_detector_refined_v2"
FORECASTER = "prophet_forecaster_sensor-001"
LEAST_BETTER = 20.0
"""By so many percent the forecaster's error must be under the best naive one's, else it does not serve."""
_SEED = 20_250_101
_LAGS, _CHALLENGER_LAGS = 5, 12
_SHARE = 0.2
_WEEK_H = 168
_POWER = "power [W]"


@dataclass(frozen=True, slots=True)
class Seeded:
    """How one went: its version, whether it is new and whether it serves, with its figures."""

    model: str
    version: int
    is_new: bool
    serves: bool
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Made:
    algorithm: str
    task: ModelTask
    trained: Trained
    metrics: Mapping[str, float]
    rows: int
    target: str = ""
    card: Mapping[str, object] = field(default_factory=dict)
    is_good: bool = True


def seed_models(
    registry: Registry, *, by: str, only: str = "", sheet: Sheet | None = None, told: Callable[[str], None] = print
) -> list[Seeded]:
    """Train, register and deploy the documented models, or the one that is named; told: what begins.

    sheet: rows of the documented shape to learn from, for the one that is named. A model that was made of the same
    rows is left as it is. Raises Invalid for a name that is none of them, or rows without the columns.
    """
    if only and only not in _MAKERS:
        raise Invalid(f"only: there is no {only[:100]!r}; there are {', '.join(_MAKERS)}", details={"field": "only"})
    if sheet is not None and not only:
        raise Invalid(f"csv: say which model it is for: only, one of {', '.join(_MAKERS)}", details={"field": "only"})
    origin = "generated" if sheet is None else f"csv:{sha256(sheet.pack()).hexdigest()}"
    seeded = []
    for name in [only] if only else _MAKERS:
        before = _made_before(registry, name, origin)
        if before is None:
            told(f"training {name}")
        seeded.append(
            _seeded(registry, name, before) if before else _keep(registry, name, _MAKERS[name](sheet), origin, by)
        )
    return seeded


def _made_before(registry: Registry, name: str, origin: str) -> ModelVersion | None:
    try:
        model = registry.get(name)
    except NotFound:
        return None
    return next((one for one in model.versions if one.lineage.get("origin") == origin), None)


def _seeded(registry: Registry, name: str, version: ModelVersion, *, is_new: bool = False) -> Seeded:
    serves = registry.get(name).aliases.get(CHAMPION) == version.version
    return Seeded(name, version.version, is_new, serves, version.metrics)


def _keep(registry: Registry, name: str, made: _Made, origin: str, by: str) -> Seeded:
    learned = made.trained.learned
    version = registry.add_version(
        name,
        algorithm=made.algorithm,
        task=made.task,
        by=by,
        files=made.trained.files(),
        metrics=made.metrics,
        lineage={
            "origin": origin,
            "seed": _SEED,
            "rows": made.rows,
            "target": made.target,
            "features": [*learned.columns],
        },
        card={
            "algorithm": made.algorithm,
            "task": made.task.value,
            "features": list(learned.columns),
            "classes": list(learned.classes),
            "settings": learned.settings.model_dump(mode="json"),
            **made.card,
        },
    )
    if made.is_good:
        registry.set_alias(name, CHAMPION, version.version, by=by)
    return _seeded(registry, name, version, is_new=True)


def _classifier(sheet: Sheet | None) -> _Made:
    table = machining(8_000, seed=_SEED) if sheet is None else _machining_of(sheet)
    algorithm = ALGORITHMS["random_forest_classifier"]
    air, process, speed, torque, wear = MACHINING_COLUMNS
    recipe = Recipe(
        made=(
            Product(name=_POWER, of=(torque, speed), times=0.104719755),
            Difference(name="heat drop [K]", of=(process, air)),
            Product(name="strain", of=(wear, torque)),
        )
    )
    settings = ForestClassifierSettings(features=recipe, trees=100, min_rows_a_leaf=3, row_share=0.9, bins=1_023)
    trained, metrics = _judged(algorithm, table, settings, drawn_out(table, _SHARE, _SEED))
    return _Made(algorithm.name, ModelTask.CLASSIFICATION, trained, metrics, len(table), target=table.target_name)


def _detector(sheet: Sheet | None) -> _Made:
    table, types = sensors(1_500, seed=_SEED) if sheet is None else _sensors_of(sheet)
    scales = {}
    values = table.values.copy()
    for rows, kind in zip(table.runs(), types, strict=True):
        center, spread = usual(table.values[rows, 0])
        scales[kind] = {"center": center, "spread": spread}
        values[rows, 0] = (values[rows, 0] - center) / spread
    algorithm = Preparing(ALGORITHMS["isolation_forest"], lags=_LAGS)
    own = table.with_values(values)
    trained, metrics = _judged(algorithm, own, IsolationSettings(contamination=0.01), hold_out(own, _SHARE))
    card: dict[str, object] = {
        "input": STANDARDISED,
        "scales": scales,
        "lag_features": 2 * (1 + _LAGS),
        "scaling": "min-max to [0, 1]",
    }
    return _Made(algorithm.name, ModelTask.ANOMALY, trained, metrics, len(table), card=card)


def _forecaster(sheet: Sheet | None) -> _Made:
    table = series(60 * 24, seed=_SEED) if sheet is None else _series_of(sheet)
    algorithm = ALGORITHMS["trend_season"]
    fold = Fold(np.arange(len(table) - _WEEK_H), np.arange(len(table) - _WEEK_H, len(table)))
    trained, metrics = _judged(algorithm, table, TrendSettings(), fold)
    naive = naive_error(table.labels(), _WEEK_H)
    challenger = _challenger_error(table.labels(), _WEEK_H)
    better = 100 * (1 - metrics["mae"] / naive)
    figures = {**metrics, "naive_mae": naive, "better_than_naive_percent": better}
    comparison: dict[str, object] = {
        "champion": "naive",
        "champion_metrics": {"mae": naive},
        "challenger_metrics": {"mae": metrics["mae"]},
        "others": {"gradient_boosting_regressor on 12 lags": {"mae": challenger}},
        "metric": "mae",
        "rows": _WEEK_H,
        "is_better": better >= LEAST_BETTER,
    }
    card = {"comparison": comparison}
    name = algorithm.name
    return _Made(name, ModelTask.FORECAST, trained, figures, len(table), "value", card, is_good=better >= LEAST_BETTER)


def naive_error(values: Floats, n_judged: int) -> float:
    """Return the least mean absolute error of three that know nothing: the last hour, the last day, the last week.

    Each may look at what was measured until just before, which the model, who foretells all at once, may not.
    """
    judged = values[-n_judged:]
    lags = [lag for lag in (1, 24, _WEEK_H) if lag + n_judged <= len(values)]
    return min(mean_absolute_error(judged, values[len(values) - n_judged - lag : len(values) - lag]) for lag in lags)


def _challenger_error(values: Floats, n_judged: int) -> float:
    """Return the error of boosted trees on the twelve values before each, one step ahead."""
    lagged = with_lags(values[:, None], _CHALLENGER_LAGS)[_CHALLENGER_LAGS:, 1:]
    columns = tuple(f"lag {lag}" for lag in range(1, _CHALLENGER_LAGS + 1))
    table = Table(columns, lagged, values[_CHALLENGER_LAGS:], target_name="value")
    taught, judged = table.take(slice(0, -n_judged)), table.take(slice(-n_judged, None))
    trained = ALGORITHMS["gradient_boosting_regressor"].fit(taught, RegressorSettings(trees=100), quiet, _SEED)
    return mean_absolute_error(judged.labels(), trained.predict(judged))


def _judged(algorithm: Algorithm, table: Table, settings: object, fold: Fold) -> tuple[Trained, dict[str, float]]:
    """Return a model of all rows, and the figures of one that had not seen those it was judged by."""
    assert isinstance(settings, algorithm.settings)  # noqa: S101 - each maker gives its own
    first = algorithm.fit(table.take(fold.learn), settings, quiet, _SEED)
    figures = {name: value for name, value in figures_of(first, table.take(fold.judge)).items() if np.isfinite(value)}
    return algorithm.fit(table, settings, quiet, _SEED), figures


def _machining_of(sheet: Sheet) -> Table:
    names = {_plain(one.name): one.name for one in sheet.columns}
    known = [_named(names, column) for column in MACHINING_COLUMNS]
    table = make_table(sheet, Layout(_named(names, MACHINING_TARGET), tuple(known), as_classes=True))
    return Table(MACHINING_COLUMNS, table.values, table.target, classes=table.classes, target_name=table.target_name)


def _sensors_of(sheet: Sheet) -> tuple[Table, tuple[str, ...]]:
    names = {_plain(one.name): one.name for one in sheet.columns}
    group = next((names[_plain(name)] for name in ("sensor_type", "sensor_id") if _plain(name) in names), "")
    table = make_table(sheet, Layout(features=(_named(names, "value"),), group=group))
    levels = next((one.levels for one in sheet.columns if one.name == group), ("other",))
    return Table(("value",), table.values, None, table.time_us, table.groups), tuple(levels)


def _series_of(sheet: Sheet) -> Table:
    names = {_plain(one.name): one.name for one in sheet.columns}
    value = _named(names, "value")
    table = make_table(sheet, Layout(value, (value,), as_classes=False))
    if table.time_us is None or len(table) < 3 * _WEEK_H:
        raise Invalid(f"csv: a column of times and {3 * _WEEK_H} hourly rows are needed", details={"field": "csv"})
    return Table((), np.empty((len(table), 0)), table.target, table.time_us, target_name="value")


def _named(names: Mapping[str, str], wanted: str) -> str:
    found = names.get(_plain(wanted))
    if found is None:
        there = ", ".join(sorted(names.values())[:20])
        raise Invalid(f"csv: there is no column {wanted!r}; there are {there}", details={"field": "csv"})
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


_MAKERS: Mapping[str, Callable[[Sheet | None], _Made]] = {
    CLASSIFIER: _classifier,
    DETECTOR: _detector,
    FORECASTER: _forecaster,
}
