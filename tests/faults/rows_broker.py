"""Rows: a broker that forgets, overflows, or is away for long."""

import random

from tests.faults.programs import BROKER, Needs
from tests.faults.row import Row
from tests.faults.stage import Stage

AWAY_S = 1800.0
NARROW = Needs(queued=2, in_flight=1, cloud={"mqtt": {"protocol": "3.1.1"}})
"""With MQTT 5 it is the client that says how much it lets come, and the cloud lets 64 messages."""


def broker_emptied(stage: Stage, rng: random.Random) -> None:
    """Kill the broker and delete its persistence, while the writer is away and messages wait for it there."""
    is_writer_away = rng.random() < 0.5
    if is_writer_away:
        stage.kill(stage.writer)
    stage.last(rng.uniform(0.5, 2.0))
    stage.kill(BROKER)
    stage.journal.tell("delete the broker's persistence")
    (stage.directory / "mosquitto.db").unlink(missing_ok=True)
    stage.start(BROKER)
    if is_writer_away:
        stage.start(stage.writer)


def broker_overflows(stage: Stage, rng: random.Random) -> None:
    """Let the writer stand still until the broker has thrown away what it had said it has; it tells that once."""
    log = stage.directory / "broker.log"
    stage.freeze(stage.writer, rng.uniform(2.0, 4.0))
    stage.wait(lambda: "being dropped" in log.read_text())


def broker_away(stage: Stage, rng: random.Random) -> None:
    """Let the broker be away for long."""
    stage.stop(BROKER)
    stage.last(AWAY_S if stage.is_full else rng.uniform(15.0, 20.0))
    stage.start(BROKER)


ROWS = {
    "broker-emptied": Row(broker_emptied, mixes=True, full_times=20),
    "broker-overflows": Row(broker_overflows, NARROW, times=2),
    "broker-away": Row(broker_away, times=1),
}
