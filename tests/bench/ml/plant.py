"""Faults of the simulated plant: found within ten seconds, with the right channel first, and nothing before."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from firmware_sim.faults import EFFECTS, Fault, FaultKind
from firmware_sim.sources import KINDS, Simulation
from protocols.scoring.context import memory_of
from protocols.scoring.episodes import EpisodeRules, Episodes, Opened
from protocols.scoring.fit import fit
from protocols.scoring.scorer import Scorer
from tests.bench.ml.table import Table

PERIOD_S = 0.1
LEARNED = (400, 1_600, 12_000)
HEALTHY_S, FAULTY_S = 60.0, 10.0
SEEDS = 20
WEAR_SIGMA, WEAR_S, PASSED = 12.0, 120.0, 3.0
"""A bearing that wears: how large it becomes in how long, and the size from which on the time to find it counts."""
STEPS = (FaultKind.CAVITATION, FaultKind.LEAK, FaultKind.IMBALANCE)
COLUMNS = ("machine", "fault", "learned rows", "runs", "found %", "right channel %", "median s", "alarm before %")
PLAUSIBLE = {FaultKind.CAVITATION: {"pump"}, FaultKind.LEAK: {"pump", "compressor"}}
Floats = NDArray[np.float64]
Row = tuple[str, str, int, int, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One machine and fault; after_s: from onset to the episode, NaN where there was none; is_right: channel first."""

    machine: str
    kind: FaultKind
    learned: int
    after_s: float
    is_right: bool
    is_early: bool


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the plant is simulated
    """Yield how faults are found, by machine and kind, after short and long learning."""
    seed = secrets.randbelow(2**31)
    notes = ["early: an episode between learning and onset; right: of those found, the labelled channel has most"]
    what = f"plant: steps of 3 to 5 sigma in the minute after learning, {1 / PERIOD_S:g} Hz, seed {seed}"
    yield Table(what, COLUMNS, _rows(seed, STEPS, LEARNED), notes)
    notes = [f"seconds from where it passes {PASSED:g} sigma; it grows to {WEAR_SIGMA:g} sigma in {WEAR_S:g} s"]
    what = f"plant: bearing wear, {1 / PERIOD_S:g} Hz, seed {seed}"
    yield Table(what, COLUMNS, _rows(seed, (FaultKind.BEARING_WEAR,), LEARNED[1:]), notes)


def _rows(seed: int, kinds: Sequence[FaultKind], learned: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for n in learned:
        runs = [
            live(f"{seed}/{number}", machine, kind, n)
            for machine in KINDS
            for kind in kinds
            if EFFECTS[kind][0].channel in KINDS[machine] and machine in PLAUSIBLE.get(kind, KINDS)
            for number in range(SEEDS)
        ]
        for machine, kind in sorted({(run.machine, run.kind) for run in runs}):
            rows.append(_row(machine, kind, [run for run in runs if (run.machine, run.kind) == (machine, kind)]))
        rows.append(_row("all", "all", runs))
    return rows


def live(seed: str, machine: str, kind: FaultKind, learned: int) -> Run:
    """Return how one fault was found by a model that the first rows taught."""
    draw = Random(seed)
    onset = learned + round(draw.uniform(10, HEALTHY_S - FAULTY_S) / PERIOD_S)
    is_wear = kind is FaultKind.BEARING_WEAR
    healthy = simulated(seed, machine, onset + round((WEAR_S if is_wear else FAULTY_S) / PERIOD_S))
    rows = disturbed(healthy, machine, kind, onset, WEAR_SIGMA if is_wear else draw.uniform(3, 5))
    fitted = fit(rows[:learned], list(KINDS[machine]), period_s=PERIOD_S)
    scorer, episodes = Scorer(fitted.scoring, load_network(fitted.network)), Episodes(EpisodeRules(PERIOD_S))
    scorer.take(rows[learned - max(fitted.scoring.spans) - memory_of(fitted.scoring) : learned])
    times = (np.arange(len(rows)) * PERIOD_S * 1e6).astype(np.int64)
    opened: list[Opened] = []
    for number in range(learned, len(rows)):
        scored = scorer.take(rows[number : number + 1], may_adapt=not episodes.is_running)
        told = episodes.take(times[number : number + 1], scored.score, scored.shares)
        opened += [one for one in told if isinstance(one, Opened)]
    found = next((one for one in opened if one.at_us >= times[onset]), None)
    counts_from_us = times[onset] + (PASSED / WEAR_SIGMA * WEAR_S * 1e6 if is_wear else 0)
    after_s = np.nan if found is None else (found.at_us - counts_from_us) / 1e6
    first = "" if found is None else list(KINDS[machine])[int(np.argmax(found.shares))]
    is_early = any(one.at_us < times[onset] for one in opened)
    return Run(machine, kind, learned, after_s, first == EFFECTS[kind][0].channel, is_early)


def simulated(seed: str, machine: str, n: int) -> Floats:
    """Return rows of a healthy machine, shape (n, channels)."""
    source = Simulation(machine, seed=seed, period_s=PERIOD_S)
    rows = (source.next() for _ in range(n))
    return np.array([[float(row[name]) for name in KINDS[machine]] for row in rows])


def disturbed(rows: Floats, machine: str, kind: FaultKind, onset: int, sigma: float) -> Floats:
    """Return the rows with a fault of so many sigma from `onset` to the end."""
    names = list(KINDS[machine])
    sigmas = {name: channel.sigma for name, channel in KINDS[machine].items()}
    fault = Fault(1, machine, kind, EFFECTS[kind][0].channel, sigma, onset, len(rows) - onset)
    rows = rows.copy()
    at_onset = dict(zip(names, rows[onset].tolist(), strict=True))
    for tick in range(onset, len(rows)):
        values = dict(zip(names, rows[tick].tolist(), strict=True))
        for name, value in fault.disturb(tick, values, sigmas, at_onset).items():
            rows[tick, names.index(name)] = value
    return rows


def _row(machine: str, kind: str, runs: Sequence[Run]) -> Row:
    found = [run for run in runs if not np.isnan(run.after_s)]
    right = 100 * sum(run.is_right for run in found) / max(len(found), 1)
    median_s = float(np.median([run.after_s for run in found])) if found else np.nan
    early = 100 * sum(run.is_early for run in runs) / len(runs)
    return machine, kind, runs[0].learned, len(runs), 100 * len(found) / len(runs), right, median_s, early
