"""What a gateway's own model costs: bytes, time to build, time a row, memory of a thousand."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from protocols.scoring.fit import FitOptions, fit
from protocols.scoring.loader import load_network
from protocols.scoring.scorer import Scorer
from tests.bench.ml.table import Cell, Table
from tests.support.machines import remembering

CHANNELS = tuple("abcdefgh")
MODELS = 1_000
ROWS = remembering(1, 3_000, len(CHANNELS))
ONE_BY_ONE = [ROWS[at : at + 1] for at in range(500, 700)]


def tables(data: Path) -> Iterator[Table]:  # noqa: ARG001 - nothing is read
    """Yield what models of eight channels cost, and how often healthy machines with memory are alarmed about."""
    rows = [_cost(400, (15,)), _cost(400, ()), _cost(1_200, ())]
    yield Table(
        "cost: a model of 8 channels, scaling and scoring included, LiteRT",
        ("spans", "bytes", "build ms", "us a row alone", "us a row, 1,000 at once"),
        rows,
        [f"{MODELS:,} models resident: {_resident_mib():.0f} MiB more than none"],
    )
    shares = 100 * np.array([_alarmed(seed) for seed in range(100, 150)])
    quantiles = tuple(float(value) for value in np.quantile(shares, (0.1, 0.5, 0.9)))
    yield Table(
        "cost: healthy AR(.9) machines, 8 channels, 400 rows learned, 50 seeds: rows over the threshold, nominal 1 %",
        ("mean %", "10th percentile", "median", "90th percentile"),
        [(float(shares.mean()), *quantiles)],
    )


def _cost(learned: int, spans: tuple[int, ...]) -> tuple[Cell, ...]:
    options = FitOptions(spans=spans)
    fitted = fit(ROWS[:learned], CHANNELS, period_s=1.0, options=options)
    scorer = Scorer(fitted.scoring, load_network(fitted.network))
    scorer.take(ROWS[:100])
    build = _least_us(lambda: fit(ROWS[:learned], CHANNELS, period_s=1.0, options=options))
    alone = _least_us(lambda: [scorer.take(row) for row in ONE_BY_ONE]) / len(ONE_BY_ONE)
    batched = _least_us(lambda: scorer.take(ROWS[:1_000])) / 1_000
    return str(fitted.scoring.spans), len(fitted.network), build / 1_000, alone, batched


def _least_us(call: Callable[[], object], *, times: int = 3) -> float:
    """Return the least mean time of a call over many tries: what is left is not the neighbours'."""
    taken = []
    for _ in range(30):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        taken.append((time.perf_counter() - begun) / times)
    return min(taken) * 1e6


def _alarmed(seed: int) -> float:
    rows = remembering(seed, 3_400, len(CHANNELS))
    fitted = fit(rows[:400], CHANNELS, period_s=1.0)
    return float(Scorer(fitted.scoring, load_network(fitted.network)).take(rows[420:]).is_over.mean())


def _resident_mib() -> float:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_fill, args=(theirs,))
    child.start()
    mib: float = ours.recv()
    child.join()
    return mib


def _fill(told: Connection) -> None:
    fitted = fit(ROWS[:400], CHANNELS, period_s=1.0)
    first = Scorer(fitted.scoring, load_network(fitted.network))
    first.take(ROWS[:1_000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scorers = [Scorer(fitted.scoring, load_network(fitted.network)) for _ in range(MODELS)]
    for scorer in scorers:
        scorer.take(ROWS[:20])
    told.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
