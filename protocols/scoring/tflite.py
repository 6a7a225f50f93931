"""A small writer of TFLite files: stacks of int8 FULLY_CONNECTED, in well under a millisecond.

The numbers are those of the public schema (tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3). Weights have
one scale a tensor and operators the versions of 2019, which every runtime since then runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.flatbuffer import ALIGNMENT, Scalar, Table, Vector, numbers, write_flatbuffer

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
FULLY_CONNECTED = 9
FULLY_CONNECTED_VERSION = 4
FULLY_CONNECTED_OPTIONS = 8
RELU = 1
INT8, INT32 = 9, 2


@dataclass(frozen=True, slots=True)
class Scale:
    """What an int8 step means: value = step * (quantised - zero)."""

    step: float
    zero: int = 0


@dataclass(frozen=True, slots=True)
class Int8Layer:
    """One fully connected layer: weights (outputs, inputs) int8, bias (outputs,) int32 in steps of input times weight.

    is_relu: negative outputs are cut to 0.
    """

    weights: NDArray[np.int8]
    weight_step: float
    bias: NDArray[np.int32]
    source: Scale
    target: Scale
    is_relu: bool = False


def write_tflite(layers: Sequence[Int8Layer]) -> bytes:
    """Return the model file of these layers, each fed by the one before it."""
    buffers = [Table({})]
    tensors = [_activation(layers[0].weights.shape[1], layers[0].source)]
    operators = []
    for layer in layers:
        first = len(tensors)
        n_outputs = layer.weights.shape[0]
        tensors += [
            _constant(layer.weights.shape, INT8, len(buffers), layer.weight_step),
            _constant((n_outputs,), INT32, len(buffers) + 1, layer.source.step * layer.weight_step),
            _activation(n_outputs, layer.target),
        ]
        buffers += [_data(layer.weights.astype("<i1").tobytes()), _data(layer.bias.astype("<i4").tobytes())]
        operators.append(_operator(first - 1, first, is_relu=layer.is_relu))
    graph = Table(
        {
            0: tuple(tensors),
            1: numbers("i", 0),
            2: numbers("i", len(tensors) - 1),
            3: tuple(operators),
        }
    )
    code = Table(
        {0: Scalar("b", FULLY_CONNECTED), 2: Scalar("i", FULLY_CONNECTED_VERSION), 3: Scalar("i", FULLY_CONNECTED)}
    )
    model = Table({0: Scalar("I", SCHEMA_VERSION), 1: (code,), 2: (graph,), 4: tuple(buffers)})
    return write_flatbuffer(model, IDENTIFIER)


def _quantised(scale: Scale) -> Table:
    return Table({2: numbers("f", scale.step), 3: numbers("q", scale.zero)})


def _activation(width: int, scale: Scale) -> Table:
    return Table({0: numbers("i", 1, width), 1: Scalar("b", INT8), 2: Scalar("I", 0), 4: _quantised(scale)})


def _constant(shape: Sequence[int], kind: int, buffer: int, step: float) -> Table:
    return Table({0: numbers("i", *shape), 1: Scalar("b", kind), 2: Scalar("I", buffer), 4: _quantised(Scale(step))})


def _data(data: bytes) -> Table:
    return Table({0: Vector(data, 1, ALIGNMENT)})


def _operator(source: int, first: int, *, is_relu: bool) -> Table:
    options = Table({0: Scalar("b", RELU if is_relu else 0)})
    return Table(
        {
            0: Scalar("I", 0),
            1: numbers("i", source, first, first + 1),
            2: numbers("i", first + 2),
            3: Scalar("B", FULLY_CONNECTED_OPTIONS),
            4: options,
        }
    )
