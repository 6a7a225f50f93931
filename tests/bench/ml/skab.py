"""SKAB: a water loop whose valve is closed and opened; the leaderboard's protocol, causal, in floats and in eight bits.

The first 400 rows of each file are learned from, all rows are judged, figures are pooled over files. Every folder
`skab-*` is read; files without a column `anomaly` are healthy.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud.learning.metrics import auc_pr, decision, vus_pr
from protocols.scoring.fit import fit
from protocols.scoring.loader import load_network
from protocols.scoring.model import Fitted
from protocols.scoring.network import Network
from protocols.scoring.networks import FloatNetwork
from protocols.scoring.scorer import Scorer
from protocols.scoring.whitening import residual_layer, spread_of, whitening_of
from tests.bench.ml.table import Cell, Table

LEARNED = 400
PERIOD_S = 1.0
LONGEST_BUFFER = 60
LABELS = ("anomaly", "changepoint")
COLUMNS = ("folder", "files", "model", "F1", "FAR %", "MAR %", "AUC-PR", "VUS-PR")
INJECTED = 5.0
"""Deviations that one channel is moved by to see whether it is named."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Recording:
    """One file: rows (n, channels) and which of them are anomalous (n,)."""

    name: str
    channels: tuple[str, ...]
    rows: Floats
    truth: Bools


@dataclass(frozen=True, slots=True)
class Judged:
    """score, is_over (n,) of one Recording, and the shares (n, channels)."""

    score: Floats
    is_over: Bools
    shares: Floats


def tables(data: Path) -> Iterator[Table]:
    """Yield quality, honesty and explanation over every folder `skab-*`; none where there is no such folder."""
    folders = {folder.name: read_folder(folder) for folder in sorted(data.glob("skab-*"))}
    labelled = {name: files for name, files in folders.items() if any(one.truth.any() for one in files)}
    healthy = [one for files in folders.values() for one in files if not one.truth.any()]
    if labelled:
        if len(labelled) > 1:
            labelled["all"] = [one for files in labelled.values() for one in files]
        yield Table(
            f"skab: first {LEARNED} rows of each file learned, all rows judged, pooled",
            COLUMNS,
            [row for name, files in labelled.items() for row in _quality(name, files)],
            [f"VUS-PR: buffers of 0 to {LONGEST_BUFFER} rows; scores are compared over files as they are"],
        )
        yield _honesty([one for name, files in labelled.items() if name != "all" for one in files])
    if healthy:
        yield _healthy(healthy)


def read_folder(folder: Path) -> list[Recording]:
    """Return the recordings of a folder, gzipped or not, in order of their names."""
    return [read(path) for path in sorted(folder.glob("*.csv*"))]


def read(path: Path) -> Recording:
    """Return one recording; columns separated by semicolons, the first is the time."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, delimiter=";")
    columns = {name: np.array([line[i] for line in lines]) for i, name in enumerate(header)}
    channels = tuple(name for name in header[1:] if name not in LABELS)
    rows = np.stack([columns[name].astype(np.float64) for name in channels], axis=1)
    truth = columns["anomaly"].astype(np.float64) > 0.5 if "anomaly" in columns else np.zeros(len(rows), bool)
    return Recording(path.name.split(".")[0], channels, rows, truth)


def in_floats(fitted: Fitted) -> Network:
    """Return the model as if eight bits were enough for everything."""
    return FloatNetwork([residual_layer(whitening_of(fitted.scoring), spread_of(fitted.scoring))])


def in_int8(fitted: Fitted) -> Network:
    """Return the model as a gateway runs it."""
    return load_network(fitted.network)


def judge(one: Recording, load: Callable[[Fitted], Network], *, rows: Floats | None = None) -> Judged:
    """Return what a model of the first rows says of all; rows: to judge instead of the recording's own."""
    fitted = fit(one.rows[:LEARNED], one.channels, period_s=PERIOD_S)
    kept = [one.channels.index(channel) for channel in fitted.scoring.channels]
    scored = Scorer(fitted.scoring, load(fitted)).take((one.rows if rows is None else rows)[:, kept])
    shares = np.zeros((len(scored.shares), len(one.channels)))
    shares[:, kept] = np.nan_to_num(scored.shares)
    return Judged(np.nan_to_num(scored.score), scored.is_over, shares)


