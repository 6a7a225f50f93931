"""Models for tests: small ones that fit, and ones that no agent must take."""

import numpy as np

from protocols.scoring.flatbuffer import Node, Scalar, Table, Vector, numbers, write_flatbuffer
from protocols.scoring.quantise import Layer, quantise
from protocols.scoring.tflite import write_tflite

ADD, ADD_OPTIONS = 0, 11
FLOAT32, INT8 = 0, 9


def small_model(width: int = 4) -> bytes:
    """Return an int8 model of one layer that gives back what it is given."""
    rows = np.random.default_rng(1).normal(size=(100, width))
    return write_tflite(quantise([Layer(np.eye(width), np.zeros(width))], rows))


def adding_model(width: int = 4, *, inputs: int = 1, kind: int = INT8) -> bytes:
    """Return a model that adds its first and its last input, which may be the same, in int8 or FLOAT32."""
    slots: dict[int, Scalar | Node] = {0: numbers("i", 1, width), 1: Scalar("b", kind), 2: Scalar("I", 0)}
    if kind == INT8:
        slots[4] = Table({2: numbers("f", 0.1), 3: numbers("q", 0)})
    tensor = Table(slots)
    operator = Table(
        {
            0: Scalar("I", 0),
            1: numbers("i", 0, inputs - 1),
            2: numbers("i", inputs),
            3: Scalar("B", ADD_OPTIONS),
            4: Table({}),
        }
    )
    graph = Table(
        {0: (tensor,) * (inputs + 1), 1: numbers("i", *range(inputs)), 2: numbers("i", inputs), 3: (operator,)}
    )
    code = Table({0: Scalar("b", ADD), 2: Scalar("i", 2)})
    model = Table({0: Scalar("I", 3), 1: (code,), 2: (graph,), 4: (Table({0: Vector(b"", 1, 16)}),)})
    return write_flatbuffer(model, b"TFL3")
