"""TFLite files: what the writer writes, the runtime runs and the reader reads; nothing hostile gets further."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.errors import NetworkFailed
from protocols.scoring.loader import load_network
from protocols.scoring.networks import FloatNetwork, Int8Network
from protocols.scoring.quantise import Layer, quantise
from protocols.scoring.tflite import write_tflite
from protocols.scoring.tflite_reader import Described, check_int8, read_tflite
from tests.support.bad_networks import in_floats, looping, with_operator

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(300, 4))
LAYERS = [
    Layer(RANDOM.normal(size=(3, 4)), RANDOM.normal(size=3), is_relu=True),
    Layer(RANDOM.normal(size=(4, 3)), RANDOM.normal(size=4)),
]
NETWORK = write_tflite(quantise(LAYERS, ROWS))
CUSTOM, WHILE = 32, 119


def test_a_stack_runs_as_its_layers_do() -> None:
    exact, told = FloatNetwork(LAYERS).run(ROWS.astype(np.float32)), load_network(NETWORK).run(ROWS.astype(np.float32))
    assert float(np.abs(exact - told).max()) < 0.05 * float(np.abs(exact).max())


def test_numpy_computes_what_the_runtime_computes() -> None:
    quantised = quantise(LAYERS, ROWS)
    step = quantised[-1].target.step
    rows = ROWS.astype(np.float32)
    apart = np.abs(Int8Network(quantised).run(rows) - load_network(write_tflite(quantised)).run(rows))
    assert float(apart.max()) <= 2 * step * 1.01


def test_rows_at_four_times_the_amplitude_do_not_saturate() -> None:
    rows = (4 * ROWS).astype(np.float32)
    linear = [Layer(np.eye(4), np.zeros(4))]
    told = load_network(write_tflite(quantise(linear, ROWS))).run(rows)
    assert float(np.abs(told - rows).max()) < 0.1


def test_the_reader_says_what_was_written() -> None:
    told = check_int8(NETWORK, inputs=4, outputs=4)
    assert (told.inputs[0].shape, told.outputs[0].shape) == ((1, 4), (1, 4))
    assert (sorted(told.operators), told.graphs) == ([9], 1)
    assert told.inputs[0].step == pytest.approx(quantise(LAYERS, ROWS)[0].source.step)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(NETWORK)))
def test_a_truncated_file_is_read_or_refused(length: int) -> None:
    refused_or_read(NETWORK[:length])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(8, len(NETWORK) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@example([(0, 255), (1, 255), (2, 255), (3, 255)])
def test_a_damaged_file_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(NETWORK)
    for at, value in changes:
        damaged[at] = value
    refused_or_read(bytes(damaged))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    refused_or_read(b"\x10\x00\x00\x00TFL3" + tail)


def refused_or_read(data: bytes) -> None:
    try:
        told = read_tflite(data)
    except NetworkFailed:
        return
    assert isinstance(told, Described)


def test_floats_are_refused() -> None:
    with pytest.raises(NetworkFailed, match="input is float32"):
        check_int8(in_floats(NETWORK), inputs=4, outputs=4)


@pytest.mark.parametrize("network", [looping(NETWORK), with_operator(NETWORK, WHILE)])
def test_what_may_loop_is_refused(network: bytes) -> None:
    with pytest.raises(NetworkFailed, match="WHILE"):
        check_int8(network, inputs=4, outputs=4)


def test_operators_of_its_own_are_refused() -> None:
    with pytest.raises(NetworkFailed, match="of its own"):
        check_int8(with_operator(NETWORK, CUSTOM), inputs=4, outputs=4)


@pytest.mark.parametrize(("inputs", "outputs", "which"), [(5, 4, "input"), (4, 5, "output")])
def test_other_widths_are_refused(inputs: int, outputs: int, which: str) -> None:
    with pytest.raises(NetworkFailed, match=f"{which} has the shape"):
        check_int8(NETWORK, inputs=inputs, outputs=outputs)
