"""Finds out what answers on a Modbus line: which units, which registers, and which of them move. It only reads.

Invariants: a unit that stays silent costs one request; MOST_SILENT units in a row end the search; a unit's table costs
at most MOST_REQUESTS requests and what answered once more; nothing is ever written.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from edge_agent.config.devices import Table
from edge_agent.drivers.modbus import ModbusBus
from edge_agent.drivers.modbus_frames import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE
from edge_agent.errors import DeviceError, DeviceGarbled, DeviceLost, DeviceRefused
from edge_agent.ports import Clock

MOST_REGISTERS = 125
MOST_SILENT = 10
MOST_REQUESTS = 1_000
DEVICE_FAILURE = 4
HALVED = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE})
"""Refusals that a smaller part may not get; some devices say `device failure` of an address they do not have."""
REOPENING_S = (0.25, 0.5, 1.0)
"""Waits for a device that hung up, as long as the waits of its bus: some hang up on each unit they do not know."""
TABLES = (Table.HOLDING, Table.INPUT)
Block = tuple[Table, range, list[int]]
"""Where it lies, and the words read there."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is tried; pause_s: between the two readings of a register."""

    units: tuple[int, ...]
    registers: range
    timeout_s: float = 1.0
    pause_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Register:
    """A register that answered, read twice; second is None where it did not answer again."""

    table: Table
    address: int
    first: int
    second: int | None

    @property
    def moves(self) -> bool:
        """Return whether it changed in between."""
        return self.second is not None and self.second != self.first

    @property
    def is_dull(self) -> bool:
        """Return whether it was 0 both times."""
        return self.first == 0 and self.second == 0

    def is_like(self, other: "Register") -> bool:
        """Return whether both may be the same one, seen under two unit numbers."""
        has_same_value = (self.first, self.second) == (other.first, other.second) or (self.moves and other.moves)
        return (self.table, self.address) == (other.table, other.address) and has_same_value


