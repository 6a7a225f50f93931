"""Faults drawn from the seed: when, which, how long and how large, the same for the same seed."""

from collections.abc import Callable, Iterator
from random import Random

from firmware_sim.faults import Fault, allowed_kinds, labelled_channel
from firmware_sim.machine import Machine
from firmware_sim.plant import RandomFaults


def draw_faults(
    settings: RandomFaults, machine: Machine, random: Random, next_id: Callable[[], int]
) -> Iterator[Fault]:
    """Yield one fault after another, for ever; none begins before the one before has ended."""
    channels, period_s = machine.source.channels, machine.source.period_s
    kinds = [kind for kind in allowed_kinds(channels) if kind in settings.kinds]
    at_s = 0.0
    while kinds:
        at_s += random.expovariate(1 / settings.mean_every_s)
        kind = random.choice(kinds)
        wanted = random.choice(list(channels)) if kind.is_of_a_sensor else None
        for_s = random.uniform(*settings.for_s)
        yield Fault(
            id=next_id(),
            machine=machine.name,
            kind=kind,
            channel=labelled_channel(kind, wanted, channels),
            sigma=random.uniform(*settings.sigma),
            at_tick=round(at_s / period_s) + 1,
            ticks=max(1, round(for_s / period_s)),
            is_drawn=True,
        )
        at_s += for_s
