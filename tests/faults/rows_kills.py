"""Rows: programs that are killed, and programs that stand still."""

import random

from tests.faults.programs import AGENT, BROKER
from tests.faults.row import Row
from tests.faults.stage import Stage


def agent_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the agent in the middle of its writes."""
    stage.last(rng.uniform(0.5, 1.5))
    stage.kill(AGENT)
    stage.start(AGENT)


def broker_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the broker; it comes back with what its persistence file had."""
    stage.last(rng.uniform(0.2, 1.0))
    stage.kill(BROKER)
    stage.last(rng.uniform(0.0, 2.0))
    stage.start(BROKER)


def ingest_killed(stage: Stage, rng: random.Random) -> None:
    """Kill the process that writes."""
    stage.last(rng.uniform(0.2, 1.0))
    stage.kill(stage.writer)
    stage.last(rng.uniform(0.0, 2.0))
    stage.start(stage.writer)


ROWS = {
    "agent-killed": Row(agent_killed, mixes=True, times=5),
    "broker-killed": Row(broker_killed, mixes=True),
    "ingest-killed": Row(ingest_killed, mixes=True),
}
