"""How the Numenta Anomaly Benchmark scores: the standard profile (Lavin and Ahmad 2015), on any subset of its files."""

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FALSE_ALARM = 0.11
PROBATION, MOST_PROBATION = 0.15, 750
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One file; windows: first and last row of each span in which an alarm is right; probation: rows not judged."""

    name: str
    time_s: NDArray[np.float64]
    values: NDArray[np.float64]
    windows: Sequence[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Return how many rows at the beginning do not count."""
        return min(int(PROBATION * len(self.values)), MOST_PROBATION)

    @property
    def period_s(self) -> float:
        """Return the usual time from row to row."""
        return float(np.median(np.diff(self.time_s)))

    def score(self, alarms: Flags) -> float:
        """Return the file's score: the first alarm in each window counts, the earlier the more; others cost."""
        judged = alarms.copy()
        judged[: self.probation] = False
        total = 0.0
        outside = judged.copy()
        for first, last in self.windows:
            outside[first : last + 1] = False
            found = np.flatnonzero(judged[first : last + 1])
            total += _hit(int(found[0]), last - first + 1) if len(found) else -1.0
        return total + sum(self._cost(int(row)) for row in np.flatnonzero(outside))

    def _cost(self, row: int) -> float:
        before = [(first, last) for first, last in self.windows if last < row]
        if not before:
            return -FALSE_ALARM
        first, last = before[-1]
        return FALSE_ALARM * _sigmoid((row - last) / max(1, last - first))


def _hit(at: int, length: int) -> float:
    return _sigmoid((at - length) / length) / _sigmoid(-1.0)


def _sigmoid(place: float) -> float:
    return float(2 / (1 + np.exp(5 * min(place, 10.0))) - 1)


def corpus_score(recordings: Sequence[Recording], alarms: Mapping[str, Flags]) -> float:
    """Return 100 for every window found in its first row and no false alarm, 0 for no alarm at all."""
    n_windows = sum(len(one.windows) for one in recordings)
    total = sum(one.score(alarms[one.name]) for one in recordings)
    return 100 * (total + n_windows) / (2 * n_windows)


def read_recordings(data: Path) -> list[Recording]:
    """Return every file of the folders named `nab-*`, with its windows from `nab-windows.json`."""
    spans: dict[str, list[list[str]]] = json.loads((data / "nab-windows.json").read_text())
    return [_read(path, spans) for path in sorted(data.glob("nab-*/*.csv*"))]


def _read(path: Path, spans: Mapping[str, list[list[str]]]) -> Recording:
    name = f"{path.parent.name.removeprefix('nab-')}/{path.name.removesuffix('.gz')}"
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = list(csv.DictReader(file))
    time_s = np.array([_seconds(row["timestamp"]) for row in rows])
    values = np.array([float(row["value"]) for row in rows])
    windows = [_rows(time_s, _seconds(begin), _seconds(end)) for begin, end in spans.get(name, [])]
    return Recording(name, time_s, values, windows)


def _rows(time_s: NDArray[np.float64], begin: float, end: float) -> tuple[int, int]:
    return int(np.searchsorted(time_s, begin)), int(np.searchsorted(time_s, end, side="right")) - 1


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
