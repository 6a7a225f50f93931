"""Every row of the fault matrix: nothing lost, duplicated, altered or made up; a few in each run, all in test-loop."""

import random

import pytest

from tests.faults.play import Outcome, play_row
from tests.faults.rows import ROWS

QUICK = ("agent-killed", "broker-killed", "ingest-killed", "data-swallowed")


def assert_clean(outcome: Outcome) -> None:
    """Raise AssertionError with all that is known where something is not in order."""
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    told = [f"seed {outcome.seed}: {outcome.account}", outcome.trouble, *outcome.histories]
    assert outcome.is_clean, "\n".join(told)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", QUICK)
def test_a_fault_loses_doubles_and_alters_nothing(name: str) -> None:
    seed = random.randrange(1 << 31)
    assert_clean(play_row(name, ROWS[name], seed=seed, times=1))


@pytest.mark.slow
@pytest.mark.loop
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_loses_doubles_and_alters_nothing(name: str) -> None:
    assert_clean(play_row(name, ROWS[name], seed=random.randrange(1 << 31)))
