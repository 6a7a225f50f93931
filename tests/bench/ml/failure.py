"""Failure predictions: how often healthy series are called failing, how early failing ones are, and labelled fleets.

Everything is drawn: healthy machines are autoregressive series with a daily cycle, 14 days, and a limit some standard
deviations away; failing ones run up to the limit. A prediction is a chance of at least 0.5 within 168 h.
"""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.failure_history import Life, expose, limit_distances
from cloud.analysis.first_passage import fit_wiener, passage_probability
from cloud.analysis.hazard import Exposure, fit_hazard
from cloud.domain.failure import HIGH_RISK
from tests.bench.ml.table import Cell, Table

Floats = NDArray[np.float64]
MACHINES, HOURS, HORIZON_H = 400, 14 * 24, 168
_CYCLE = 0.8
_WARM_UP = 500


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the machines are drawn
    """Yield false predictions on healthy series, predictions on failing ones, and Brier scores of labelled fleets."""
    seed = secrets.randbelow(2**31)
    generator = np.random.default_rng(seed)
    yield Table(
        f"failure, first passage: {MACHINES} healthy machines, hours predicted to fail, seed {seed}",
        ("memory", "limit at 5 sigma", "6 sigma", "8 sigma", "always", "never"),
        [_healthy(generator, name, r, steps) for name, r, steps in _MEMORIES],
        ["a cycle of 0.8 sigma on top; what comes near its limit day by day is not called healthy here: 5 and more"],
    )
    yield Table(
        f"failure, first passage: {MACHINES} machines that run up to a limit at 6 sigma for 7 days and more",
        ("hourly r", "2 days before", "4 days before", "6 days before"),
        [(f"{r:g}", *(_failing(generator, r, days) for days in (2, 4, 6))) for r in (0.5, 0.9, 0.95)],
    )
    yield Table(
        "failure, hazard model: 12 machines, 200 days, one failure in some 50 days, held out by machine",
        ("what precedes a failure", "failures", "Brier", "Brier of the base rate"),
        [*_fleets(generator)],
        ["a shuffled condition falls to the base rate"],
    )


_MEMORIES = (("r .9 a minute", 0.9, 60), ("r .999 a minute", 0.999, 60), ("r .9 an hour", 0.9, 1), ("r .98", 0.98, 1))


def _healthy(generator: np.random.Generator, name: str, r: float, steps: int) -> Sequence[Cell]:
    machines = MACHINES if steps == 1 else MACHINES // 4
    rows = [_machine(generator, r, steps) for _ in range(machines)]
    shares = [float(np.mean([_calls(limit - row) for row in rows])) for limit in (5, 6, 8)]
    return (name, *(f"{share:.2%}" for share in shares), "100%", "0%")


def _failing(generator: np.random.Generator, r: float, days_left: int) -> str:
    ramp = np.maximum(0, np.arange(HOURS) - (HOURS - 168)) / 24 * (6 / (7 + days_left))
    called = [_calls(6 - ramp - _machine(generator, r, 1))[-1] for _ in range(MACHINES // 2)]
    return f"{np.mean(called):.0%}"


def _calls(distance: Floats) -> NDArray[np.bool_]:
    called: NDArray[np.bool_] = passage_probability(fit_wiener(distance), distance[-24:], HORIZON_H) >= HIGH_RISK
    return called


def _machine(generator: np.random.Generator, r: float, steps: int) -> Floats:
    """Return hourly medians of an autoregression with a daily cycle, (HOURS,)."""
    size = HOURS * steps + _WARM_UP * steps
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    noise = generator.standard_normal(size) * np.sqrt(1 - r**2)
    rows = np.fft.irfft(np.fft.rfft(noise) / (1 - r * turns), size)[: HOURS * steps]
    rows = rows + _CYCLE * np.sin(2 * np.pi * np.arange(HOURS * steps) / (24 * steps))
    return np.asarray(np.median(rows.reshape(HOURS, steps), axis=1), np.float64)


def _fleets(generator: np.random.Generator) -> Iterator[Sequence[Cell]]:
    for name, rise, is_shuffled in (
        ("a rise of 8 sigma", 8.0, False),
        ("2 sigma", 2.0, False),
        ("shuffled", 8.0, True),
    ):
        exposure = expose([_life(generator, rise) for _ in range(12)], horizon_h=HORIZON_H)
        if is_shuffled:
            order = generator.permutation(len(exposure.rows))
            exposure = Exposure(exposure.rows[order], exposure.failed, exposure.within, exposure.device)
        found = fit_hazard(exposure, horizon_h=HORIZON_H)
        yield (name, found.failures, found.brier, found.brier_of_base_rate)


def _life(generator: np.random.Generator, rise: float) -> Life:
    size = 24 * 200
    values = generator.standard_normal(size)
    planned = np.arange(24 * 45, size - 240, 24 * 45)
    starts = planned + generator.integers(0, 240, len(planned))
    for start in starts:
        values[start - 240 : start] += np.linspace(0, rise, 240)
    spans = np.stack([starts, starts + 12], axis=1).astype(np.float64)
    return Life(values[None], limit_distances(values[None], [(None, 10.0)]), spans)
