"""Training: a dataset becomes a version of a model, judged on rows that it has not seen; the work of one job."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from cloud.domain.algorithm_names import own_name
from cloud.domain.dataset import Dataset
from cloud.domain.identity import parse_id
from cloud.domain.model import Task as ModelTask
from cloud.errors import Conflict, Invalid, NotFound
from cloud.learning.algorithm import Algorithm, Portable, Progress, Task, Trained, card_of, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.algorithms.scored import open_network
from cloud.learning.comparing import beside_champion
from cloud.learning.datasets import FILE, read_sheet
from cloud.learning.evaluation import Evaluated, cross_validate, figures_of, stability_of
from cloud.learning.folds import Fold, drawn_out, hold_out
from cloud.learning.packaging import About, make_package
from cloud.learning.preparing import Preparing
from cloud.learning.registry import Registry
from cloud.learning.soundness import normal_rows
from cloud.learning.table import Table
from cloud.learning.tabling import Layout, make_table
from cloud.learning.train_request import TrainRequest
from cloud.ports import Clock, FileStore
from cloud.records.database import Records
from cloud.records.datasets import find_dataset
from cloud.records.detectors import find_detector
from cloud.records.jobs import Outcome
from cloud.records.models import find_model
from protocols.package import Lineage, Package

AUTOMATIC: Mapping[Task, str] = {
    Task.ANOMALY: "whitening",
    Task.CLASSIFICATION: "gradient_boosting_classifier",
    Task.REGRESSION: "gradient_boosting_regressor",
    Task.FORECAST: "quantile_boosting",
}
"""What learns where nobody says which algorithm."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """What a training uses."""

    records: Records
    clock: Clock
    registry: Registry
    files: FileStore


def train(parts: Trainer, request: TrainRequest, *, by: str, progress: Progress) -> Outcome:
    """Return a new version with what is known of it; raise Invalid, NotFound, Cancelled, Unavailable."""
    progress(0.0, "reading")
    dataset = _dataset(parts.records, request.dataset_id)
    table = make_table(read_sheet(parts.files, dataset), _layout(request, dataset))
    algorithm = choose_algorithm(request, table)
    settings = read_settings(algorithm.settings, request.settings)
    fold = _held_out(algorithm, table, request)
    taught, judged = table.take(fold.learn), table.take(fold.judge)
    progress(0.1, "learning")
    trained = algorithm.fit(taught, settings, _between(progress, 0.1, 0.7), request.seed)
    progress(0.7, "evaluating")
    figures = figures_of(trained, judged)
    if request.detector:
        half = _between(progress, 0.7, 0.8)
        figures |= stability_of(algorithm, taught, judged, settings, half, request.seed)
    folds = None
    if request.cross_validation:
        folds = cross_validate(algorithm, table, settings, _between(progress, 0.8, 0.95), request.seed)
        figures |= {f"cross_{name}": value for name, value in folds.figures.items()}
    compared = beside_champion(parts.registry, request.model, trained, judged)
    progress(0.95, "keeping")
    made = _Made(trained, taught, figures, _confusion(trained, judged), folds, compared)
    return _outcome(parts, request, dataset, made, by)


def choose_algorithm(request: TrainRequest, table: Table) -> Algorithm:
    """Return the algorithm that was asked for, else the one for what the target is; raise Invalid that names it.

    Detectors know numbers alone: theirs learns from categories by how rare they are.
    """
    wanted = request.task or _task_of(table)
    name = own_name(request.algorithm) or AUTOMATIC[Task(wanted)]
    if name not in ALGORITHMS:
        raise _invalid("algorithm", f"there is no {name!r}; there are {', '.join(sorted(ALGORITHMS))}")
    algorithm = ALGORITHMS[name]
    if request.task and algorithm.task.value != request.task:
        raise _invalid("algorithm", f"{name} is for {algorithm.task}, not for {request.task}")
    return Preparing(algorithm) if algorithm.task is Task.ANOMALY and table.levels else algorithm


def _held_out(algorithm: Algorithm, table: Table, request: TrainRequest) -> Fold:
    if algorithm.task is Task.CLASSIFICATION and table.time_us is None:
        return drawn_out(table, request.test_split, request.seed)
    return hold_out(table, request.test_split)


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    trained: Trained
    taught: Table
    figures: Mapping[str, float]
    confusion: list[list[int]] | None
    folds: Evaluated | None = None
    compared: Mapping[str, object] | None = None


def _layout(request: TrainRequest, dataset: Dataset) -> Layout:
    as_classes = {"classification": True, "regression": False, "forecast": False, "anomaly": True}.get(request.task)
    target = request.target or dataset.target
    if not target and request.task != Task.ANOMALY.value and not request.algorithm:
        target = dataset.columns[-1].name  # as the document of /train says: the last column, where none is named
    return Layout(target, request.features, request.group, as_classes)


def _task_of(table: Table) -> str:
    if table.target is None:
        return Task.ANOMALY.value
    return Task.CLASSIFICATION.value if table.classes else Task.REGRESSION.value


def _dataset(records: Records, dataset_id: str) -> Dataset:
    with records.reading() as session:
        found = find_dataset(session, parse_id(FILE, dataset_id, code="DATASET_NOT_FOUND"))
    if found is None:
        raise NotFound(f"there is no dataset {dataset_id}", code="DATASET_NOT_FOUND")
    return found


def _between(progress: Progress, start: float, end: float) -> Progress:
    def part(share: float, step: str) -> None:
        progress(start + (end - start) * share, step)

    return part


def _confusion(trained: Trained, judged: Table) -> list[list[int]] | None:
    """Return how often each class (row) was called each class (column), None for what has no classes or truth."""
    n = len(trained.learned.classes)
    if not n or judged.target is None:
        return None
    said = np.nan_to_num(trained.predict(judged)).astype(np.int64)
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (np.clip(judged.target.astype(np.int64), 0, n - 1), said), 1)
    found: list[list[int]] = counts.tolist()
    return found


def _outcome(parts: Trainer, request: TrainRequest, dataset: Dataset, made: _Made, by: str) -> Outcome:
    learned = made.trained.learned
    result: dict[str, object] = {
        "model": request.model,
        "dataset": dataset.id,
        "algorithm": learned.algorithm,
        "task": learned.task.value,
        "metrics": dict(made.figures),
        "confusion_matrix": made.confusion,
        "rows": len(made.taught),
        "features": list(learned.columns),
        "comparison": made.compared,
    }
    if made.folds is not None:
        result["cv"] = {"folds": made.folds.folds, "mean": dict(made.folds.figures), "std": dict(made.folds.spread)}
    if not request.save:
        return Outcome(result)
    package = _package(parts, request, dataset, made, by)

    def keep(session: Session) -> None:
        _require_unchanged(session, request)
        version = parts.registry.add_version(
            request.model,
            algorithm=learned.algorithm,
            task=ModelTask(learned.task.value),
            by=by,
            files=made.trained.files(),
            package=package,
            metrics=made.figures,
            lineage=_lineage(request, dataset, made),
            card={**card_of(learned), "confusion_matrix": made.confusion, "comparison": made.compared},
            session=session,
        )
        result["version"] = version.version
        model = find_model(session, request.model)
        result["model_id"] = model.id if model is not None else request.model

    return Outcome(result, keep)


def _require_unchanged(session: Session, request: TrainRequest) -> None:
    """Raise Conflict where the detector that was fitted is gone, or is to be fitted otherwise by now."""
    if not request.detector:
        return
    found = find_detector(session, request.detector)
    if found is None or found.revision != request.detector_revision:
        told = "was deleted" if found is None else "got other hyperparameters"
        raise Conflict(f"the detector {told} while it was fitted", code="DETECTOR_CHANGED")


def _package(parts: Trainer, request: TrainRequest, dataset: Dataset, made: _Made, by: str) -> Package | None:
    """Return what gateways run, for a detector that they can run, else None."""
    if made.trained.learned.task is not Task.ANOMALY or not isinstance(made.trained, Portable):
        return None
    fitted = made.trained.fitted()
    rows = normal_rows(made.taught).select(fitted.scoring.channels).values
    lineage = Lineage(
        made_at_us=parts.clock.now_us(),
        made_by=by,
        algorithm=made.trained.learned.algorithm,
        rows=len(rows),
        dataset=dataset.id,
    )
    about = About(request.model, lineage, {**made.figures, "period_s": fitted.scoring.period_s}, made.trained.is_fleet)
    return make_package(fitted, open_network(fitted.network), rows, about)


def _lineage(request: TrainRequest, dataset: Dataset, made: _Made) -> dict[str, object]:
    return {
        "dataset": dataset.id,
        "dataset_name": dataset.name,
        "dataset_sha256": dataset.file.sha256,
        "rows": len(made.taught),
        "target": made.taught.target_name if made.taught.target is not None else "",
        "features": list(made.taught.columns),
        "group": request.group,
        "seed": request.seed,
        "test_split": request.test_split,
    }


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_PARAMETERS", details={"field": name, "issue": issue})
