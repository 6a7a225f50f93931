"""The Network port: what every loaded model owes, whichever runtime is installed here."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from protocols.errors import NetworkFailed
from protocols.scoring.loader import MOST_ROWS, load_network
from protocols.scoring.network import Network
from protocols.scoring.networks import FloatNetwork, Int8Network
from protocols.scoring.quantise import Layer, quantise
from protocols.scoring.tflite import Int8Layer, write_tflite

STEPS = 2
"""How far int8 arithmetic differs between runtimes."""
Make = Callable[[list[Layer], list[Int8Layer]], Network]
NETWORKS: dict[str, Make] = {
    "float": lambda layers, _: FloatNetwork(layers),
    "numpy": lambda _, quantised: Int8Network(quantised),
    "runtime": lambda _, quantised: load_network(write_tflite(quantised)),
}


def layers(*widths: int) -> list[Layer]:
    random = np.random.default_rng(5)
    return [
        Layer(random.normal(size=(after, before)) / before**0.5, random.normal(size=after), is_relu=i < len(widths) - 2)
        for i, (before, after) in enumerate(pairwise(widths))
    ]


def features(rows: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(6).normal(size=(rows, width)).astype(np.float32)


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    made = layers(6, 3, 6)
    return NETWORKS[request.param](made, quantise(made, features(200, 6).astype(np.float64)))


def test_it_says_how_wide_it_is(network: Network) -> None:
    assert (network.inputs, network.outputs) == (6, 6)


@pytest.mark.parametrize("rows", [0, 1, 2, 17, MOST_ROWS + 3])
def test_it_takes_any_number_of_rows(network: Network, rows: int) -> None:
    outputs = network.run(features(rows, 6))
    assert outputs.shape == (rows, 6)
    assert outputs.dtype == np.float32


def test_rows_are_judged_one_by_one_as_together(network: Network) -> None:
    together = network.run(features(20, 6))
    alone = np.concatenate([network.run(row[None]) for row in features(20, 6)])
    assert np.allclose(alone, together, atol=1e-5)


def test_features_of_another_width_are_refused(network: Network) -> None:
    with pytest.raises(NetworkFailed, match=r"\(3, 5\)"):
        network.run(features(3, 5))


@pytest.mark.parametrize("widths", [(8, 8), (24, 24), (12, 4, 12), (5, 1, 7)])
def test_a_runtime_computes_as_numpy_does_to_within_steps(widths: tuple[int, ...]) -> None:
    made = layers(*widths)
    quantised = quantise(made, features(300, widths[0]).astype(np.float64))
    rows = features(500, widths[0]) * 3
    difference = load_network(write_tflite(quantised)).run(rows) - Int8Network(quantised).run(rows)
    assert np.abs(difference).max() <= STEPS * quantised[-1].target.step * 1.001
    assert np.mean(np.abs(difference) > 0.5 * quantised[-1].target.step) < 0.05


def test_values_beyond_the_range_stay_at_its_end() -> None:
    quantised = quantise(layers(2, 2), features(100, 2).astype(np.float64))
    network = load_network(write_tflite(quantised))
    far, farther = network.run(np.array([[1e4, -1e4], [1e30, -np.inf]], np.float32))
    assert (far == farther).all()


def test_a_value_that_is_no_number_is_refused() -> None:
    network = load_network(write_tflite(quantise(layers(2, 2), features(100, 2).astype(np.float64))))
    with pytest.raises(NetworkFailed, match="not a number"):
        network.run(np.array([[1.0, np.nan]], np.float32))
