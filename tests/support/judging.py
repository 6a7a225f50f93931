"""Devices to judge: subjects with their tools, healthy rows of any length, and the rows with a fault in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.own import OwnModels
from edge_agent.detectors.subject import ModelRules, Subject, Tools
from edge_agent.ports import Detector, Row, Turn
from protocols.scoring.network import Network

CHANNELS = ("flow", "pressure", "current")
PERIOD_S = 0.1
Floats = NDArray[np.float64]


@dataclass
class HandClock:
    """A clock that moves where a test moves it."""

    now_s: float = 1_000.0

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return round(self.now_s * 1e6)

    def monotonic_s(self) -> float:
        """Return the same in seconds."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now_s += seconds


@dataclass
class Bench:
    """What a subject is given, kept for looking at."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def subject(self, *, load: Callable[[bytes], Network] = load_network, **more: Any) -> Subject:  # noqa: ANN401
        """Return a Device of three channels, with other fields where they are given."""
        n = len(CHANNELS)
        tools = Tools(load, self.clock, OwnModels(self.folder), lambda: None, self._record)
        given: dict[str, Any] = {
            "low": np.full(n, -np.inf),
            "high": np.full(n, np.inf),
            "rate": np.zeros(n),
            "rules": ModelRules(learn_rows=200, off_after=3, deadline_s=0.05),
        } | more
        return Subject("pump-1", CHANNELS, ("l/min", "bar", "A"), PERIOD_S, tools=tools, **given)

    def _record(self, name: str, _device: str, detail: dict[str, Any]) -> None:
        self.events.append((name, detail))


def healthy(n_rows: int, *, seed: int = 1) -> Floats:
    """Return rows (n, channels) of three quantities that follow one load, each with noise."""
    random = np.random.default_rng(seed)
    load, noise = np.empty(n_rows), np.zeros((n_rows, 3))
    level = 0.0
    for i in range(n_rows):
        level = 0.95 * level + random.normal() * 0.3
        load[i] = level
        noise[i] = 0.5 * noise[i - 1] + random.normal(size=3)
    driven = np.array([50.0, 4.0, 9.0]) + load[:, None] * np.array([5.0, 0.4, 0.8])
    values: Floats = driven + noise * np.array([0.8, 0.05, 0.12])
    return values


def rows_of(values: Floats, *, begin: int = 0) -> list[Row]:
    """Return them as rows at the period; NaN is a channel that was not read."""
    return [
        Row(round((begin + i) * PERIOD_S * 1e6), row, ~np.isnan(row), is_after_gap=begin + i == 0)
        for i, row in enumerate(values)
    ]


def play(detector: Detector, rows: Iterable[Row]) -> list[tuple[int, Turn]]:
    """Return what opened and closed, each with the time of its row; work that is due is done at once."""
    told = []
    for row in rows:
        told += [(row.at_us, turn) for turn in detector.take(row, is_calm=True)]
        if isinstance(detector, ModelDetector):
            do_work(detector)
    return told


def do_work(detector: ModelDetector) -> None:
    """Do what a thread would do."""
    while (job := detector.work()) is not None:
        job()()
