"""Rows: programs that are killed, and programs that stand still."""

import random

from tests.faults.failing_ingest import FAILPOINT
from tests.faults.programs import AGENT, BROKER, INGEST, Needs
from tests.faults.row import Row
from tests.faults.stage import Stage

SUBSCRIBERS = ("consumer-1", "consumer-2", INGEST)


def agent_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the agent in the middle of its writes."""
    stage.last(rng.uniform(0.5, 1.5))
    _kill(stage, AGENT, away_s=0.0)


def broker_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the broker; it comes back with what its persistence file had."""
    stage.last(rng.uniform(0.2, 1.0))
    _kill(stage, BROKER, away_s=rng.uniform(0.0, 2.0))


def ingest_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the process that writes."""
    stage.last(rng.uniform(0.2, 1.0))
    _kill(stage, stage.writer, away_s=rng.uniform(0.0, 2.0))


def ingest_killed_before_ack(stage: Stage, rng: random.Random) -> None:
    """Let the process that writes die between a commit and its acks, by its failpoint."""
    stage.last(rng.uniform(0.2, 1.0))
    stage.journal.tell(f"arm {FAILPOINT}")
    stage.config.with_name(FAILPOINT).touch()
    stage.wait(lambda: not stage.lives(INGEST))
    stage.start(INGEST)


def cloud_killed(stage: Stage, rng: random.Random) -> None:
    """Kill one process of the whole cloud, which its supervisor starts again, or all of them at once."""
    stage.last(rng.uniform(0.2, 1.0))
    chosen = rng.choice(["ingest", "api", "worker", stage.writer])
    if chosen == stage.writer:
        _kill(stage, chosen, away_s=0.0)
    else:
        stage.kill_child(chosen)


def everything_killed(stage: Stage, rng: random.Random) -> None:
    """Kill agent, broker and writer at once, as a power cut of everything does, and start them in any order."""
    stage.last(rng.uniform(0.2, 1.0))
    names = [AGENT, BROKER, stage.writer]
    rng.shuffle(names)
    for name in names:
        stage.kill(name)
    rng.shuffle(names)
    for name in names:
        stage.start(name)


def subscribers_killed(stage: Stage, rng: random.Random) -> None:
    """Kill any of the three subscriber processes that feed the one writer, now and then the writer itself."""
    stage.last(rng.uniform(0.1, 1.0))
    name = rng.choice(SUBSCRIBERS)
    _kill(stage, name, away_s=rng.uniform(0.0, 1.0))


def agent_frozen(stage: Stage, rng: random.Random) -> None:
    """SIGSTOP the agent for longer than its keep-alive."""
    stage.last(rng.uniform(0.5, 1.5))
    stage.freeze(AGENT, _frozen_s(stage, rng))


def broker_frozen(stage: Stage, rng: random.Random) -> None:
    """SIGSTOP the broker for longer than the clients' keep-alive."""
    stage.last(rng.uniform(0.5, 1.5))
    stage.freeze(BROKER, _frozen_s(stage, rng))


def ingest_frozen(stage: Stage, rng: random.Random) -> None:
    """SIGSTOP the process that writes for longer than a resend takes."""
    stage.last(rng.uniform(0.5, 1.5))
    stage.freeze(stage.writer, _frozen_s(stage, rng))


def _kill(stage: Stage, name: str, *, away_s: float) -> None:
    stage.kill(name)
    stage.last(away_s)
    stage.start(name)


def _frozen_s(stage: Stage, rng: random.Random) -> float:
    short_s = rng.uniform(6.0, 10.0)
    return 60.0 if stage.is_full else short_s


ROWS = {
    "agent-killed": Row(agent_killed, times=5, full_times=100, mixes=True),
    "broker-killed": Row(broker_killed, mixes=True, full_times=20),
    "ingest-killed": Row(ingest_killed, mixes=True, full_times=20),
    "ingest-killed-before-ack": Row(ingest_killed_before_ack, Needs(can_fail=True), full_times=20),
    "everything-killed": Row(everything_killed, mixes=True, full_times=20),
    "cloud-killed": Row(cloud_killed, Needs(whole_cloud=True), times=2, full_times=10),
    "subscribers-killed": Row(subscribers_killed, Needs(consumers=2), times=5, full_times=20),
    "agent-frozen": Row(agent_frozen, mixes=True, times=1),
    "broker-frozen": Row(broker_frozen, mixes=True, times=1),
    "ingest-frozen": Row(ingest_frozen, mixes=True, times=1),
}
