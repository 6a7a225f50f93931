"""Faults of the simulated plant, 3 to 5 deviations of a channel's noise, found by a model that knows the machine."""

import numpy as np
import pytest

from firmware_sim.faults import FaultKind
from tests.bench.ml.plant import live

pytestmark = pytest.mark.slow
LEARNED = 12_000


@pytest.mark.parametrize(
    ("machine", "kind"),
    [
        ("pump", FaultKind.CAVITATION),
        ("motor", FaultKind.IMBALANCE),
        ("conveyor", FaultKind.IMBALANCE),
        ("compressor", FaultKind.LEAK),
    ],
)
def test_a_step_is_found_within_ten_seconds_in_its_channel_and_nothing_before(machine: str, kind: FaultKind) -> None:
    runs = [live(f"step/{seed}", machine, kind, LEARNED) for seed in range(3)]
    assert [run.is_early for run in runs] == [False] * 3
    assert max(run.after_s for run in runs) <= 10
    assert [run.is_right for run in runs] == [True] * 3


@pytest.mark.parametrize("machine", ["pump", "motor", "compressor"])
def test_a_bearing_that_wears_is_found_within_a_minute_from_three_deviations(machine: str) -> None:
    runs = [live(f"wear/{seed}", machine, FaultKind.BEARING_WEAR, LEARNED) for seed in range(2)]
    assert not any(run.is_early for run in runs)
    assert np.nanmax([run.after_s for run in runs]) <= 60
    assert all(np.isfinite(run.after_s) for run in runs)
