"""Rows: networks that lose, delay, starve, tear and bend what they carry."""

import random

from tests.faults.conditions import Conditions, Way
from tests.faults.row import Row
from tests.faults.stage import Stage


def data_swallowed(stage: Stage, rng: random.Random) -> None:
    """Let everything that agents send vanish while their connections stay open."""
    stage.network.switch(Conditions(up=Way(swallows=True)))
    stage.last(rng.uniform(3.0, 8.0))


ROWS = {
    "data-swallowed": Row(data_swallowed, mixes=True, times=2),
}
