"""What a TFLite file says of itself, read without loading it, so that no runtime sees what must not run here.

Every offset is checked against the file before it is followed; whatever is wrong raises NetworkFailed. Only what is
needed to decide is read: the ports of the first graph and the operators of all.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from protocols.errors import NetworkFailed

IDENTIFIER = b"TFL3"
MAX_ITEMS = 100_000
"""Of one vector: more is no model for a gateway."""
TYPES = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "string", 6: "bool", 7: "int16", 9: "int8"}
CUSTOM = 32
FLOW = {31: "CALL", 51: "DELEGATE", 118: "IF", 119: "WHILE", 129: "CALL_ONCE", 200: "STABLEHLO_WHILE"}
"""Operators that decide what runs next: with them a file may run for ever."""


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output; step, zero: what its integers mean, 0.0 and 0 where it has no single scale."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    step: float
    zero: int


@dataclass(frozen=True, slots=True)
class Described:
    """inputs, outputs: of the first graph; operators: codes that any graph may use; graphs: how many there are."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: frozenset[int]
    graphs: int


def read_tflite(data: bytes) -> Described:
    """Return what the file says; raise NetworkFailed where it says nothing sensible."""
    if data[4:8] != IDENTIFIER:
        raise NetworkFailed("not a TFLite file: it does not have TFL3 in bytes 4 to 7")
    try:
        return _described(_Table.root(data))
    except struct.error as error:
        raise NetworkFailed("the TFLite file is cut short, or points outside itself") from error


def check_int8(data: bytes, *, inputs: int, outputs: int) -> Described:
    """Return what the file says; raise NetworkFailed unless it is one plain graph from int8 to int8 of these widths."""
    told = read_tflite(data)
    flow = sorted(FLOW[code] for code in told.operators & FLOW.keys())
    if flow or told.graphs != 1:
        raise NetworkFailed(f"the model has {told.graphs} graphs and {', '.join(flow) or 'no'} operators that may loop")
    if CUSTOM in told.operators:
        raise NetworkFailed("the model has operators of its own, which no runtime here knows")
    _check_ports("input", told.inputs, inputs)
    _check_ports("output", told.outputs, outputs)
    return told


def _check_ports(name: str, ports: tuple[Port, ...], width: int) -> None:
    if len(ports) != 1:
        raise NetworkFailed(f"the model has {len(ports)} {name}s, not one")
    (port,) = ports
    if port.dtype != "int8" or not (port.step > 0 and isfinite(port.step)):
        raise NetworkFailed(f"the model's {name} is {port.dtype} with a scale of {port.step:g}, not scaled int8")
    if port.shape != (1, width):
        raise NetworkFailed(f"the model's {name} has the shape {port.shape}, not {(1, width)}")


def _described(model: "_Table") -> Described:
    graphs = list(model.tables(2))
    if not graphs:
        raise NetworkFailed("the TFLite file has no graph")
    tensors = list(graphs[0].tables(0))
    ports = [tuple(_port(_at(tensors, int(index))) for index in graphs[0].numbers(slot, "i")) for slot in (1, 2)]
    codes = list(model.tables(1))
    operators = frozenset(max(code.scalar(0, "b"), code.scalar(3, "i")) for code in codes)
    return Described(ports[0], ports[1], operators, len(graphs))


def _at(tensors: list["_Table"], index: int) -> "_Table":
    if not 0 <= index < len(tensors):
        raise NetworkFailed(f"the TFLite file names tensor {index} of {len(tensors)}")
    return tensors[index]


def _port(tensor: "_Table") -> Port:
    code = tensor.scalar(1, "b")
    scale, zero = 0.0, 0
    quantised = tensor.table(4)
    if quantised is not None:
        scales, zeros = quantised.numbers(2, "f"), quantised.numbers(3, "q")
        if len(scales) == 1:
            scale, zero = float(scales[0]), int(zeros[0]) if zeros else 0
    shape = tuple(int(length) for length in tensor.numbers(0, "i"))
    return Port(tensor.text(3), shape, TYPES.get(code, f"type {code}"), scale, zero)


class _Table:
    """One table of a flatbuffer; a slot that is not there has the default."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._layout = position - self._read("i", position)
        self._layout_bytes = self._read("H", self._layout)

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        return cls(data, struct.unpack_from("<I", data)[0])

    def scalar(self, slot: int, code: str) -> int:
        position = self._field(slot)
        return 0 if position is None else int(self._read(code, position))

    def numbers(self, slot: int, code: str) -> tuple[float, ...]:
        start, count = self._vector(slot)
        self._check(start, count * struct.calcsize(f"<{code}"))
        return struct.unpack_from(f"<{count}{code}", self._data, start)

    def tables(self, slot: int) -> "Iterator[_Table]":
        start, count = self._vector(slot)
        self._check(start, 4 * count)
        for position in range(start, start + 4 * count, 4):
            yield _Table(self._data, self._followed(position))

    def table(self, slot: int) -> "_Table | None":
        position = self._field(slot)
        return None if position is None else _Table(self._data, self._followed(position))

    def text(self, slot: int) -> str:
        start, count = self._vector(slot)
        self._check(start, count)
        return self._data[start : start + count].decode("utf-8", "replace")

    def _vector(self, slot: int) -> tuple[int, int]:
        """Return where the items of a vector begin, and how many there are."""
        field = self._field(slot)
        if field is None:
            return 0, 0
        position = self._followed(field)
        count = self._read("I", position)
        if count > MAX_ITEMS:
            raise NetworkFailed(f"the TFLite file has a vector of {count} items")
        return position + 4, count

    def _field(self, slot: int) -> int | None:
        at = 4 + 2 * slot
        if at + 2 > self._layout_bytes:
            return None
        offset = self._read("H", self._layout + at)
        return self._position + offset if offset else None

    def _followed(self, position: int) -> int:
        return position + int(self._read("I", position))

    def _read(self, code: str, position: int) -> int:
        self._check(position, struct.calcsize(f"<{code}"))
        (value,) = struct.unpack_from(f"<{code}", self._data, position)
        return int(value)

    def _check(self, start: int, size: int) -> None:
        if not 0 <= start <= start + size <= len(self._data):
            raise NetworkFailed(f"the TFLite file of {len(self._data)} bytes points to {start}, outside itself")
