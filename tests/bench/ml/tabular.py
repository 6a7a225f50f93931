"""Failures of a milling machine (AI4I 2020): five folds and, where a folder to learn from is given, rows kept back."""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cloud.learning.algorithm import quiet
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.folds import Fold, folds_of
from cloud.learning.metrics import auc_pr, decision
from cloud.learning.recipes import PRESETS
from cloud.learning.table import Floats
from cloud.learning.table import Table as Rows
from tests.bench.ml.table import Cell, Table

NUMBERS = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
QUALITIES = ("H", "L", "M")
SEEDS = (0, 1, 2)
CHOSEN = PRESETS["machine_failure"].algorithm
COLUMNS = ("model", "rows", "failures", "F1", "precision", "recall", "AUC-PR")


def tables(data: Path, train: Path | None = None) -> Iterator[Table]:
    """Yield the tables of all `ai4i/*.csv` together, gzipped or not; train: a folder laid out alike to learn from."""
    if not list((data / "ai4i").glob("*.csv*")):
        return
    judged = read(data)
    yield _cross_validated(judged)
    if train is not None:
        yield _kept_back(read(train), judged)


def read(data: Path) -> Rows:
    """Return all rows of the folder."""
    found: list[dict[str, str]] = []
    for path in sorted((data / "ai4i").glob("*.csv*")):
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            found += csv.DictReader(file)
    values = [[QUALITIES.index(row["Type"]), *(float(row[name]) for name in NUMBERS)] for row in found]
    failed = np.array([float(row["Machine failure"]) for row in found])
    columns, levels = ("Type", *NUMBERS), {"Type": QUALITIES}
    return Rows(columns, np.array(values), failed, levels=levels, classes=("runs", "fails"), target_name="failure")


def _cross_validated(rows: Rows) -> Table:
    lines = [
        _line("machine_failure, 5 folds", rows, _mean_of_seeds(rows)),
        _line("the same without its features", rows, _judged_by_folds(rows, 0, {"features": {}})),
        _line("boosting, same features", rows, _judged_by_folds(rows, 0, BOOSTED, "gradient_boosting_classifier")),
        _line("labels shuffled", rows, _judged_by_folds(_shuffled(rows), 0)),
        *_floors(rows),
    ]
    notes = [
        "threshold: best F1 of folds inside the rows learned from; AI4I's failure modes are not inputs",
        f"machine_failure: mean of {len(SEEDS)} ways to draw the folds; labels shuffled: base rate {_share(rows):.3f}",
    ]
    return Table(f"AI4I, failures, {len(rows)} rows", COLUMNS, lines, notes)


BOOSTED = {"min_rows_a_leaf": 5, "leaves": 15}


def _kept_back(learn: Rows, judged: Rows) -> Table:
    outcome = _learned_and_judged(learn, judged, 0, {}, CHOSEN)
    lines = [_line("machine_failure", judged, _figures(judged, *outcome)), *_floors(judged)]
    return Table(f"AI4I, kept back: learned from {len(learn)} other rows", COLUMNS, lines)


def _mean_of_seeds(rows: Rows) -> Sequence[float]:
    return [float(one) for one in np.mean([_judged_by_folds(rows, seed) for seed in SEEDS], axis=0)]


def _judged_by_folds(
    rows: Rows, seed: int, changes: Mapping[str, object] | None = None, algorithm: str = CHOSEN
) -> Sequence[float]:
    over, score = np.zeros(len(rows)), np.zeros(len(rows))
    for fold in _folds(rows, seed):
        learn, judge = rows.take(fold.learn), rows.take(fold.judge)
        over[fold.judge], score[fold.judge] = _learned_and_judged(learn, judge, seed, changes or {}, algorithm)
    return _figures(rows, over, score)


def _folds(rows: Rows, seed: int) -> Sequence[Fold]:
    return folds_of(rows, 5, seed)


def _learned_and_judged(
    learn: Rows, judge: Rows, seed: int, changes: Mapping[str, object], algorithm: str
) -> tuple[Floats, Floats]:
    preset = PRESETS["machine_failure"].settings
    kind = ALGORITHMS[algorithm].settings
    settings = kind.model_validate({**preset.model_dump(), **changes})
    trained = ALGORITHMS[algorithm].fit(learn, settings, quiet, seed)
    return trained.predict(judge), trained.score(judge)


def _figures(rows: Rows, over: Floats, score: Floats) -> Sequence[float]:
    truth = rows.labels() > 0
    found = decision(truth, over > 0)
    return found.f1, found.precision, found.recall, auc_pr(truth, score)


def _floors(rows: Rows) -> Iterator[Sequence[Cell]]:
    ones = np.ones(len(rows))
    yield _line("always fails", rows, _figures(rows, ones, ones))
    yield _line("never fails", rows, _figures(rows, ones * 0, ones))


def _line(name: str, rows: Rows, figures: Sequence[float]) -> Sequence[Cell]:
    return name, len(rows), int(rows.labels().sum()), *figures


def _shuffled(rows: Rows) -> Rows:
    return replace(rows, target=np.random.default_rng(1).permutation(rows.labels()))


def _share(rows: Rows) -> float:
    return float(rows.labels().mean())


def main(data: Path, train: Annotated[Path | None, typer.Option(help="A folder to learn from.")] = None) -> None:
    """Print the tables."""
    for table in tables(data, train):
        typer.echo(table.text())


if __name__ == "__main__":
    typer.run(main)
