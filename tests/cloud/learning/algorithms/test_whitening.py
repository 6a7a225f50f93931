"""Whitening in the cloud is the very fit that gateways make, where nobody asks for anything else."""

from cloud.learning.algorithm import Portable, Task, quiet, read_settings
from cloud.learning.algorithms.whitening import Whitening
from protocols.scoring.fit import fit
from tests.support.learning import table_for


def test_the_cloud_fits_what_a_gateway_fits_of_the_same_rows() -> None:
    table = table_for(Task.ANOMALY, faults=False)
    whitening = Whitening()
    learned = whitening.fit(table, read_settings(whitening.settings, {}), quiet, 0)
    assert isinstance(learned, Portable)
    there = fit(table.values, table.columns, period_s=1.0)
    assert (learned.fitted().scoring, learned.fitted().network) == (there.scoring, there.network)
