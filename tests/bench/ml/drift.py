"""Drift: false alarms on batches without drift, and shifts found, by the documented test and by the corrected one.

Every batch is 500 fresh rows against a baseline of 5,000 rows of the same process, both drawn anew each time.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.drift import FALSE_ALARMS, documented, judge, weigh
from tests.bench.ml.table import Cell, Table

Floats = NDArray[np.float64]
ROWS, BASELINE_ROWS, EQUAL_ROWS = 500, 5000, 500
QUIET_BATCHES, KS_BATCHES, OTHER_BATCHES, SHIFTED_BATCHES = 10_000, 500, 1000, 500
_WARM_UP = 400


@dataclass(frozen=True, slots=True)
class Process:
    """A source of rows without drift: marginal standard deviation 1."""

    name: str
    draw: Callable[[np.random.Generator, int], Floats]


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read: the rows are drawn
    """Yield false alarms of several processes, then what is found, and what baselines of other lengths cost."""
    seed = secrets.randbelow(2**31)
    generator = np.random.default_rng(seed)
    yield Table(
        f"drift: false alarms without drift, batches of {ROWS} rows, seed {seed}",
        ("process", "baseline rows", "batches", "corrected", "of 10,000", "documented KS, p < .05", "always", "never"),
        [*_quiet(generator)],
        [f"corrected at its default of {FALSE_ALARMS:g} false alarms a check; the documented one on fewer batches"],
    )
    yield Table(
        f"drift: found of {SHIFTED_BATCHES} drifting batches of {ROWS} rows, by the corrected test",
        ("process", "change", "baseline rows", "found"),
        [*_found(generator)],
        [
            f"{EQUAL_ROWS} against {EQUAL_ROWS} rows of AR(.95): who knew the process would find 1.5 sigma in 80 %",
        ],
    )


def _quiet(generator: np.random.Generator) -> Iterator[Sequence[Cell]]:
    for process, baseline, batches in (
        (AR95, BASELINE_ROWS, QUIET_BATCHES),
        (AR95, EQUAL_ROWS, OTHER_BATCHES),
        *((process, BASELINE_ROWS, OTHER_BATCHES) for process in OTHERS),
    ):
        cries = sum(_cries(generator, process, baseline) for _ in range(batches))
        plain = sum(_cries_plainly(generator, process, baseline) for _ in range(KS_BATCHES))
        per = 10_000 * cries / batches
        yield (process.name, baseline, batches, cries, round(per), f"{plain / KS_BATCHES:.0%}", "100%", "0%")


def _found(generator: np.random.Generator) -> Iterator[Sequence[Cell]]:
    for process, change, shift, factor, baseline in (
        (AR95, "1.5 sigma", 1.5, 1.0, BASELINE_ROWS),
        (AR95, "1.5 sigma", 1.5, 1.0, 2000),
        (AR95, "1.5 sigma", 1.5, 1.0, EQUAL_ROWS),
        (AR95, "twice the scatter", 0.0, 2.0, BASELINE_ROWS),
        (INDEPENDENT, "0.5 sigma", 0.5, 1.0, BASELINE_ROWS),
        (INDEPENDENT, "0.5 sigma", 0.5, 1.0, EQUAL_ROWS),
    ):
        cries = sum(_cries(generator, process, baseline, shift, factor) for _ in range(SHIFTED_BATCHES))
        yield (process.name, change, baseline, f"{cries / SHIFTED_BATCHES:.1%}")


def _cries(
    generator: np.random.Generator, process: Process, baseline: int, shift: float = 0.0, factor: float = 1.0
) -> bool:
    recent = process.draw(generator, ROWS) * factor + shift
    return judge([weigh(process.draw(generator, baseline), recent)])[0].is_drift


def _cries_plainly(generator: np.random.Generator, process: Process, baseline: int) -> bool:
    return documented(process.draw(generator, baseline), process.draw(generator, ROWS), threshold=0.05).is_drift


def _ar(generator: np.random.Generator, n: int, *coefficients: float) -> Floats:
    """Return rows of an autoregression, filtered in the frequency domain: (n,)."""
    size = n + _WARM_UP
    frequency = np.fft.rfftfreq(size)
    turns = np.exp(-2j * np.pi * np.outer(frequency, np.arange(1, len(coefficients) + 1)))
    response = 1 / (1 - turns @ np.array(coefficients))
    rows = np.fft.irfft(np.fft.rfft(generator.standard_normal(size)) * response, size)
    power = np.mean(np.abs(np.concatenate((response, response[1:-1]))) ** 2)
    return np.asarray(rows[:n] / np.sqrt(power), np.float64)


AR95 = Process("AR(.95)", lambda generator, n: _ar(generator, n, 0.95))
INDEPENDENT = Process("independent", lambda generator, n: generator.standard_normal(n))
OTHERS = (
    INDEPENDENT,
    Process("AR(.9)", lambda generator, n: _ar(generator, n, 0.9)),
    Process("AR(1.6, -.7)", lambda generator, n: _ar(generator, n, 1.6, -0.7)),
    Process("AR(.95) + noise", lambda g, n: (_ar(g, n, 0.95) + 0.7 * g.standard_normal(n)) / np.sqrt(1.49)),
    Process("AR(.98) + AR(.6)", lambda g, n: (_ar(g, n, 0.98) + _ar(g, n, 0.6)) / np.sqrt(2)),
    Process("exp AR(.95)", lambda generator, n: np.exp(_ar(generator, n, 0.95))),
)
