"""Rows: networks that lose, delay, starve, tear and bend what they carry."""

import random
from functools import partial

from tests.faults.conditions import Conditions, Way
from tests.faults.row import Row
from tests.faults.stage import Stage

LATE = Way(latency_s=0.2, jitter_s=0.1)
SLOW = Way(bytes_per_s=64_000 / 8)
SINGLE = Way(segment_bytes=1)
BENT = Way(flip_every=3_000)
DEAD = Way(swallows=True)
HELD = Way(stalls=True)


def bad_network(stage: Stage, rng: random.Random, *, conditions: Conditions, where: str = "network") -> None:
    """Make the way between agents and broker bad for a while."""
    proxy = stage.network if where == "network" else stage.backbone
    proxy.switch(conditions)
    stage.last(rng.uniform(3.0, 8.0))


def torn_network(stage: Stage, rng: random.Random, *, conditions: Conditions) -> None:
    """Let connections be made, and break each after so many bytes, until some were broken."""
    before = stage.network.connections
    stage.network.switch(conditions)
    stage.wait(lambda: stage.network.connections >= before + 2)
    stage.last(rng.uniform(0.0, 3.0))


def acks_bent(stage: Stage, rng: random.Random) -> None:
    """Let acks that fit a backlog be bent in a connection that holds: what they say too much would not be sent."""
    stage.network.switch(Conditions(refuses=True))
    stage.last(rng.uniform(3.0, 5.0))
    stage.network.switch(Conditions(up=SLOW, down=Way(flip_every=rng.choice([150, 400, 1000]))))
    stage.last(rng.uniform(6.0, 9.0))


def network_away(stage: Stage, rng: random.Random) -> None:
    """Let nobody reach the broker, now and then for a moment only."""
    stage.network.switch(Conditions(refuses=True))
    stage.last(rng.choice([0.2, 4.0]) * rng.uniform(0.5, 1.5))


def network_flaps(stage: Stage, rng: random.Random) -> None:
    """Reset every connection some times in a row."""
    for _ in range(rng.randrange(3, 8)):
        stage.network.tear_all()
        stage.last(rng.uniform(0.1, 1.5))


def _bad(conditions: Conditions, where: str = "network") -> Row:
    return Row(partial(bad_network, conditions=conditions, where=where), times=2, mixes=True, full_times=10)


ROWS = {
    "acks-swallowed": _bad(Conditions(down=DEAD)),
    "data-swallowed": _bad(Conditions(up=DEAD)),
    "network-held-up": _bad(Conditions.both(HELD)),
    "acks-held-up": _bad(Conditions(down=HELD)),
    "latency-200ms": _bad(Conditions.both(LATE)),
    "line-64kbit": _bad(Conditions.both(SLOW)),
    "reset-every-20kB": Row(
        partial(torn_network, conditions=Conditions(reset_every=20_000)), times=2, mixes=True, full_times=10
    ),
    "single-bytes": _bad(Conditions.both(SINGLE)),
    "bits-flipped": _bad(Conditions.both(BENT)),
    "acks-bent": Row(acks_bent, times=3, mixes=True, full_times=20),
    "network-away": Row(network_away, mixes=True, full_times=20),
    "network-flaps": Row(network_flaps, times=2, mixes=True, full_times=20),
    "cloud-data-swallowed": _bad(Conditions(down=DEAD), "backbone"),
    "cloud-acks-swallowed": _bad(Conditions(up=DEAD), "backbone"),
    "cloud-latency-200ms": _bad(Conditions.both(LATE), "backbone"),
    "cloud-bits-flipped": _bad(Conditions.both(BENT), "backbone"),
}
