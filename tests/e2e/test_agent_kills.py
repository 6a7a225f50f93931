"""An agent killed in the middle of its writes: what was durable is stored once, at most one poll was not durable."""

from pathlib import Path
from random import Random

import pytest

from tests.support.killed_agent import kill_again_and_again

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(600)]
KILLS = 8


def test_of_an_agent_killed_while_it_writes_nothing_durable_is_lost(tmp_path: Path) -> None:
    fate = kill_again_and_again(tmp_path, kills=KILLS, random=Random(5))
    assert fate.polls > KILLS
    assert (fate.lost, fate.extra) == (0, 0)
    assert len(fate.unsealed) == KILLS
    assert max(fate.unsealed) <= 1
    assert len(fate.epochs) == KILLS + 1
    assert all(one.adds_up and one.made == one.stored for one in fate.epochs)
