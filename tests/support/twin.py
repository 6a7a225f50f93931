"""Machines whose health is known: run to failure with noise, and healthy ones; and how the score sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.first_passage import fit_wiener, passage_probability
from cloud.analysis.health.burden import HALF_LIFE_US
from cloud.analysis.health.score import anomaly_freedom, health_scores, limit_margin, trend_room
from cloud.analysis.health.trend import WEEK_H, fit_trend
from cloud.analysis.statistics import Floats

HOUR_MIN = 60
MEDIAN_MIN = 15
OWN_SHARE = 0.01
_MINUTE_US = 60_000_000
_HISTORY_H = 14 * 24


@dataclass(frozen=True, slots=True)
class Machine:
    """Minute values and flags of its model (n,), and its limits; failed_h: the hour of its failure, None: healthy."""

    values: Floats
    is_anomalous: NDArray[np.bool_]
    warn: float
    crit: float
    failed_h: int | None = None


def memory_noise(generator: np.random.Generator, n: int, r: float) -> Floats:
    """Return a first-order autoregression, deviation 1, (n,)."""
    size = n + 2000
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    noise = generator.standard_normal(size) * np.sqrt(1 - r**2)
    return np.asarray(np.fft.irfft(np.fft.rfft(noise) / (1 - r * turns), size)[:n], np.float64)


def healthy(generator: np.random.Generator, days: int) -> Machine:
    """Return a machine with noise, a memory of its own and a daily cycle, its warning limit 5 deviations away."""
    minutes = days * 24 * HOUR_MIN
    values = _usual(generator, minutes)
    spread = float(values.std())
    flags = generator.random(minutes) < OWN_SHARE
    return Machine(values, flags, warn=5 * spread, crit=8 * spread)


def run_to_failure(generator: np.random.Generator, days: int) -> Machine:
    """Return a machine that wears from a moment of the first half on until it reaches its critical limit."""
    minutes = days * 24 * HOUR_MIN
    usual = _usual(generator, minutes)
    spread = float(usual.std())
    crit = float(generator.uniform(6, 12)) * spread
    begins = float(generator.uniform(0.0, 0.3)) * minutes
    worn = np.clip((np.arange(minutes) - begins) / (minutes - begins), 0.0, 1.0)
    wear = worn ** float(generator.uniform(1.0, 2.5)) * crit
    flags = generator.random(minutes) < OWN_SHARE + 0.9 * np.clip(worn - 0.3, 0.0, None)
    return Machine(usual + wear, flags, warn=0.4 * crit, crit=crit, failed_h=days * 24)


def scores_of(machine: Machine, *, every_min: int = 1) -> Floats:
    """Return the score at every so many minutes, as the rounds of judging compute it, NaN before the first hour."""
    minutes = np.arange(HOUR_MIN, len(machine.values), every_min)
    median = _medians(machine.values, minutes)
    margin = limit_margin(median, np.array(machine.warn), np.array(machine.crit))
    parts = np.full((len(minutes), 5), np.nan)
    parts[:, 0] = margin
    parts[:, 1] = anomaly_freedom(_shares(machine.is_anomalous)[minutes], np.array(OWN_SHARE))
    parts[:, 2] = _trends(machine, minutes)
    parts[:, 3] = parts[:, 4] = 1.0
    return health_scores(parts)


def _usual(generator: np.random.Generator, minutes: int) -> Floats:
    slow = memory_noise(generator, minutes, float(generator.choice([0.9, 0.99, 0.999])))
    cycle = 0.8 * np.sin(2 * np.pi * np.arange(minutes) / (24 * HOUR_MIN) + generator.uniform(0, 6))
    return np.asarray(slow + cycle + 0.3 * generator.standard_normal(minutes), np.float64)


def _medians(values: Floats, minutes: NDArray[np.int64]) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, MEDIAN_MIN)
    return np.asarray(np.median(windows[minutes - MEDIAN_MIN], axis=1), np.float64)


def _shares(flags: NDArray[np.bool_]) -> Floats:
    """Return the burden's share after each minute: what Burden does row by row, as a recursion."""
    fade, anomalous, rows = 2.0 ** (-_MINUTE_US / HALF_LIFE_US), 0.0, 0.0
    shares = np.empty(len(flags))
    for minute, flag in enumerate(flags.tolist()):
        anomalous, rows = anomalous * fade + flag, rows * fade + 1.0
        shares[minute] = anomalous / rows
    return shares


def _trends(machine: Machine, minutes: NDArray[np.int64]) -> Floats:
    hours = np.median(machine.values[: len(machine.values) // HOUR_MIN * HOUR_MIN].reshape(-1, HOUR_MIN), axis=1)
    found = np.full(len(minutes), np.nan)
    for hour in range(72, len(hours) + 1):
        trend = fit_trend(hours[max(0, hour - WEEK_H) : hour])
        chosen = (minutes >= hour * HOUR_MIN) & (minutes < (hour + 1) * HOUR_MIN)
        if trend is None or not chosen.any():
            continue
        passed = minutes[chosen] / HOUR_MIN - hour
        times = [trend.hours_to(machine.crit, machine.warn, passed_h=float(one)) for one in passed]
        found[chosen] = trend_room(np.array(times))
    return found


def chances_of(machine: Machine, *, horizon_h: int, every_h: int) -> tuple[Floats, Floats]:
    """Return the chance of a failure within the horizon at hours from the first 24 on, and whether it came, each (n,).

    Hours of which that is not known yet, since the series ends before, are left out.
    """
    hourly = machine.values[: len(machine.values) // HOUR_MIN * HOUR_MIN].reshape(-1, HOUR_MIN).mean(axis=1)
    distance = machine.crit - hourly
    last = len(hourly) - (0 if machine.failed_h is not None else horizon_h)
    at = np.arange(25, last, every_h)
    seen = [distance[max(0, hour - _HISTORY_H) : hour] for hour in at.tolist()]
    chances = [float(passage_probability(fit_wiener(one), one[-1:], horizon_h)[0]) for one in seen]
    failed = np.zeros(len(at)) if machine.failed_h is None else (at + horizon_h >= machine.failed_h).astype(np.float64)
    return np.array(chances), failed
