"""A fixed day of load on a virtual clock: shifts, an outage, the flush of what gateways kept at five times the load.

What decides is the code that decides in the cloud: the forecaster, the effect of events, `decide`. What is played is
the plant and the queue: messages that come in a second, and what so many instances can do in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.forecasting import QuantileFit
from cloud.analysis.load_quantiles import LoadForecaster, learn
from cloud.analysis.load_series import without_events
from cloud.domain.forecast import LEVELS
from cloud.domain.load import MINUTE_US, Service, smoothed
from cloud.domain.scaling import Bounds, Outlook, Situation, decide, percentile_95
from cloud.domain.times import to_datetime

Floats = NDArray[np.float64]
DAY_S = 86_400
DAY_MIN = 1440
START_MINUTE = 29_453_760
"""A Thursday at midnight, UTC."""
OUTAGE = (13 * 3600, 13 * 3600 + 1800)
OUT_SHARE = 0.8
FLUSH = 5.0
CAPACITY = 100.0
"""Messages a second of one instance that has the machine for itself."""
LOST_TO_OTHERS = 0.03
"""The share of it that each further instance takes from all."""
START_S = 5
DECIDE_EVERY_S = 10
FORETELL_EVERY_MIN = 5
MOST = 8
SERVICE = Service.INGEST


def normal_load(days: int, seed: int = 4) -> Floats:
    """Return messages a second of each minute of so many days, (days * 1440,): two shifts, quiet nights and noise."""
    minute = np.arange(days * DAY_MIN)
    hour = minute % DAY_MIN / 60
    shifts = 1 / (1 + np.exp(-3 * (hour - 6))) - 1 / (1 + np.exp(-3 * (hour - 22)))
    noise = np.random.default_rng(seed).normal(1.0, 0.04, len(minute))
    return np.asarray((40 + 130 * shifts) * noise, np.float64)


def day_of_trouble(normal: Floats) -> Floats:
    """Return messages of each second of a day, (86400,): normal has a value a minute."""
    load = np.repeat(normal, 60)
    begin, end = OUTAGE
    kept = OUT_SHARE * float(load[begin:end].sum())
    load[begin:end] *= 1 - OUT_SHARE
    second = end
    while kept > 0:
        flushed = min(kept, (FLUSH - 1) * load[second])
        load[second] += flushed
        kept -= flushed
        second += 1
    return load


@dataclass(frozen=True, slots=True)
class Played:
    """How the day went: lag by second, (86400,), in seconds; p95 and worst of it; hours of instances; changes made."""

    lag_s: Floats
    instance_hours: float
    changes: int
    left: float
    most: int

    @property
    def p95_s(self) -> float:
        """Return the lag that one second in twenty exceeds."""
        return percentile_95(self.lag_s.tolist())

    @property
    def worst_s(self) -> float:
        """Return the longest lag."""
        return float(self.lag_s.max())


LookAhead = Callable[[int, Floats], Outlook]
"""From a minute of the day and the load of all minutes until then, to what is foretold."""


def reactive(_minute: int, _seen: Floats) -> Outlook:
    """Foretell nothing: what is there decides."""
    return Outlook()


class Foretelling:
    """Foretells as the cloud does; history: of the days before; effect: of planned events on each minute of the day."""

    def __init__(self, history: Floats, fit: QuantileFit, effect: Floats | None = None) -> None:
        self._history = history
        self._effect = np.ones(DAY_MIN + 60) if effect is None else effect
        marked = np.zeros(len(history), bool)
        self._online = np.full(len(history) + DAY_MIN, 100.0)
        start = START_MINUTE - len(history)
        self._model = learn(history, self._online[: len(history)], 15, fit, start=start, marked=marked)
        self._told: list[tuple[int, Floats]] = []

    @property
    def forecaster(self) -> LoadForecaster:
        """Return what foretells."""
        return self._model

    def __call__(self, minute: int, seen: Floats) -> Outlook:
        """Return the highest of what was foretold for the next 15 minutes."""
        if minute % FORETELL_EVERY_MIN == 0 and (not self._told or self._told[-1][0] != minute + 14):
            self._foretell(minute, seen)
        near = [quantiles * self._effect[target] for target, quantiles in self._told if minute <= target <= minute + 15]
        self._told = [one for one in self._told if one[0] >= minute]
        if not near:
            return Outlook()
        p90, p99 = (max(float(one[LEVELS.index(level)]) for one in near) for level in (0.9, 0.99))
        return Outlook(p90, p99)

    def _foretell(self, minute: int, seen: Floats) -> None:
        values = np.concatenate((self._history, seen))
        effect = np.concatenate((np.ones(len(self._history)), self._effect[: len(seen)]))
        base, _ = without_events(values, effect)
        start = START_MINUTE - len(self._history)
        found = self._model.foretell(base, self._online[: len(base)], start=start).quantiles[0]
        if np.isfinite(found).all():
            self._told.append((minute + 14, found))


def play(load: Floats, look_ahead: LookAhead) -> Played:
    """Play a day of load, by second, and return how it went."""
    bounds = Bounds(1, MOST)
    now = Situation(SERVICE, to_datetime(START_MINUTE * MINUTE_US), 2, bounds, CAPACITY)
    lag, seen, done = np.zeros(DAY_S), np.zeros(DAY_MIN), np.zeros(DAY_S)
    waiting = hours = 0.0
    ready, ready_at, changes, most = 2, 0, 0, 2
    for second in range(DAY_S):
        ready = now.current if second >= ready_at or now.current < ready else ready
        able = ready * CAPACITY * (1 - LOST_TO_OTHERS * (ready - 1))
        there = waiting + load[second]
        done[second] = min(there, able)
        waiting = there - done[second]
        lag[second] = waiting / able
        hours += now.current / 3600
        if second % 60 == 59:
            seen[second // 60] = done[second - 59 : second + 1].mean()
            if waiting > 0:
                now = replace(now, capacity=smoothed(now.capacity, able / ready))
        if second % DECIDE_EVERY_S == DECIDE_EVERY_S - 1:
            at = to_datetime(START_MINUTE * MINUTE_US) + timedelta(seconds=second)
            minute = (second + 1) // 60
            ahead = look_ahead(minute, seen[:minute])
            observed = float(done[max(0, second - 9) : second + 1].mean())
            now = replace(now, at=at, observed=observed, p90=ahead.p90, p99=ahead.p99)
            verdict = decide(now)
            now = replace(now, small_since=verdict.small_since)
            if verdict.change is not None:
                now = replace(now, current=verdict.change.target, changed_at=at)
                ready_at, changes, most = second + START_S, changes + 1, max(most, now.current)
    return Played(lag, hours, changes, waiting, most)
