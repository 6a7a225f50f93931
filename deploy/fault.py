"""The demo's fault: drawn from the seed, put into the running plant, and watched until its alarm is in the API."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware_sim.faults import FaultKind, labelled_channel
from firmware_sim.sources import KINDS

MACHINES: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.STUCK: frozenset(KINDS),
    FaultKind.CAVITATION: frozenset({"pump"}),
    FaultKind.LEAK: frozenset({"compressor"}),
    FaultKind.IMBALANCE: frozenset({"pump", "motor", "conveyor", "compressor"}),
}
"""What the demo lets go wrong, and with which types of machine that happens."""
SIGMA = (3.0, 5.0)
LASTS_S = 20.0
ONSET = (0.62, 0.78)
"""When it begins, as shares of a run: after the gateway has learned, and early enough to be found."""
FOUND_BY = ("anomaly", "frozen", "range", "rate")
"""Kinds of alarms that a detector raises; the others tell of devices, gateways and models."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """What will go wrong; sigma: in deviations of the channel's own noise; at_s: after all is up."""

    machine: str
    kind: FaultKind
    channel: str
    sigma: float
    at_s: float

    @property
    def request(self) -> dict[str, Any]:
        """Return what the plant's control port is asked for."""
        asked = {"do": "fault", "machine": self.machine, "kind": self.kind, "sigma": self.sigma, "for_s": LASTS_S}
        return asked | ({"channel": self.channel} if self.kind.is_of_a_sensor else {})


@dataclass(frozen=True, slots=True)
class Detection:
    """What came of a fault: times in microseconds since the epoch; decided: by the gateway, seen: in the API."""

    alarm_id: str
    channel: str
    kind: str
    decided_us: int
    seen_us: int
    message: str


def draw_fault(machines: Mapping[str, str], *, begins_s: float, lasts_s: float, chance: random.Random) -> PlannedFault:
    """Return a fault of one of these machines (id -> type), within a run of so many seconds that begins then."""
    kind = chance.choice([kind for kind, types in MACHINES.items() if types & set(machines.values())])
    machine = chance.choice(sorted(id_ for id_, type_ in machines.items() if type_ in MACHINES[kind]))
    channels = KINDS[machines[machine]]
    wanted = chance.choice(list(channels)) if kind.is_of_a_sensor else None
    return PlannedFault(
        machine=machine,
        kind=kind,
        channel=labelled_channel(kind, wanted, channels),
        sigma=round(chance.uniform(*SIGMA), 2),
        at_s=begins_s + lasts_s * chance.uniform(*ONSET),
    )


def found(alarms: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the alarms that a detector raised."""
    return [alarm for alarm in alarms if alarm["type"] in FOUND_BY]
