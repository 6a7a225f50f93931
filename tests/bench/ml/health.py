"""Health scores and failure chances on machines whose end is known: everything is drawn, nothing is read."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr  # type: ignore[import-untyped] # SciPy ships no types

from tests.bench.ml.table import Cell, Table
from tests.support.twin import Machine, chances_of, healthy, run_to_failure, scores_of

MACHINES, CALM, DAYS = 100, 40, 30
HORIZON_H = 168
_FALLING, _WELL, _HIGH = -0.8, 0.7, 0.5
Floats = NDArray[np.float64]


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the machines are drawn
    """Yield how scores fall before failures, how seldom on healthy machines, and what chances are worth."""
    seed = secrets.randbelow(2**31)
    generator = np.random.default_rng(seed)
    yield Table(
        f"health against time: {MACHINES} machines that run to failure in 10 to 30 days, seed {seed}",
        ("figure", "found", "wanted", "a score that tells nothing"),
        _falling(generator),
        ["Spearman's rank correlation of hour and score, machine by machine"],
    )
    yield Table(
        f"healthy machines: {CALM} of {DAYS} days, judged every minute",
        ("figure", "found", "wanted"),
        _calm(generator),
        ["noise with a memory of minutes to a day, a daily cycle, the warning limit 5 deviations away"],
    )
    yield Table(
        f"failure within {HORIZON_H} h, first passage, every 6 h",
        ("figure", "found", "wanted"),
        _chances(generator),
    )


def _falling(generator: np.random.Generator) -> Sequence[Sequence[Cell]]:
    found = np.array([_rank(run_to_failure(generator, int(generator.integers(10, 31)))) for _ in range(MACHINES)])
    return [
        ("share at most -.8", f"{np.mean(found <= _FALLING):.0%}", "95 %", "0 %"),
        ("median", float(np.median(found)), "-", 0.0),
        ("worst", float(found.max()), "-", 0.0),
    ]


def _rank(machine: Machine) -> float:
    scores = scores_of(machine, every_min=60)
    known = np.isfinite(scores)
    return float(spearmanr(np.flatnonzero(known), scores[known]).statistic)


def _calm(generator: np.random.Generator) -> Sequence[Sequence[Cell]]:
    shares = np.array([float((scores_of(healthy(generator, DAYS)) < _WELL).mean()) for _ in range(CALM)])
    return [
        ("minutes under .7", f"{shares.mean():.2%}", "1 %"),
        ("of the worst machine", f"{shares.max():.2%}", "1 %"),
    ]


def _chances(generator: np.random.Generator) -> Sequence[Sequence[Cell]]:
    pairs = [
        chances_of(run_to_failure(generator, int(generator.integers(10, 31))), horizon_h=HORIZON_H, every_h=6)
        for _ in range(MACHINES)
    ]
    chances, failed = (np.concatenate(each) for each in zip(*pairs, strict=True))
    base = float(failed.mean() * (1 - failed.mean()))
    calm: Floats = np.concatenate(
        [chances_of(healthy(generator, DAYS), horizon_h=HORIZON_H, every_h=6)[0] for _ in range(CALM)]
    )
    return [
        (
            "Brier score, machines that fail",
            float(((chances - failed) ** 2).mean()),
            f"under {base:.3f}, the base rate",
        ),
        ("high risk on healthy machines", f"{np.mean(calm >= _HIGH):.2%}", "1 %"),
    ]
