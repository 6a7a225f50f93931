"""The pieces that honest physics is made of: a load that wanders, a lag, coloured noise; all from one seed."""

import math
from dataclasses import dataclass
from random import Random

LOAD_MIN, LOAD_MAX = 0.05, 1.0
DUTY_LAG_S = 2.0
NOISE_MEMORY_S = 0.3


@dataclass(frozen=True, slots=True)
class Channel:
    """One physical quantity: base + gain * (load ** exponent, late by lag_s) + noise of deviation sigma."""

    name: str
    unit: str
    sigma: float
    base: float = 0.0
    gain: float = 0.0
    lag_s: float = 0.0
    exponent: float = 1.0


class Lag:
    """A first-order lag: what heat and inertia do to a change."""

    def __init__(self, lag_s: float, dt_s: float) -> None:
        self._keep = math.exp(-dt_s / lag_s) if lag_s > 0 else 0.0
        self._level: float | None = None

    def follow(self, target: float) -> float:
        """Return the level after one step towards the target; the first call starts there."""
        before = target if self._level is None else self._level
        self._level = target + self._keep * (before - target)
        return self._level


class Noise:
    """First-order autoregressive noise of unit deviation."""

    def __init__(self, random: Random, dt_s: float) -> None:
        self._random = random
        self._keep = math.exp(-dt_s / NOISE_MEMORY_S)
        self._fresh = math.sqrt(1 - self._keep**2)
        self._level = random.gauss()

    def next(self) -> float:
        """Return the next value."""
        self._level = self._keep * self._level + self._fresh * self._random.gauss()
        return self._level


class Load:
    """How hard a machine works, 0.05 to 1: a slow wave around a duty that is set anew now and then."""

    def __init__(self, random: Random, dt_s: float) -> None:
        self._random = random
        self._dt_s = dt_s
        self._wave_s = random.uniform(20, 40)
        self._elapsed_s = random.uniform(0, self._wave_s)
        self._duty = random.uniform(0.5, 0.7)
        self._left_s = random.uniform(8, 20)
        self._lag = Lag(DUTY_LAG_S, dt_s)

    def next(self) -> float:
        """Return the load one step later."""
        self._elapsed_s += self._dt_s
        self._left_s -= self._dt_s
        if self._left_s <= 0:
            self._duty = self._random.uniform(0.35, 0.8)
            self._left_s = self._random.uniform(8, 20)
        wave = 0.2 * math.sin(2 * math.pi * self._elapsed_s / self._wave_s)
        return min(LOAD_MAX, max(LOAD_MIN, self._lag.follow(self._duty) + wave))


class Response:
    """One Channel as it answers to the load, step by step."""

    def __init__(self, channel: Channel, random: Random, dt_s: float) -> None:
        self._channel = channel
        self._lag = Lag(channel.lag_s, dt_s)
        self._noise = Noise(random, dt_s)

    def next(self, load: float) -> float:
        """Return the quantity one step later under this load."""
        channel = self._channel
        driven = self._lag.follow(load**channel.exponent)
        return channel.base + channel.gain * driven + channel.sigma * self._noise.next()
