"""One autoencoder for a fleet: each machine in its own scale, and the int8 model says what the float one says."""

from dataclasses import replace

import numpy as np
import pytest

from cloud.errors import Invalid
from cloud.learning.algorithm import Portable, quiet
from cloud.learning.algorithms.autoencoder import Autoencoder, AutoencoderSettings
from cloud.learning.table import Table
from protocols.scoring.loader import load_network
from protocols.scoring.reduce import adapt_to
from protocols.scoring.scorer import Scorer

SETTINGS = AutoencoderSettings(epochs=40, hidden=16, spans=(1, 5))
OFFSETS = {1: (0.0, 1.0), 2: (500.0, 30.0), 3: (-7.0, 0.01)}


def fleet(seed: int = 1, n: int = 600) -> Table:
    rng = np.random.default_rng(seed)
    parts, groups = [], []
    for machine, (center, width) in OFFSETS.items():
        hidden = rng.normal(size=(n, 2))
        rows = hidden @ np.array([[1, 0.8, 0.2, 0], [0, 0.5, 0.9, 1]]) + 0.2 * rng.normal(size=(n, 4))
        parts.append(center + width * rows)
        groups.append(np.full(n, machine))
    return Table(("a", "b", "c", "d"), np.concatenate(parts), groups=np.concatenate(groups))


def faulty(table: Table, machine: int, column: int) -> Table:
    assert table.groups is not None
    values = table.values.copy()
    values[table.groups == machine, column] += 6 * OFFSETS[machine][1]
    return replace(table, values=values)


def test_each_machine_is_judged_in_its_own_scale() -> None:
    trained = Autoencoder().fit(fleet(), SETTINGS, quiet, 3)
    judged = fleet(seed=5)
    assert judged.groups is not None
    assert trained.predict(judged).mean() < 0.05
    for machine in OFFSETS:
        one = trained.predict(faulty(judged, machine, 1))
        is_machine = judged.groups == machine
        assert np.mean(one[is_machine]) > 0.9
        assert np.mean(one[~is_machine]) < 0.05


def test_the_channel_at_fault_has_the_largest_share() -> None:
    trained = Autoencoder().fit(fleet(), SETTINGS, quiet, 3)
    shares = trained.explain(faulty(fleet(seed=5), 2, 3)).contributions[600:1200]
    assert np.nanmean(shares, axis=0).argmax() == 3


def test_the_int8_model_agrees_with_the_float_one_and_is_small() -> None:
    figures = Autoencoder().fit(fleet(), SETTINGS, quiet, 3).learned.figures
    assert figures["int8_agreement"] >= 0.99
    assert figures["network_bytes"] < 4_096


def test_a_gateway_that_learns_its_own_scale_finds_a_fault_with_the_fleets_model() -> None:
    trained = Autoencoder().fit(fleet(), SETTINGS, quiet, 3)
    assert isinstance(trained, Portable)
    assert trained.is_fleet
    model, network = trained.fitted(), load_network(trained.fitted().network)
    normal = fleet(seed=7).values[:600] * 3 + 40
    own = adapt_to(model.scoring, network, normal)
    fault = normal.copy()
    fault[300:, 0] += 18
    over = Scorer(own, network).take(fault, may_adapt=False).is_over
    assert over[:300].mean() < 0.05
    assert over[330:].mean() > 0.9


def test_a_machine_with_too_few_rows_is_refused() -> None:
    table = fleet().take(slice(0, 1205))
    with pytest.raises(Invalid, match="a machine has 5"):
        Autoencoder().fit(table, SETTINGS, quiet, 3)


def test_more_channels_than_a_gateway_takes_are_refused() -> None:
    values = np.random.default_rng(0).normal(size=(300, 65))
    with pytest.raises(Invalid, match="65 are more than the 64"):
        Autoencoder().fit(Table(tuple(f"c{i}" for i in range(65)), values), SETTINGS, quiet, 3)
