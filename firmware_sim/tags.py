"""Tag: one value as a machine exposes it, from the quantity it shows to the registers that carry it.

Written with `struct` and apart from `protocols` on purpose: the plant is an independent witness of what a driver makes
of registers.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from protocols.tag import ByteOrder, DataType, WordOrder

Value = float | int | bool | str


class Table(StrEnum):
    """One of the four address spaces of a Modbus unit."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        """Return whether it holds single bits, not registers."""
        return self in (Table.COIL, Table.DISCRETE)


_FORMATS: Mapping[DataType, str] = {
    DataType.INT16: ">h",
    DataType.UINT16: ">H",
    DataType.INT32: ">i",
    DataType.UINT32: ">I",
    DataType.INT64: ">q",
    DataType.UINT64: ">Q",
    DataType.FLOAT32: ">f",
    DataType.FLOAT64: ">d",
}
MAX_PLACES = 9
"""Scales with more decimals than this are taken as plain floats."""
_FLOATS = (DataType.FLOAT32, DataType.FLOAT64)


@dataclass(frozen=True, slots=True)
class Tag:
    """What a machine shows under a name; value = raw * scale + offset in decimals; length: registers of a string."""

    name: str
    channel: str
    type: DataType
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    table: Table = Table.HOLDING
    address: int = 0
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    bit: int | None = None
    length: int = 1

    @property
    def width(self) -> int:
        """Return how many registers, or bits of a bit table, one value takes."""
        if self.table.is_bits or self.type is DataType.BOOL:
            return 1
        return self.length if self.type is DataType.TEXT else self.type.words

    @property
    def is_scaled(self) -> bool:
        """Return whether raw values are changed by scale or offset."""
        return self.scale != 1.0 or self.offset != 0.0

    def raw(self, quantity: Value) -> Value:
        """Return the value that goes into the registers: clamped and rounded to the type."""
        if self.type is DataType.TEXT:
            return _fitting(str(quantity), self.length * 2)
        number = float(quantity) if not isinstance(quantity, int) else quantity
        if self.type is DataType.BOOL:
            return number > 0.5
        unscaled = (number - self.offset) / self.scale if self.is_scaled else number
        if self.type in _FLOATS:
            return _rounded(self.type, float(unscaled))
        return _clamped(self.type, unscaled)

    def served(self, raw: Value) -> Value:
        """Return the value that a reader should make of the raw one."""
        if not self.is_scaled:
            return raw
        factor, summand, divisor = _ratio(self.scale, self.offset)
        return (float(raw) * factor + summand) / divisor

    def pack(self, raw: Value) -> bytes:
        """Return the registers of a raw value, two bytes each; of a bool in a register its bit alone."""
        if self.type is DataType.BOOL:
            return _ordered(struct.pack(">H", int(bool(raw)) << (self.bit or 0)), WordOrder.BIG, self.byte_order)
        if self.type is DataType.TEXT:
            packed = str(raw).encode().ljust(self.length * 2, b"\0")
        else:
            packed = struct.pack(_FORMATS[self.type], raw)
        return _ordered(packed, self.word_order, self.byte_order)

    def unpack(self, registers: bytes) -> Value:
        """Return the raw value in these registers, the other way round of `pack`."""
        if self.type is DataType.BOOL:
            register = _ordered(registers, WordOrder.BIG, self.byte_order)
            return bool(int.from_bytes(register, "big") >> (self.bit or 0) & 1)
        packed = _ordered(registers, self.word_order, self.byte_order)
        if self.type is DataType.TEXT:
            return packed.rstrip(b"\0").decode(errors="replace")
        value: float | int = struct.unpack(_FORMATS[self.type], packed)[0]
        return value


@cache
def _ratio(scale: float, offset: float) -> tuple[float, float, float]:
    """Return whole (factor, summand, divisor), so that 253 with scale 0.1 is 25.3 and not 25.3 and a bit."""
    ratios = [Decimal(repr(number)) for number in (scale, offset)]
    places = max(0, *(-int(ratio.normalize().as_tuple().exponent) for ratio in ratios))
    if places > MAX_PLACES:
        return scale, offset, 1.0
    factor, summand = (float(ratio * 10**places) for ratio in ratios)
    return factor, summand, float(10**places)


def _ordered(packed: bytes, words: WordOrder, within: ByteOrder) -> bytes:
    registers = [packed[start : start + 2] for start in range(0, len(packed), 2)]
    if words is WordOrder.LITTLE:
        registers.reverse()
    return b"".join(register[::-1] for register in registers) if within is ByteOrder.LITTLE else b"".join(registers)


def _fitting(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def _rounded(kind: DataType, value: float) -> float:
    if kind is DataType.FLOAT64:
        return value
    try:
        rounded: float = struct.unpack(">f", struct.pack(">f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def _clamped(kind: DataType, value: float) -> int:
    bits = 16 * kind.words
    is_signed = not kind.value.startswith("u")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    if not math.isfinite(value):
        return high if value > 0 else low
    return min(high, max(low, round(value)))
