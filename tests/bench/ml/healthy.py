"""Healthy machines of the simulated plant for a day each: how often a gateway that learned by itself cries wolf."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors import DETECTORS
from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.own import OwnModels
from edge_agent.detectors.subject import Subject, Tools
from edge_agent.ports import Detector, Row
from firmware_sim.sources import KINDS, Simulation
from protocols.anomaly import AnomalySource
from protocols.scoring.episodes import AT_THRESHOLD
from protocols.scoring.loader import load_network
from tests.bench.ml.table import Table
from tests.support.judging import HandClock, do_work

MACHINES, HOURS, PERIOD_S = 50, 24, 2.0
PROCESSES = 2
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Day:
    """A healthy day of one machine; over: share of scored rows over the threshold; alarms: episodes opened."""

    type: str
    over: float
    alarms: int
    autocorrelation: float


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the plant is simulated
    """Yield what a day of 50 machines came to, by type and in all."""
    seed = secrets.randbelow(2**31)
    with ProcessPoolExecutor(PROCESSES) as pool:
        seeds = [f"{seed}/{number}" for number in range(MACHINES)]
        days = list(pool.map(live, seeds, [kind for kind, _ in zip(cycle(KINDS), seeds, strict=False)]))
    yield table(days, seed)


def table(days: Sequence[Day], seed: int) -> Table:
    """Return what these days came to."""
    rows = [_row(kind, [day for day in days if day.type == kind]) for kind in KINDS]
    pooled = float(np.mean([day.over for day in days]))  # every day has as many rows
    within = sum(0.003 <= day.over <= 0.02 for day in days)
    at_most_one = sum(day.alarms <= 1 for day in days)
    return Table(
        f"healthy: {len(days)} simulated machines, {HOURS} h at {1 / PERIOD_S:g} Hz, own model and rules, seed {seed}",
        ("type", "machines", "r(1)", "over, median %", "over, least", "over, most", "alarms a day", "most alarms"),
        [*rows, _row("all", days)],
        [
            f"{within} of {len(days)} machines have 0.3 to 2 % of their rows over the threshold of nominally 1 %",
            f"{100 * pooled:.2f} % of all rows of all machines are over it",
            f"{at_most_one} of {len(days)} machines raised at most one alarm in their day",
        ],
    )


def live(seed: str, kind: str, hours: float = HOURS) -> Day:
    """Return what a day of one machine comes to, judged row by row by all detectors of a gateway."""
    values = simulated(seed, kind, round(hours * 3600 / PERIOD_S))
    with tempfile.TemporaryDirectory() as folder:
        subject = _subject(kind, Path(folder))
        model = ModelDetector(subject)
        rules = [make(subject) for source, make in DETECTORS.items() if source is not AnomalySource.MODEL]
        opened = scored = over = 0
        for row in _rows(values):
            opened += _opened(model, rules, row)
            do_work(model)
            scored += isfinite(model.score)
            over += model.score > AT_THRESHOLD
    return Day(kind, over / scored, opened, _autocorrelation(values))


def _opened(model: ModelDetector, rules: Sequence[Detector], row: Row) -> int:
    """Return how many episodes opened with a row; the model learns nothing while a rule is broken."""
    opened, is_calm = 0, True
    for rule in rules:
        turns = [turn for turn in rule.take(row, is_calm=True) if turn.is_opening]
        opened += len(turns)
        for turn in turns:
            model.forget_since(turn.onset_us)
        is_calm = is_calm and rule.is_calm
    return opened + sum(turn.is_opening for turn in model.take(row, is_calm=is_calm))


def _subject(kind: str, folder: Path) -> Subject:
    n = len(KINDS[kind])
    tools = Tools(load_network, HandClock(), OwnModels(folder), wake=lambda: None, record=lambda *_: None)
    low, high, rate = np.full(n, -np.inf), np.full(n, np.inf), np.zeros(n)
    return Subject(kind, tuple(KINDS[kind]), ("",) * n, PERIOD_S, low, high, rate, tools)


def simulated(seed: str, kind: str, n: int) -> Floats:
    """Return rows of a healthy machine, shape (n, channels)."""
    source = Simulation(kind, seed=seed, period_s=PERIOD_S)
    rows = (source.next() for _ in range(n))
    return np.array([[float(row[name]) for name in KINDS[kind]] for row in rows])


def _rows(values: Floats) -> Iterator[Row]:
    good = np.ones(values.shape[1], np.bool_)
    for number, row in enumerate(values):
        yield Row(round(number * PERIOD_S * 1e6), row, good, is_after_gap=number == 0)


def _autocorrelation(rows: Floats) -> float:
    centred = rows - rows.mean(axis=0)
    return float(np.median((centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0)))


def _row(name: str, days: Sequence[Day]) -> tuple[str, int, float, float, float, float, float, int]:
    over = [100 * day.over for day in days]
    alarms = [day.alarms for day in days]
    memory = float(np.median([day.autocorrelation for day in days]))
    spread = (float(np.median(over)), min(over), max(over))
    return (name, len(days), memory, *spread, float(np.mean(alarms)), max(alarms))
