"""A recording as rows with the time that each is shown: read from CSV, gzipped or not, `;` or `,` separated."""

import csv
import gzip
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from firmware_sim.errors import InvalidRecording

LABELS = ("anomaly", "changepoint")
"""Columns that say what was wrong; they are not channels."""
LONGEST_GAP = 10
"""A gap in the recording is shown as at most this many usual intervals, and no row for less than half of one."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Rows of a recorded machine; interval_s[i]: how long row i shows at speed 1; sigmas: each column's deviation."""

    name: str
    channels: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    interval_s: tuple[float, ...]
    sigmas: tuple[float, ...]


def read_recording(path: Path) -> Recording:
    """Return the rows of a CSV file; raise InvalidRecording that names the file and the line."""
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
            return _parse(path, lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidRecording(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, lines: Iterator[str]) -> Recording:
    header = next(lines, "")
    delimiter = ";" if ";" in header else ","
    names = [name.strip() for name in header.strip().split(delimiter)]
    kept = [index for index, name in enumerate(names) if index and name not in LABELS]
    if not kept or len({names[index] for index in kept}) != len(kept):
        raise InvalidRecording(f"{path}:1: needs a column of times and then one or more columns of different names")
    times: list[datetime] = []
    rows: list[tuple[float, ...]] = []
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=2):
        if not cells:
            continue
        if len(cells) != len(names):
            raise InvalidRecording(f"{path}:{number}: has {len(cells)} columns, the header {len(names)}")
        try:
            times.append(datetime.fromisoformat(cells[0]).replace(tzinfo=None))
            rows.append(tuple(float(cells[index]) for index in kept))
        except ValueError as error:
            raise InvalidRecording(f"{path}:{number}: {error}") from error
    if not rows:
        raise InvalidRecording(f"{path}: has no rows")
    sigmas = tuple(_deviation(column) for column in zip(*rows, strict=True))
    return Recording(path.name, tuple(names[index] for index in kept), tuple(rows), _intervals(times), sigmas)


def _intervals(times: list[datetime]) -> tuple[float, ...]:
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    rising = [step for step in steps if step > 0]
    usual = statistics.median(rising) if rising else 1.0
    return (*(min(max(step, usual / 2), usual * LONGEST_GAP) for step in steps), usual)


def _deviation(column: tuple[float, ...]) -> float:
    finite = [value for value in column if math.isfinite(value)]
    return statistics.pstdev(finite) if finite else 0.0
