"""Recordings: CSV files with a heading, plain or gzipped, as numeric columns."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_agent.errors import DeviceLost


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Numeric columns by heading; values: float64 of shape (n_rows, n_columns), NaN where a cell is empty."""

    columns: tuple[str, ...]
    values: NDArray[np.float64]


def read_columns(path: Path) -> tuple[str, ...]:
    """Return the headings of the columns whose first value is a number; raise DeviceLost where it cannot be read."""
    with _rows(path) as rows:
        heading, first = next(rows), next(rows)
    return tuple(name for name, cell in zip(heading, first, strict=False) if _is_number(cell))


def read_recording(path: Path) -> Recording:
    """Return the whole recording; raise DeviceLost where it cannot be read or has no numbers."""
    wanted = read_columns(path)
    with _rows(path) as rows:
        heading = next(rows)
        indices = [heading.index(name) for name in wanted]
        values = [[_number(row, index) for index in indices] for row in rows if row]
    return Recording(wanted, np.array(values, dtype=np.float64).reshape(len(values), len(wanted)))


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[list[str]]]:
    is_packed = path.suffix == ".gz"
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if is_packed
            else path.open(encoding="utf-8-sig", newline="")
        ) as text:
            heading = text.readline()
            delimiter = max(",;\t", key=heading.count)
            yield csv.reader((line for part in ([heading], text) for line in part), delimiter=delimiter)
    except StopIteration as error:
        raise DeviceLost(f"{path} is no recording: it needs a heading and a row") from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise DeviceLost(f"cannot read the recording {path}: {error}") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(row: list[str], index: int) -> float:
    cell = row[index] if index < len(row) else ""
    return float(cell) if _is_number(cell) else float("nan")
