"""Healthy machines of the simulated plant for a day each: how often a gateway that learned by itself cries wolf."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from firmware_sim.sources import KINDS, Simulation
from protocols.scoring.episodes import EpisodeRules, Episodes, Opened
from protocols.scoring.fit import fit
from protocols.scoring.scorer import Scorer
from tests.bench.ml.table import Table

MACHINES, HOURS, PERIOD_S, LEARN_ROWS = 50, 24, 1.0, 400
CHUNK = 16
"""Rows given at once; whether normal may move is decided between chunks."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Day:
    """A healthy day of one machine; over: share of rows over the threshold; alarms: episodes opened."""

    type: str
    over: float
    alarms: int
    autocorrelation: float


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the plant is simulated
    """Yield what a day of 50 machines came to, by type and in all."""
    seed = secrets.randbelow(2**31)
    days = [live(f"{seed}/{number}", kind) for number, kind in zip(range(MACHINES), _types(), strict=False)]
    rows = [_row(kind, [day for day in days if day.type == kind]) for kind in KINDS]
    within = sum(0.003 <= day.over <= 0.02 for day in days)
    what = f"{MACHINES} simulated machines, {HOURS} h at {1 / PERIOD_S:g} Hz, {LEARN_ROWS} rows learned"
    yield Table(
        f"healthy: {what}, seed {seed}",
        ("type", "machines", "r(1)", "over, median %", "over, least", "over, most", "alarms a day", "most alarms"),
        [*rows, _row("all", days)],
        [f"{within} of {MACHINES} machines have 0.3 to 2 % of their rows over the threshold of nominally 1 %"],
    )


def live(seed: str, kind: str, *, hours: float = HOURS) -> Day:
    """Return what a day of one machine comes to: learned from its first rows, then judged row by row."""
    rows = simulated(seed, kind, round(hours * 3600 / PERIOD_S) + LEARN_ROWS)
    channels = list(KINDS[kind])
    fitted = fit(rows[:LEARN_ROWS], channels, period_s=PERIOD_S)
    scorer = Scorer(fitted.scoring, load_network(fitted.network))
    episodes = Episodes(EpisodeRules(PERIOD_S))
    over = alarms = 0
    for begin in range(LEARN_ROWS, len(rows), CHUNK):
        part = rows[begin : begin + CHUNK]
        scored = scorer.take(part, may_adapt=not episodes.is_open)
        times = (np.arange(begin, begin + len(part)) * PERIOD_S * 1e6).astype(np.int64)
        alarms += sum(isinstance(one, Opened) for one in episodes.take(times, scored.score, scored.shares))
        over += int(scored.is_over.sum())
    return Day(kind, over / (len(rows) - LEARN_ROWS), alarms, _autocorrelation(rows))


def simulated(seed: str, kind: str, n: int) -> Floats:
    """Return rows of a healthy machine, shape (n, channels)."""
    source = Simulation(kind, seed=seed, period_s=PERIOD_S)
    rows = (source.next() for _ in range(n))
    return np.array([[float(row[name]) for name in KINDS[kind]] for row in rows])


def _types() -> Iterator[str]:
    while True:
        yield from KINDS


def _autocorrelation(rows: Floats) -> float:
    centred = rows - rows.mean(axis=0)
    return float(np.median((centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0)))


def _row(name: str, days: Sequence[Day]) -> tuple[str, int, float, float, float, float, float, int]:
    over = [100 * day.over for day in days]
    alarms = [day.alarms for day in days]
    memory = float(np.median([day.autocorrelation for day in days]))
    spread = (float(np.median(over)), min(over), max(over))
    return (name, len(days), memory, *spread, float(np.mean(alarms)) * 24 / HOURS, max(alarms))
