"""Every broken variant of delivery is caught by the fault machine, and by an invariant that is about it."""

import re

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.delivery.machine import Faults
from tests.delivery.mutations import MORE, NINE, TWO
from tests.delivery.variant import Variant

BROKEN = {**NINE, **TWO, **MORE}
STEADY = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""The same search each time, without making what it finds smaller."""


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_the_fault_machine_catches(name: str) -> None:
    broken = BROKEN[name]
    found = caught_by(broken)
    assert found in broken.caught_by, f"{name}: found by {found}, expected by {broken.caught_by}"


def caught_by(broken: type[Variant]) -> str:
    """Return the name of the invariant that finds this variant, or 'nothing'."""
    machine = type(broken.__name__, (Faults,), {"variant": broken()})
    try:
        run_state_machine_as_test(machine, settings=STEADY)
    except AssertionError as error:
        named = re.match(r"(I\d+): ", str(error))
        return named.group(1) if named else f"what bears no name: {error}"
    return "nothing"
