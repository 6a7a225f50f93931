"""Remaining life of turbofan engines (C-MAPSS): folds of whole engines, and the test engines once."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cloud.learning.algorithm import quiet
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.folds import folds_of
from cloud.learning.metrics import mean_absolute_error, root_mean_square_error
from cloud.learning.recipes import PRESETS
from cloud.learning.table import Floats
from cloud.learning.table import Table as Rows
from tests.bench.ml.table import Cell, Table

CAP = 125.0
"""Cycles; an engine with more left looks like a new one."""
COLUMNS = ("model", "engines", "RMSE", "MAE", "bias")
SENSORS = ("cycle", *(f"setting {i}" for i in range(1, 4)), *(f"sensor {i}" for i in range(1, 22)))
MOST_LEFT = 150
"""Cycles left of the rows that folds are judged by: about as many as the test engines have."""


def tables(data: Path, train: Path | None = None) -> Iterator[Table]:
    """Yield a table for each `cmapss/test_*.txt`, gzipped or not; train: a folder whose engines are learned from."""
    for path in sorted((data / "cmapss").glob("test_*.txt*")):
        part = path.name.removeprefix("test_").split(".")[0]
        learn = _moving(_read(_found(train or data, "train", part), None))
        judged = _read(path, np.loadtxt(_opened(_found(data, "RUL", part)))).select(learn.columns)
        yield _judged(part, learn, judged)


def _judged(part: str, learn: Rows, judged: Rows) -> Table:
    last = np.array([rows[-1] for rows in judged.runs()])
    shuffled = replace(learn, target=np.random.default_rng(1).permutation(learn.labels()))
    middle = np.full(len(judged), np.minimum(learn.labels(), CAP).mean())
    lines = [
        _by_folds(learn),
        _line("remaining_life, test engines", judged, last, _said(learn, judged)),
        _line("labels shuffled", judged, last, _said(shuffled, judged)),
        _line("always the mean", judged, last, middle),
        _line("never worn", judged, last, np.full(len(judged), CAP)),
    ]
    notes = [
        f"cycles, capped at {CAP:.0f}; at the last cycle of each test engine; settings chosen by the folds alone",
        f"folds: all rows of up to {MOST_LEFT} cycles left, whole engines held out",
    ]
    return Table(f"C-MAPSS {part}, remaining life", COLUMNS, lines, notes)


def _by_folds(learn: Rows) -> Sequence[Cell]:
    said = np.zeros(len(learn))
    for fold in folds_of(learn, 5, 0):
        said[fold.judge] = _said(learn.take(fold.learn), learn.take(fold.judge))
    rows = np.flatnonzero(learn.labels() <= MOST_LEFT)
    return _line("remaining_life, 5 folds of engines", learn, rows, said)


def _said(learn: Rows, judged: Rows) -> Floats:
    preset = PRESETS["remaining_life"]
    trained = ALGORITHMS[preset.algorithm].fit(learn, preset.settings, quiet, 1)
    return np.minimum(trained.predict(judged), CAP)


def _line(name: str, rows: Rows, judged: np.ndarray[tuple[int], np.dtype[np.int64]], said: Floats) -> Sequence[Cell]:
    assert rows.groups is not None
    truth, answer = np.minimum(rows.labels()[judged], CAP), said[judged]
    errors = root_mean_square_error(truth, answer), mean_absolute_error(truth, answer)
    return name, len(np.unique(rows.groups)), *errors, float((answer - truth).mean())


def _read(path: Path, left_at_end: Floats | None) -> Rows:
    """Return the rows of all engines with the cycles left after each; left_at_end: by engine, 0 where None."""
    numbers = np.loadtxt(_opened(path))
    engine = numbers[:, 0].astype(np.int64)
    names, at = np.unique(engine, return_inverse=True)
    length = np.array([numbers[engine == name, 1].max() for name in names])
    ends = length if left_at_end is None else length + left_at_end
    return Rows(SENSORS, numbers[:, 1:26], ends[at] - numbers[:, 1], groups=engine, target_name="cycles left")


def _moving(rows: Rows) -> Rows:
    return rows.select([name for name, spread in zip(rows.columns, np.ptp(rows.values, axis=0), strict=True) if spread])


def _found(data: Path, kind: str, part: str) -> Path:
    return next((data / "cmapss").glob(f"{kind}_{part}.txt*"))


def _opened(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from file


def main(data: Path, train: Annotated[Path | None, typer.Option(help="A folder to learn from.")] = None) -> None:
    """Print the tables."""
    for table in tables(data, train):
        typer.echo(table.text())


if __name__ == "__main__":
    typer.run(main)