@dataclass(frozen=True, slots=True)
class ScannedUnit:
    """A unit that answered; notes: what kept it from being read whole."""

    number: int
    registers: tuple[Register, ...]
    notes: tuple[str, ...] = ()

    def is_like(self, other: "ScannedUnit") -> bool:
        """Return whether both may be one device that answers to any number."""
        pairs = zip(self.registers, other.registers, strict=False)
        return len(self.registers) == len(other.registers) and all(mine.is_like(its) for mine, its in pairs)


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found; untried: units left out after too many silent ones; reason: why the last silent one was none."""

    units: tuple[ScannedUnit, ...]
    silent: tuple[int, ...]
    untried: tuple[int, ...]
    requests: int
    reason: str = ""


@dataclass(slots=True)
class _Draft:
    """A unit in the middle of the search: what of it answered, as it read first."""

    number: int
    blocks: list[Block] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Scanner:
    """Searches one line; tell: called with a line of words whenever something is known."""

    def __init__(self, bus: ModbusBus, extent: Extent, *, clock: Clock, tell: Callable[[str], None]) -> None:
        self._bus = bus
        self._extent = extent
        self._clock = clock
        self._tell = tell
        self._requests = 0
        self._reason = ""
        self._maps: dict[Table, list[range]] = {}

    async def scan(self) -> Scan:
        """Return what answers; raise DeviceLost where the line cannot be opened."""
        await self._bus.open()
        drafts, silent, untried = await self._search()
        if any(draft.blocks for draft in drafts):
            await self._clock.sleep(self._extent.pause_s)
        units = tuple([await self._look_again(draft) for draft in drafts])
        return Scan(units, tuple(silent), tuple(untried), self._requests, self._reason)

    async def _search(self) -> tuple[list[_Draft], list[int], Sequence[int]]:
        drafts: list[_Draft] = []
        silent: list[int] = []
        in_a_row = 0
        for index, unit in enumerate(self._extent.units):
            if in_a_row == MOST_SILENT:
                return drafts, silent, self._extent.units[index:]
            if await self._knock(unit):
                drafts.append(await self._explore(unit))
                in_a_row = 0
            else:
                self._tell(f"unit {unit}: no answer")
                silent.append(unit)
                in_a_row += 1
        return drafts, silent, ()

    async def _knock(self, unit: int) -> bool:
        """Return whether a unit says anything; a refusal is an answer too."""
        first = self._extent.registers.start
        await self._have_open()
        try:
            await self._ask(unit, Table.HOLDING, range(first, first + 1))
        except DeviceRefused:
            return True
        except (DeviceLost, DeviceGarbled) as error:
            self._reason = str(error)
            return False
        return True

    async def _have_open(self) -> None:
        """Wait for the line a little where it is not open, so that a unit is not taken for silent unasked."""
        for wait_s in REOPENING_S:
            with suppress(DeviceLost):
                await self._bus.open()
                return
            await self._clock.sleep(wait_s)

    async def _explore(self, unit: int) -> _Draft:
        draft = _Draft(unit)
        for table in TABLES:
            await self._sweep(draft, table)
        count = sum(len(block[1]) for block in draft.blocks)
        self._tell(f"unit {unit}: {count} registers answer")
        return draft

    async def _sweep(self, draft: _Draft, table: Table) -> None:
        """Read a table: where the unit before answered if this one answers there and no further, else everywhere."""
        blocks = await self._retrace(draft.number, table)
        if blocks:
            draft.notes.append(f"{table}: searched only where the unit before answers; scan it alone to be sure")
        else:
            notes = len(draft.notes)
            blocks = merged(await self._halve(draft, table))
            if len(draft.notes) == notes:
                self._maps[table] = [addresses for _, addresses, _ in blocks]
        draft.blocks.extend(blocks)

    async def _retrace(self, unit: int, table: Table) -> list[Block]:
        """Return the blocks of the unit before as this one shows them; none where it differs."""
        known = self._maps.get(table, [])
        try:
            blocks = [(table, block, await self._ask(unit, table, block)) for block in known]
        except DeviceError:
            return []
        inside = {address for block in known for address in block}
        around = {edge for block in known for edge in (block.start - 1, block.stop)} - inside
        for address in sorted(around & set(self._extent.registers)):
            if not await self._refuses(unit, table, address):
                return []
        return blocks

    async def _refuses(self, unit: int, table: Table, address: int) -> bool:
        try:
            await self._ask(unit, table, range(address, address + 1))
        except DeviceRefused:
            return True
        except DeviceError:
            return False
        return False

    async def _halve(self, draft: _Draft, table: Table) -> list[Block]:
        """Return what answers, searched in large blocks first; a block that is refused is halved."""
        blocks: list[Block] = []
        waiting = deque(pieces(self._extent.registers))
        last = self._requests + MOST_REQUESTS
        while waiting and self._requests < last:
            block = waiting.popleft()
            try:
                blocks.append((table, block, await self._ask(draft.number, table, block)))
            except DeviceRefused as error:
                if error.code == ILLEGAL_FUNCTION:
                    return blocks
                if error.code in HALVED:
                    waiting.extend(halves(block))
                else:
                    draft.notes.append(f"{table} {shown(block)}: {error}")
            except (DeviceLost, DeviceGarbled) as error:
                draft.notes.append(f"{table} {shown(block)}: {error}; try fewer with --registers")
                return blocks
        if waiting:
            unclear = sum(map(len, waiting))
            draft.notes.append(f"{table}: stopped after {MOST_REQUESTS} requests, {unclear} registers are unclear")
        return blocks

    async def _look_again(self, draft: _Draft) -> ScannedUnit:
        found: list[Register] = []
        for table, block, first in draft.blocks:
            second: Sequence[int | None]
            try:
                second = await self._ask(draft.number, table, block)
            except DeviceError as error:
                draft.notes.append(f"{table} {shown(block)}, the second time: {error}")
                second = [None] * len(block)
            found.extend(map(Register, [table] * len(block), block, first, second))
        found.sort(key=lambda register: (TABLES.index(register.table), register.address))
        return ScannedUnit(draft.number, tuple(found), tuple(draft.notes))

    async def _ask(self, unit: int, table: Table, block: range) -> list[int]:
        self._requests += 1
        timeout_s = self._extent.timeout_s
        data = await self._bus.exchange(lambda wire: wire.read(unit, table, block.start, len(block), timeout_s))
        words: list[int] = np.frombuffer(data, ">u2").tolist()
        return words


def pieces(registers: range) -> Iterator[range]:
    """Yield the blocks that one request each can read."""
    for start in range(registers.start, registers.stop, MOST_REGISTERS):
        yield range(start, min(start + MOST_REGISTERS, registers.stop))


def merged(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks of one table in rising order, neighbours joined up to the size that was served already."""
    rising = sorted(blocks, key=lambda block: block[1].start)
    most = max((len(addresses) for _, addresses, _ in rising), default=0)
    joined: list[Block] = []
    for table, addresses, words in rising:
        before = joined[-1][1] if joined else range(0)
        if joined and before.stop == addresses.start and len(before) + len(addresses) <= most:
            joined[-1] = (table, range(before.start, addresses.stop), joined[-1][2] + words)
        else:
            joined.append((table, addresses, words))
    return joined


def halves(block: range) -> tuple[range, ...]:
    """Return both halves of a block; a single register has none."""
    middle = block.start + len(block) // 2
    return (range(block.start, middle), range(middle, block.stop)) if len(block) > 1 else ()


def shown(block: range) -> str:
    """Return a block as people write it: 7, or 0-124."""
    return str(block.start) if len(block) == 1 else f"{block.start}-{block.stop - 1}"
