"""Networks as nobody should send them: a good one, taken apart by the schema and put together wrongly."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import ai_edge_litert.schema_py_generated as schema  # type: ignore[import-untyped]
import flatbuffers  # type: ignore[import-untyped]
import numpy as np

from protocols.scoring.tflite import Int8Layer, Scale, write_tflite

IDENTIFIER = b"TFL3"


def altered(network: bytes, alter: Callable[[Any], None]) -> bytes:
    """Return the network after `alter` changed its parts (a ModelT)."""
    model = schema.ModelT.InitFromPackedBuf(network, 0)
    alter(model)
    builder = flatbuffers.Builder(len(network))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def in_floats(network: bytes) -> bytes:
    """Return it with float inputs and outputs."""

    def alter(model: Any) -> None:  # noqa: ANN401 - generated code has no types
        graph = model.subgraphs[0]
        for index in (*graph.inputs, *graph.outputs):
            graph.tensors[index].type = schema.TensorType.FLOAT32

    return altered(network, alter)


def with_operator(network: bytes, code: int) -> bytes:
    """Return it with its first operator called something else."""

    def alter(model: Any) -> None:  # noqa: ANN401 - generated code has no types
        model.operatorCodes[0].builtinCode = code
        model.operatorCodes[0].deprecatedBuiltinCode = min(code, 127)

    return altered(network, alter)


def looping(network: bytes) -> bytes:
    """Return one that never ends: WHILE a constant true, do the network."""

    def alter(model: Any) -> None:  # noqa: ANN401 - generated code has no types
        body = model.subgraphs[0]
        given, made = (deepcopy(body.tensors[index]) for index in (body.inputs[0], body.outputs[0]))
        main, condition = schema.SubGraphT(), schema.SubGraphT()
        condition.tensors, condition.inputs, condition.outputs, condition.operators = (
            [given, _true(model)],
            [0],
            [1],
            [],
        )
        main.tensors, main.inputs, main.outputs = [deepcopy(given), made], [0], [1]
        main.operators = [_while(model)]
        model.subgraphs = [main, condition, body]

    return altered(network, alter)


def _true(model: Any) -> Any:  # noqa: ANN401 - generated code has no types
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.array([1], np.uint8)
    model.buffers.append(buffer)
    tensor.type, tensor.shape, tensor.buffer = schema.TensorType.BOOL, [1], len(model.buffers) - 1
    return tensor


def _while(model: Any) -> Any:  # noqa: ANN401 - generated code has no types
    code, operator, options = schema.OperatorCodeT(), schema.OperatorT(), schema.WhileOptionsT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = schema.BuiltinOperator.WHILE, 119, 1
    model.operatorCodes.append(code)
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes) - 1, [0], [1]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.WhileOptions, options
    return operator


def slow(n_features: int, width: int = 3_000) -> bytes:
    """Return one of so many inputs and outputs that takes thousands of times as long as ours."""

    def layer(n_in: int, n_out: int) -> Int8Layer:
        weights = np.ones((n_out, n_in), np.int8)
        return Int8Layer(weights, 0.01, np.zeros(n_out, np.int32), Scale(0.1), Scale(0.1))

    return write_tflite([layer(n_features, width), layer(width, width), layer(width, n_features)])
