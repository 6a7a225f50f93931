"""Generated: rows of the shapes that documented models learn from, drawn from a seed; for plants without data yet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.learning.table import Floats, Table

MACHINING_COLUMNS = (
    "Air_temperature_K",
    "Process_temperature_K",
    "Rotational_speed_rpm",
    "Torque_Nm",
    "Tool_wear_min",
)
MACHINING_TARGET = "Machine_failure"
_RAD_PER_RPM = 2 * np.pi / 60
_HOUR_US = 3_600_000_000
_START_US = 1_735_689_600_000_000
"""2025-01-01."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How sensors of a type read: middle and spread in their unit, share of a day's pattern, memory from row to row."""

    center: float
    spread: float
    daily: float
    memory: float


KINDS = {
    "temperature": Kind(22.0, 3.0, 0.8, 0.9),
    "vibration": Kind(2.5, 0.4, 0.1, 0.5),
    "pressure": Kind(5.0, 0.3, 0.3, 0.8),
    "humidity": Kind(45.0, 6.0, 0.7, 0.9),
    "current": Kind(12.0, 1.5, 0.4, 0.7),
    "voltage": Kind(230.0, 2.0, 0.2, 0.6),
}


def machining(n: int, *, seed: int) -> Table:
    """Return rows of a milling machine with failures, by the published rules of AI4I 2020 (Matzka 2020).

    Heat that stays in, too little or too much power, an overstrained tool, a worn one, and one in 1,000 for no reason.
    """
    rng = np.random.default_rng(seed)
    air = 300 + _walk(rng, n, 2.0)
    process = air + 10 + _walk(rng, n, 1.0)
    torque = np.maximum(rng.normal(40, 10, n), 3.5)
    speed = np.clip(2860 / (torque * _RAD_PER_RPM) * 2.14 + rng.normal(0, 60, n), 1160, 2900)
    wear, strain_limit = _wear(rng, n)
    power = torque * speed * _RAD_PER_RPM
    fails = (process - air < 8.6) & (speed < 1380)
    fails |= (power < 3500) | (power > 9000)
    fails |= wear * torque > strain_limit
    fails |= (wear > 200) & (rng.random(n) < 0.05)
    fails |= rng.random(n) < 0.001
    values = np.column_stack([air.round(1), process.round(1), speed.round(), torque.round(1), wear])
    target = fails.astype(np.float64)
    return Table(MACHINING_COLUMNS, values, target, classes=("0", "1"), target_name=MACHINING_TARGET)


def sensors(n: int, *, seed: int) -> tuple[Table, tuple[str, ...]]:
    """Return n healthy readings of each type of sensor, one group a sensor, and the types in order of the groups."""
    rng = np.random.default_rng(seed)
    time_us = _START_US + np.arange(n, dtype=np.int64) * 300_000_000
    series = [_sensor(rng, kind, time_us) for kind in KINDS.values()]
    groups = np.repeat(np.arange(len(series)), n)
    values = np.concatenate(series)[:, None]
    return Table(("value",), values, None, np.tile(time_us, len(series)), groups), tuple(KINDS)


def series(n_hours: int, *, seed: int) -> Table:
    """Return an hourly series with a trend that bends, patterns of day and week, and noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n_hours)
    time_us = _START_US + hours.astype(np.int64) * _HOUR_US
    slopes = np.where(hours < n_hours * 0.35, 0.02, np.where(hours < n_hours * 0.6, -0.015, 0.005))
    day = 6 * np.sin(2 * np.pi * (hours % 24) / 24) + 2.5 * np.cos(4 * np.pi * (hours % 24) / 24)
    week = np.where((hours // 24) % 7 >= 5, -4.0, 0.0)
    target = 60 + np.cumsum(slopes) + day + week + rng.normal(0, 3.0, n_hours)
    return Table((), np.empty((n_hours, 0)), target, time_us, target_name="value")


def _walk(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """Return a random walk that is drawn back to 0, with this spread."""
    steps = rng.normal(0, spread * 0.14, n)
    walk = np.empty(n)
    at = 0.0
    for place, step in enumerate(steps):
        at = 0.99 * at + step
        walk[place] = at
    return walk


def _wear(rng: np.random.Generator, n: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the minutes a tool has been in use, new again once worn, and what strain it bears by quality."""
    quality = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    each, limits = np.array([2, 3, 5])[quality], np.array([11_000, 12_000, 13_000])[quality]
    total = np.cumsum(each)
    life = 220
    wear: Floats = (total % life).astype(np.float64)
    return wear, limits


def _sensor(rng: np.random.Generator, kind: Kind, time_us: NDArray[np.int64]) -> Floats:
    n = len(time_us)
    noise = rng.normal(0, np.sqrt(1 - kind.memory**2), n)
    own = np.empty(n)
    at = rng.normal()
    for place, step in enumerate(noise):
        at = kind.memory * at + step
        own[place] = at
    day = np.sqrt(2) * np.sin(2 * np.pi * (time_us / 86_400e6) + rng.uniform(0, 6.28))
    mixed: Floats = np.sqrt(kind.daily) * day + np.sqrt(1 - kind.daily) * own
    return kind.center + kind.spread * mixed
