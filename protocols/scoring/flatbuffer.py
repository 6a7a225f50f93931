"""Flatbuffers written forwards: the few shapes that a small model needs, without a library."""

import struct
from collections import deque
from dataclasses import dataclass
from typing import Union

ALIGNMENT = 16
"""The largest alignment anything here asks for; what the schema of TFLite wants for a buffer's data."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number inside a table; code: of `struct`."""

    code: str
    value: int


@dataclass(frozen=True, slots=True)
class Vector:
    """Numbers or bytes in a row, already packed; item_bytes: of one; align: of the first."""

    data: bytes
    item_bytes: int
    align: int


@dataclass(frozen=True, slots=True)
class Table:
    """Fields by the slot that the schema gives them; a slot left out has the schema's default."""

    slots: "dict[int, Scalar | Node]"


Node = Union[Vector, Table, "tuple[Table, ...]"]


def numbers(code: str, *values: float) -> Vector:
    """Return the values as a vector of items with this code of `struct`."""
    size = struct.calcsize(f"<{code}")
    return Vector(struct.pack(f"<{len(values)}{code}", *values), size, size)


def write_flatbuffer(root: Table, identifier: bytes) -> bytes:
    """Return the file: every table once, equal layouts shared, children behind their parents."""
    return _Writer(identifier).write(root)


class _Writer:
    def __init__(self, identifier: bytes) -> None:
        self._out = bytearray(4) + identifier
        self._layouts: dict[bytes, int] = {}
        self._waiting: deque[tuple[int, Node]] = deque()

    def write(self, root: Table) -> bytes:
        self._waiting.append((0, root))
        while self._waiting:
            position, node = self._waiting.popleft()
            struct.pack_into("<I", self._out, position, self._place(node) - position)
        return bytes(self._out)

    def _place(self, node: Node) -> int:
        match node:
            case Table():
                return self._table(node)
            case Vector():
                return self._vector(node)
            case _:
                return self._references(node)

    def _pad(self, before: int, align: int) -> None:
        """Pad so that what comes `before` bytes later is aligned."""
        self._out += bytes(-(len(self._out) + before) % align)

    def _vector(self, vector: Vector) -> int:
        self._pad(4, max(4, vector.align))
        start = len(self._out)
        self._out += struct.pack("<I", len(vector.data) // vector.item_bytes) + vector.data
        return start

    def _references(self, tables: tuple[Table, ...]) -> int:
        self._pad(0, 4)
        start = len(self._out)
        self._out += struct.pack("<I", len(tables)) + bytes(4 * len(tables))
        self._waiting.extend((start + 4 + 4 * i, table) for i, table in enumerate(tables))
        return start

    def _table(self, table: Table) -> int:
        offsets, size = _layout(table)
        n_slots = max(offsets, default=-1) + 1
        layout = struct.pack(f"<{2 + n_slots}H", 4 + 2 * n_slots, size, *(offsets.get(i, 0) for i in range(n_slots)))
        if layout not in self._layouts:
            self._pad(0, 4)
            self._layouts[layout] = len(self._out)
            self._out += layout
        self._pad(0, 4)
        start = len(self._out)
        self._out += struct.pack("<i", start - self._layouts[layout]) + bytes(size - 4)
        for slot, field in table.slots.items():
            if isinstance(field, Scalar):
                struct.pack_into(f"<{field.code}", self._out, start + offsets[slot], field.value)
            else:
                self._waiting.append((start + offsets[slot], field))
        return start


def _layout(table: Table) -> tuple[dict[int, int], int]:
    """Return where each slot's field lies in the table, the wide ones first, and the table's size."""
    widths = {
        slot: struct.calcsize(f"<{field.code}") if isinstance(field, Scalar) else 4
        for slot, field in table.slots.items()
    }
    offsets, end = {}, 4
    for slot in sorted(widths, key=lambda slot: (-widths[slot], slot)):
        offsets[slot] = end
        end += widths[slot]
    return offsets, end
