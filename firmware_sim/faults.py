"""Faults with a label: what each kind does to which channel, in multiples of the channel's own noise (sigma)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SPIKE_EVERY = 5
"""A spike hits the first tick of its window and every fifth after it."""


class FaultKind(StrEnum):
    """What can go wrong with a machine or one of its sensors."""

    STUCK = "stuck"
    SPIKE = "spike"
    DRIFT = "drift"
    DROPOUT = "dropout"
    BEARING_WEAR = "bearing_wear"
    LEAK = "leak"
    CAVITATION = "cavitation"
    IMBALANCE = "imbalance"

    @property
    def is_of_a_sensor(self) -> bool:
        """Return whether it happens to one channel of choice; the others are of the machine and have their own."""
        return self not in EFFECTS


class Shape(StrEnum):
    """How a fault grows inside its window."""

    STEP = "step"
    RAMP = "ramp"
    SWING = "swing"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault of size 1 sigma does to a channel: gain sigmas, at once, growing to the end, or to and fro."""

    channel: str
    gain: float
    shape: Shape = Shape.STEP


EFFECTS: Mapping[FaultKind, tuple[Effect, ...]] = {
    FaultKind.BEARING_WEAR: (
        Effect("vibration", 1.0, Shape.RAMP),
        Effect("temperature", 0.5, Shape.RAMP),
        Effect("current", 0.3, Shape.RAMP),
    ),
    FaultKind.LEAK: (Effect("pressure", -1.0), Effect("flow", -0.6), Effect("current", 0.3)),
    FaultKind.CAVITATION: (
        Effect("vibration", 1.0),
        Effect("pressure", 0.8, Shape.SWING),
        Effect("flow", 0.6, Shape.SWING),
    ),
    FaultKind.IMBALANCE: (Effect("vibration", 1.0), Effect("current", 0.2, Shape.SWING)),
}
"""The first channel of each is the one the fault is labelled with."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in one machine; at_tick: its first tick; ticks: how many it lasts; channel: the labelled one.

    is_drawn: it came from the seed, not from the plant file or a request.
    """

    id: int
    machine: str
    kind: FaultKind
    channel: str
    sigma: float
    at_tick: int
    ticks: int
    is_drawn: bool = False

    def is_on(self, tick: int) -> bool:
        """Return whether this tick lies in the window."""
        return self.at_tick <= tick < self.at_tick + self.ticks

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Return what it does; a sensor's fault does all to its own channel."""
        shape = Shape.RAMP if self.kind is FaultKind.DRIFT else Shape.STEP
        return EFFECTS.get(self.kind) or (Effect(self.channel, 1.0, shape),)

    def disturb(
        self, tick: int, values: Mapping[str, float], sigmas: Mapping[str, float], onset: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the channels that differ at this tick of the window, by name; onset: the values at its first tick."""
        if self.kind is FaultKind.STUCK:
            return {self.channel: onset[self.channel]}
        if self.kind is FaultKind.DROPOUT:
            return {self.channel: 0.0}
        age = tick - self.at_tick
        if self.kind is FaultKind.SPIKE and age % SPIKE_EVERY:
            return {}
        return {
            effect.channel: values[effect.channel]
            + effect.gain * self.sigma * sigmas[effect.channel] * _grown(effect.shape, age, self.ticks)
            for effect in self.effects
            if effect.channel in values
        }


def _grown(shape: Shape, age: int, ticks: int) -> float:
    match shape:
        case Shape.STEP:
            return 1.0
        case Shape.RAMP:
            return (age + 1) / ticks
        case Shape.SWING:
            return 1.0 if age % 2 else -1.0


def allowed_kinds(channels: Mapping[str, object]) -> list[FaultKind]:
    """Return the kinds of fault that a machine with these channels can have."""
    return [kind for kind in FaultKind if kind.is_of_a_sensor or EFFECTS[kind][0].channel in channels]


def labelled_channel(kind: FaultKind, wanted: str | None, channels: Mapping[str, object]) -> str:
    """Return the channel that the fault is labelled with; raise ValueError that says what is allowed."""
    if kind not in allowed_kinds(channels):
        allowed = ", ".join(allowed_kinds(channels))
        raise ValueError(f"kind: this machine cannot have {kind}; allowed: {allowed}")
    if not kind.is_of_a_sensor:
        channel = EFFECTS[kind][0].channel
        if wanted not in (None, channel):
            raise ValueError(f"channel: {kind} shows in {channel}; leave the key out or write {channel}")
        return channel
    if wanted not in channels:
        raise ValueError(f"channel: {kind} needs one of {', '.join(channels)}, not {wanted!r}")
    return str(wanted)
