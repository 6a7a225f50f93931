"""Self-directed detection: look at a dataset, choose what suits it, learn, score every row and explain the worst.

Nothing is asked of the caller but the rows: a target column is left out of what is learned from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from cloud.domain.dataset import ColumnKind, Dataset
from cloud.domain.identity import parse_id
from cloud.domain.model import Task as ModelTask
from cloud.errors import Invalid, NotFound
from cloud.learning.algorithm import Algorithm, Part, Progress, Trained, card_of, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.datasets import FILE, read_sheet
from cloud.learning.preparing import Preparing
from cloud.learning.table import Floats, Table
from cloud.learning.tabling import Layout, make_table
from cloud.learning.training import Trainer
from cloud.records.datasets import find_dataset
from cloud.records.jobs import Outcome

MIDDLE = 0.5
"""The threshold of a detector that learned from normal rows, on the scale 0..1 on which all answer."""
_SHARE_NAMES = ("alarm_share", "contamination")


class DetectRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dataset; contamination: expected share of strange rows; most: so many anomalies are explained."""

    dataset_id: str
    contamination: float = 0.01
    most: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """What rows are like; in_time: whether they have times; constant: columns that say nothing."""

    rows: int
    columns: int
    categories: tuple[str, ...]
    missing_share: float
    constant: tuple[str, ...]
    in_time: bool


def detect(parts: Trainer, request: DetectRequest, *, by: str, progress: Progress) -> Outcome:
    """Return what is strange in a dataset, and the model that says so; raise Invalid, NotFound, Cancelled."""
    progress(0.0, "looking")
    dataset = _dataset(parts, request.dataset_id)
    table = _told(make_table(read_sheet(parts.files, dataset), Layout(dataset.target)))
    profile = profile_of(dataset, table)
    table = table.select([name for name in table.columns if name not in profile.constant])
    progress(0.1, "learning")
    name, reason, trained, passed_over = _first_that_learns(table, profile, request, Part(progress, 0, 2))
    progress(0.6, "scoring")
    scores = trained.outputs(table)[:, 0]
    threshold = threshold_of(scores, request.contamination)
    result = _result(dataset, profile, trained, table, scores, threshold, request.most)
    result |= {"algorithm": name, "reason": reason, "passed_over": passed_over}
    return _outcome(parts, dataset, trained, result, by)


def profile_of(dataset: Dataset, table: Table) -> Profile:
    """Return what the rows are like."""
    numbers = np.isfinite(table.values)
    constant = [name for place, name in enumerate(table.columns) if len(np.unique(_known(table.values[:, place]))) < 2]
    return Profile(
        rows=len(table),
        columns=len(table.columns),
        categories=tuple(one.name for one in dataset.features if one.kind is ColumnKind.CATEGORY),
        missing_share=float(1 - numbers.mean()) if numbers.size else 0.0,
        constant=tuple(constant),
        in_time=table.time_us is not None,
    )


def threshold_of(scores: Floats, contamination: float) -> float:
    """Return over which score a row is strange: rows were learned from that are, so the expected share counts."""
    known = _known(scores)
    return min(MIDDLE, float(np.quantile(known, 1 - contamination))) if len(known) else MIDDLE


def choices(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield algorithms, the one that suits best first, each with the reason."""
    if profile.in_time and not profile.categories and profile.columns - len(profile.constant) > 1:
        yield "whitening", "rows in order of time, numbers only: what moves together is learned"
    if profile.in_time and profile.columns - len(profile.constant) == 1:
        yield "novelty", "one series: its shapes are remembered"
    yield "isolation_forest", "rows without an order, or with categories: what is easily set apart is strange"


def _known(column: Floats) -> Floats:
    return column[np.isfinite(column)]


def _told(table: Table) -> Table:
    """Return the table without its target: nobody says here what is strange."""
    return Table(table.columns, table.values, time_us=table.time_us, levels=table.levels)


def _dataset(parts: Trainer, dataset_id: str) -> Dataset:
    with parts.records.reading() as session:
        found = find_dataset(session, parse_id(FILE, dataset_id, code="DATASET_NOT_FOUND"))
    if found is None:
        raise NotFound(f"there is no dataset {dataset_id}", code="DATASET_NOT_FOUND")
    return found


def _first_that_learns(
    table: Table, profile: Profile, request: DetectRequest, progress: Progress
) -> tuple[str, str, Trained, Mapping[str, str]]:
    passed_over: dict[str, str] = {}
    refused: Invalid | None = None
    for name, reason in choices(profile):
        algorithm: Algorithm = Preparing(ALGORITHMS[name]) if table.levels else ALGORITHMS[name]
        settings = read_settings(algorithm.settings, _share(algorithm, request.contamination))
        try:
            return name, reason, algorithm.fit(table, settings, progress, request.seed), passed_over
        except Invalid as error:
            passed_over[name], refused = str(error), error
    said = "; ".join(f"{name}: {issue}" for name, issue in passed_over.items())
    raise Invalid(f"dataset_id: nothing suits these rows: {said}", details={"field": "dataset_id"}) from refused


def _share(algorithm: Algorithm, contamination: float) -> dict[str, object]:
    name = next((one for one in _SHARE_NAMES if one in algorithm.settings.model_fields), None)
    return {} if name is None else {name: contamination}


def _result(
    dataset: Dataset,
    profile: Profile,
    trained: Trained,
    table: Table,
    scores: Floats,
    threshold: float,
    most: int,
) -> dict[str, object]:
    strange = np.flatnonzero(np.nan_to_num(scores) > threshold)
    worst = strange[np.argsort(-scores[strange], kind="stable")][:most]
    shares = _shares(trained, table, worst)
    return {
        "dataset": dataset.id,
        "profile": msgspec.to_builtins(profile),
        "anomaly_count": len(strange),
        "anomaly_rate": len(strange) / max(len(table), 1),
        "threshold": threshold,
        "anomalies": [
            {"index": int(row), "score": float(scores[row]), "explanation": share}
            for row, share in zip(worst, shares, strict=True)
        ],
        "metrics": {key: float(value) for key, value in trained.learned.figures.items() if np.isfinite(value)},
    }


def _shares(trained: Trained, table: Table, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[dict[str, float]]:
    """Return for each row how much each column had to do with it, adding up to 1; empty where nothing had."""
    if not len(rows):
        return []
    told = np.abs(np.nan_to_num(trained.explain(table).contributions[rows]))
    whole = told.sum(axis=1, keepdims=True)
    shares = np.divide(told, whole, out=np.zeros_like(told), where=whole > 0)
    return [{name: float(share) for name, share in zip(table.columns, row, strict=True) if share > 0} for row in shares]


def _outcome(parts: Trainer, dataset: Dataset, trained: Trained, result: dict[str, object], by: str) -> Outcome:
    name = f"auto-{dataset.id[-12:]}"
    result["model_id"] = name

    def keep(session: Session) -> None:
        version = parts.registry.add_version(
            name,
            algorithm=trained.learned.algorithm,
            task=ModelTask.ANOMALY,
            by=by,
            files=trained.files(),
            metrics=trained.learned.figures,
            lineage={"dataset": dataset.id, "dataset_name": dataset.name, "features": list(trained.learned.columns)},
            card=card_of(trained.learned),
            session=session,
        )
        result["version"] = version.version

    return Outcome(result, keep)
