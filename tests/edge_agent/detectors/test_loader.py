"""What is no model of one int8 input and one int8 output is refused in words, however it is broken."""

import numpy as np
import pytest

from edge_agent.detectors.loader import load_network
from protocols.errors import NetworkFailed
from tests.support.models import FLOAT32, adding_model, small_model


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes are no TFLite model"),
        (b"LSP1" * 200, "no TFLite model"),
        (small_model()[:-40], "cannot be loaded"),
        (b"\0\0\0\0TFL3" + bytes(500), "cannot be loaded"),
        (adding_model(kind=FLOAT32), "input is float32, not int8"),
        (adding_model(inputs=2), "2 inputs, not one"),
    ],
    ids=["nothing", "another file", "truncated", "a head alone", "floats", "two inputs"],
)
def test_a_broken_model_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(NetworkFailed, match=said):
        load_network(data)


def test_a_model_of_other_layers_runs_too() -> None:
    outputs = load_network(adding_model()).run(np.full((3, 4), 0.2, np.float32))
    assert np.allclose(outputs, 0.4, atol=0.05)


def test_a_model_cut_anywhere_is_refused_and_ends_no_process() -> None:
    data = small_model()
    for length in range(0, len(data), 7):
        with pytest.raises(NetworkFailed):
            load_network(data[:length])


def test_a_changed_byte_is_refused_or_does_no_harm() -> None:
    data, random = bytearray(small_model()), np.random.default_rng(4)
    for _ in range(200):
        changed = bytearray(data)
        changed[random.integers(8, len(data))] = random.integers(256)
        try:
            network = load_network(bytes(changed))
        except NetworkFailed:
            continue
        assert network.run(np.ones((2, network.inputs), np.float32)).shape == (2, network.outputs)
