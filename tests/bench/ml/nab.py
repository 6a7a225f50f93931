"""Single series: novelty on the Numenta Anomaly Benchmark, by its standard profile, at the product's own threshold."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from cloud.learning.novelty import THRESHOLD, Pace, held, novelty
from tests.bench.ml.nab_scoring import Flags, Recording, corpus_score, read_recordings
from tests.bench.ml.table import Table

CUT = 0.6
"""Where the causality test changes everything that follows."""


def tables(data: Path) -> Iterator[Table]:
    """Yield the score on all files of the folder and on each of its groups."""
    if not any(data.glob("nab-*/*.csv*")):
        return
    recordings = read_recordings(data)
    scores = {one.name: _scores(one) for one in recordings}
    alarms = {one.name: _alarms(one, scores[one.name]) for one in recordings}
    rows: list[tuple[str, int, int, float, float]] = [_row("novelty", recordings, alarms)]
    for group in sorted({one.name.split("/")[0] for one in recordings}):
        chosen = [one for one in recordings if one.name.startswith(group) and one.windows]
        if chosen:
            rows.append(_row(f"  {group}", [one for one in recordings if one.name.startswith(group)], alarms))
    rows += _floors(recordings, scores)
    yield Table(
        f"NAB, {len(recordings)} files, standard profile, threshold {THRESHOLD}",
        ("detector", "files", "windows", "score", "alarms a file"),
        rows,
        [f"rows whose score changes when all after {CUT:.0%} of a file is changed: {_looks_ahead(recordings)}"],
    )


def _scores(one: Recording) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return novelty(one.values, Pace.of(len(one.values), one.period_s))


def _alarms(one: Recording, scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Flags:
    pace = Pace.of(len(one.values), one.period_s)
    found: Flags = held(scores, THRESHOLD, pace.hold) > 0
    return found


def _row(name: str, recordings: Sequence[Recording], alarms: Mapping[str, Flags]) -> tuple[str, int, int, float, float]:
    raised = float(np.mean([alarms[one.name].sum() for one in recordings]))
    windows = sum(len(one.windows) for one in recordings)
    return name, len(recordings), windows, corpus_score(recordings, alarms), raised


def _floors(
    recordings: Sequence[Recording], scores: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]
) -> list[tuple[str, int, int, float, float]]:
    rng = np.random.default_rng(0)
    never = {one.name: np.zeros(len(one.values), np.bool_) for one in recordings}
    always = {one.name: np.ones(len(one.values), np.bool_) for one in recordings}
    shuffled = {one.name: _alarms(one, rng.permutation(scores[one.name])) for one in recordings}
    floors = (("never alarm", never), ("always alarm", always), ("scores in random order", shuffled))
    return [_row(name, recordings, alarms) for name, alarms in floors]


def _looks_ahead(recordings: Sequence[Recording]) -> int:
    changed = 0
    for one in recordings[::4]:
        cut, pace = int(CUT * len(one.values)), Pace.of(len(one.values), one.period_s)
        other = np.concatenate([one.values[:cut], one.values[cut:][::-1] * 3 + 1])
        changed += int((novelty(other, pace)[:cut] != novelty(one.values, pace)[:cut]).sum())
    return changed
