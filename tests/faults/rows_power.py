"""Rows: power cuts, after which a disk holds what had been flushed and nothing else."""

import random
import signal

from tests.faults.conditions import Conditions
from tests.faults.programs import AGENT, BROKER, CLOUD, Needs
from tests.faults.row import Row
from tests.faults.stage import Stage


def agent_cut_off(stage: Stage, rng: random.Random) -> None:
    """Cut the gateway's power in the middle of its writes, now and then while nobody can be reached."""
    if rng.random() < 0.5:
        stage.network.switch(Conditions(refuses=True))
    stage.last(rng.uniform(0.5, 3.0))
    _cut(stage, AGENT)
    stage.start(AGENT)


def store_cut_off(stage: Stage, rng: random.Random) -> None:
    """Cut the power of the machine with the store in the middle of its writes."""
    stage.last(rng.uniform(0.5, 3.0))
    _cut(stage, CLOUD)
    stage.last(rng.uniform(0.0, 1.0))
    stage.start(stage.writer)


def everything_cut_off(stage: Stage, rng: random.Random) -> None:
    """Cut the power of gateway, broker and store at once, and start them in any order."""
    stage.last(rng.uniform(0.5, 3.0))
    stage.signal(stage.writer, signal.SIGSTOP)
    _cut(stage, AGENT)
    stage.kill(BROKER)
    _cut(stage, CLOUD)
    names = [AGENT, BROKER, stage.writer]
    rng.shuffle(names)
    for name in names:
        stage.start(name)


def _cut(stage: Stage, whose: str) -> None:
    """Stop who writes, lose what its disk has not flushed, and end it before it can see that."""
    name = stage.writer if whose == CLOUD else whose
    disk = stage.disks[whose]
    stage.signal(name, signal.SIGSTOP)
    disk.cut_power()
    stage.journal.tell(f"the power of {name} is cut")
    stage.kill(name)
    disk.unmount()
    disk.mount()


ROWS = {
    "agent-cut-off": Row(agent_cut_off, Needs(disks={AGENT: 48}), times=5, full_times=50),
    "store-cut-off": Row(store_cut_off, Needs(disks={CLOUD: 64}), times=3, full_times=50),
    "everything-cut-off": Row(everything_cut_off, Needs(disks={AGENT: 48, CLOUD: 64}), times=3, full_times=50),
}
