"""Unit: one machine as a Modbus unit: a request for registers or bits in, the answer and what it holds out."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_sim.machine import Machine, Row
from firmware_sim.tags import Table, Tag, Value
from firmware_sim.truth import TruthWriter

READS: Mapping[int, Table] = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
WRITES: Mapping[int, Table] = {5: Table.COIL, 15: Table.COIL, 6: Table.HOLDING, 16: Table.HOLDING}
MAX_BITS = 2000
MAX_PLANS = 4096
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, BUSY, NO_ANSWER = 1, 2, 3, 4, 6, 11


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request; span and row: what of the truth it holds, None where it holds no values."""

    pdu: bytes
    span: int | None = None
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A read request taken apart."""

    table: Table
    start: int
    count: int
    span: int | None


def exception(function: int, code: int) -> Reply:
    """Return the answer that refuses a request."""
    return Reply(bytes((function | 0x80, code)))


class Unit:
    """Answers from one row of its machine at a time; an answer never mixes two rows.

    number: its unit id; is_open: whether registers between tags read as zero, else they are illegal.
    """

    def __init__(self, machine: Machine, truth: TruthWriter, *, number: int, is_open: bool, max_registers: int) -> None:
        self.machine = machine
        self.number = number
        self._truth = truth
        self._is_open = is_open
        self._max_registers = max_registers
        self._image = _Image(machine.tags)
        self._row = Row(0, 0, (), ())
        self._plans: dict[bytes, _Plan | Reply] = {}
        self._replies: dict[bytes, Reply] = {}

    def answer(self, pdu: bytes) -> Reply:
        """Return the answer to a request as it came, function code first."""
        if self.machine.row is not self._row:
            self._row = self.machine.row
            self._replies.clear()
            self._image.show(self._row)
        reply = self._replies.get(pdu)
        if reply is not None:
            return reply
        if pdu[0] in WRITES:
            return self._write(pdu)
        plan = self._plans.get(pdu) or self._plan(pdu)
        reply = self._replies[pdu] = plan if isinstance(plan, Reply) else self._read(pdu[0], plan)
        return reply

    def _plan(self, pdu: bytes) -> _Plan | Reply:
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        plan = self._plans[pdu] = self._examined(pdu)
        return plan

    def _examined(self, pdu: bytes) -> _Plan | Reply:
        function = pdu[0]
        table = READS.get(function)
        if table is None:
            return exception(function, ILLEGAL_FUNCTION)
        if len(pdu) != 5:
            return exception(function, ILLEGAL_VALUE)
        start, count = struct.unpack(">HH", pdu[1:])
        if not 1 <= count <= (MAX_BITS if table.is_bits else self._max_registers):
            return exception(function, ILLEGAL_VALUE)
        if not self._image.holds(table, start, count, is_open=self._is_open):
            return exception(function, ILLEGAL_ADDRESS)
        inside = self._image.tags_in(table, start, count)
        self.machine.first_read.set()
        return _Plan(table, start, count, self._truth.span(self.machine.name, inside) if inside else None)

    def _read(self, function: int, plan: _Plan) -> Reply:
        data = self._image.cut(plan.table, plan.start, plan.count)
        return Reply(bytes((function, len(data))) + data, plan.span, self._row if plan.span is not None else None)

    def _write(self, pdu: bytes) -> Reply:
        function, table = pdu[0], WRITES[pdu[0]]
        start, data = _written(pdu)
        count = len(data) if table.is_bits else len(data) // 2
        if not count:
            return exception(function, ILLEGAL_VALUE)
        if not self._image.holds(table, start, count, is_open=self._is_open):
            return exception(function, ILLEGAL_ADDRESS)
        for index, value in self._image.overlaid(table, start, data):
            tag = self.machine.tags[index]
            self.machine.set(tag.channel, tag.served(value))
        self.machine.refresh()
        return Reply(pdu[:5])


def _written(pdu: bytes) -> tuple[int, bytes]:
    """Return the first address and what is to be there: two bytes a register, one byte a bit; empty: malformed."""
    function, body = pdu[0], pdu[5:]
    if len(pdu) < 5:
        return 0, b""
    start, word = struct.unpack(">HH", pdu[1:5])
    match function:
        case 5:
            return start, (bytes((word == 0xFF00,)) if word in (0, 0xFF00) else b"")
        case 6:
            return start, pdu[3:5]
        case 15:
            fits = len(body) == 1 + (word + 7) // 8
            return start, (bytes(body[1 + bit // 8] >> bit % 8 & 1 for bit in range(word)) if fits else b"")
        case _:
            return start, (body[1:] if len(body) == 1 + 2 * word else b"")


class _Image:
    """The tables of a unit as bytes: two for a register, one for a bit."""

    def __init__(self, tags: tuple[Tag, ...]) -> None:
        self._tags = tags
        self._low: dict[Table, int] = {}
        self._used: dict[Table, set[int]] = {}
        self._cells: dict[Table, bytearray] = {}
        for tag in tags:
            self._used.setdefault(tag.table, set()).update(range(tag.address, tag.address + tag.width))
        for table, used in self._used.items():
            self._low[table] = min(used)
            self._cells[table] = bytearray((max(used) - min(used) + 1) * _size(table))

    def show(self, row: Row) -> None:
        """Write a row into the tables."""
        self._cells = {table: bytearray(len(cells)) for table, cells in self._cells.items()}
        for tag, raw in zip(self._tags, row.raw, strict=True):
            cells, size = self._cells[tag.table], _size(tag.table)
            at = (tag.address - self._low[tag.table]) * size
            packed = bytes((bool(raw),)) if tag.table.is_bits else tag.pack(raw)
            if tag.bit is not None:
                packed = bytes(old | new for old, new in zip(cells[at : at + size], packed, strict=True))
            cells[at : at + len(packed)] = packed

    def holds(self, table: Table, start: int, count: int, *, is_open: bool) -> bool:
        """Return whether all of these addresses may be asked for."""
        used = self._used.get(table)
        if used is None:
            return False
        if is_open:
            return start + count <= max(used) + 1
        return used.issuperset(range(start, start + count))

    def tags_in(self, table: Table, start: int, count: int) -> list[int]:
        """Return the indices of the tags that lie wholly inside."""
        return [
            index
            for index, tag in enumerate(self._tags)
            if tag.table is table and start <= tag.address and tag.address + tag.width <= start + count
        ]

    def cut(self, table: Table, start: int, count: int) -> bytes:
        """Return these addresses as an answer carries them; what lies before the first tag is zero."""
        size = _size(table)
        low, cells = self._low[table], self._cells[table]
        before = max(0, min(count, low - start))
        first = (max(start, low) - low) * size
        cut = bytes(before * size) + bytes(cells[first : first + (count - before) * size])
        return _packed_bits(cut) if table.is_bits else cut

    def overlaid(self, table: Table, start: int, data: bytes) -> list[tuple[int, Value]]:
        """Return (index, raw value) of each tag that written data touches."""
        size = _size(table)
        cells, at = self._cells[table].copy(), (start - self._low[table]) * size
        end = start + len(data) // size
        if at < 0:
            data, at = data[-at:], 0
        cells[at : at + len(data)] = data
        return [
            (index, self._value(tag, cells))
            for index, tag in enumerate(self._tags)
            if tag.table is table and tag.address < end and start < tag.address + tag.width
        ]

    def _value(self, tag: Tag, cells: bytearray) -> Value:
        at = (tag.address - self._low[tag.table]) * _size(tag.table)
        return bool(cells[at]) if tag.table.is_bits else tag.unpack(bytes(cells[at : at + 2 * tag.width]))


def _size(table: Table) -> int:
    return 1 if table.is_bits else 2


def _packed_bits(bits: bytes) -> bytes:
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= bit << index % 8
    return bytes(packed)