def _quality(folder: str, files: Sequence[Recording]) -> Iterator[tuple[Cell, ...]]:
    truth = np.concatenate([one.truth for one in files])
    for name, load in (("float", in_floats), ("int8", in_int8)):
        judged = [judge(one, load) for one in files]
        yield _row(folder, files, name, truth, judged)
    for name, is_alarm in (("always alarm", True), ("never alarm", False)):
        flat = [Judged(np.zeros(len(one.rows)), np.full(len(one.rows), is_alarm), one.rows) for one in files]
        yield _row(folder, files, name, truth, flat)


def _row(
    folder: str, files: Sequence[Recording], name: str, truth: Bools, judged: Sequence[Judged]
) -> tuple[Cell, ...]:
    decided = decision(truth, np.concatenate([one.is_over for one in judged]))
    ranked = auc_pr(truth, np.concatenate([one.score for one in judged]))
    volume = vus_pr([one.truth for one in files], [one.score for one in judged], longest=LONGEST_BUFFER)
    return folder, len(files), name, decided.f1, decided.far, decided.mar, ranked, volume


def _honesty(files: Sequence[Recording]) -> Table:
    """Return what must be so of any detector that is not fooling itself."""
    random = np.random.default_rng(7)
    judged = [judge(one, in_int8) for one in files]
    truth = np.concatenate([one.truth for one in files])
    shuffled = auc_pr(random.permutation(truth), np.concatenate([one.score for one in judged]))
    moved = sum(_looks_ahead(one, before, random) for one, before in zip(files, judged, strict=True))
    named = [_is_named(one, channel) for one in files for channel in range(len(one.channels))]
    return Table(
        "skab: honesty",
        ("check", "figure", "must be"),
        [
            ("scores moved by changing later rows", moved, "0"),
            ("AUC-PR with labels shuffled", shuffled, f"{truth.mean():.3f}, the base rate"),
            (
                f"injected steps of {INJECTED:g} deviations, right channel first, %",
                100 * float(np.mean(named)),
                ">= 93",
            ),
        ],
    )


def _looks_ahead(one: Recording, before: Judged, random: np.random.Generator) -> int:
    at = int(random.integers(LEARNED, len(one.rows)))
    changed = one.rows.copy()
    changed[at:] = random.permutation(changed[at:], axis=0) * 3
    return int((judge(one, in_int8, rows=changed).score[:at] != before.score[:at]).sum())


def _is_named(one: Recording, channel: int) -> bool:
    """Return whether a step right after learning is explained by the channel that has it; still ones cannot be."""
    deviation = one.rows[:LEARNED, channel].std()
    stepped = one.rows[: LEARNED + 60].copy()
    stepped[LEARNED:, channel] += INJECTED * (deviation or 1.0)
    shares = judge(one, in_int8, rows=stepped).shares[LEARNED + 15 :]
    return int(shares.sum(axis=0).argmax()) == channel or deviation == 0


def _healthy(files: Sequence[Recording]) -> Table:
    """Return how much of a recording without faults is alarmed about, as operation goes on after learning."""
    rows = []
    for one in files:
        judged = judge(one, in_int8).is_over
        parts = [(f"{hours:g} h", round(hours * 3600)) for hours in (0.25, 1.0)] + [("all", len(judged))]
        for name, end in parts:
            rows.append((one.name, name, 100 * float(judged[LEARNED : LEARNED + end].mean())))
    note = (
        "a recording over hours and changes of speed, of which 400 s were learned: a gateway learns anew as rows come"
    )
    return Table("skab: healthy, rows over the threshold after learning", ("file", "within", "over %"), rows, [note])
