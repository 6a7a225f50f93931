"""The Modbus driver: reads a unit's Tags with few requests, learns what it refuses, and keeps the rest flowing.

Invariants: every Tag asked for is one row of the answer; a Tag that cannot be read is a row with a bad quality;
DeviceLost is raised only where not one request was answered; after one silence nothing more is asked in that read.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.config.devices import ModbusDevice, ModbusTag, Table
from edge_agent.drivers.backoff import Backoff, Jitter
from edge_agent.drivers.bus import Bus
from edge_agent.drivers.modbus_answer import Outcome, Reader
from edge_agent.drivers.modbus_frames import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE
from edge_agent.drivers.modbus_plan import Knowledge, Limits, Request, Span, plan, split
from edge_agent.drivers.modbus_wire import ModbusWire
from edge_agent.errors import DeviceError, DeviceGarbled, DeviceLost, DeviceRefused
from edge_agent.ports import Clock, Deliver
from protocols.errors import InvalidContent
from protocols.reading import Quality, ReadingBlock
from protocols.registers import encode

FIRST_PARK_S, MOST_PARK_S = 1.0, 30.0
FIRST_REPROBE_S, MOST_REPROBE_S = 60.0, 3600.0
MOST_REFUSALS = 40
"""So many refusals end the search for the guilty Tags of one request; it goes on with the next read."""
MOST_READERS = 64
"""Plans kept; there is one for each set of Tags that is due together."""

ModbusBus = Bus[ModbusWire]


@dataclass(slots=True)
class _Parked:
    """Something that failed while the rest answered, and when it may be asked again."""

    backoff: Backoff
    until_s: float


@dataclass(slots=True)
class _Search:
    """A refused request being taken apart."""

    request: Request
    pieces: deque[Request]
    data: bytearray
    refused: list[Span] = field(default_factory=list)
    largest_served: int = 0
    refusals: int = 1


class ModbusDriver:
    """One unit on a bus; first_tag: index of its first Tag in the gateway's table, the others follow in order."""

    def __init__(self, device: ModbusDevice, *, first_tag: int, bus: ModbusBus, clock: Clock, jitter: Jitter) -> None:
        self._device = device
        self._tags: Mapping[int, ModbusTag] = dict(enumerate(device.tags, first_tag))
        self._spans = {i: Span(i, tag.table, tag.address, tag.width) for i, tag in self._tags.items()}
        self._limits = Limits(device.max_registers, device.max_bits, device.max_gap)
        self._bus = bus
        self._clock = clock
        self._jitter = jitter
        self._known = Knowledge()
        self._readers: dict[tuple[int, ...], Reader] = {}
        self._parked: dict[Request, _Parked] = {}
        self._reprobes: dict[int, _Parked] = {}
        self._first = 0
        self._has_joined = False

    async def open(self) -> None:
        """Have the line open; raise DeviceLost where it cannot be."""
        if not self._has_joined:
            self._bus.join(self._device.pause_s)
            self._has_joined = True
        await self._bus.open()

    async def close(self) -> None:
        """Leave the line; the last unit closes it."""
        if self._has_joined:
            self._has_joined = False
            self._bus.leave()

    async def subscribe(self, tags: tuple[int, ...], deliver: Deliver) -> tuple[int, ...]:
        """Return all tags: Modbus tells nothing by itself."""
        del deliver
        return tags

    async def read(self, tags: tuple[int, ...]) -> ReadingBlock:
        """Read these tags once, one row a tag; raise DeviceLost where no request was answered."""
        reader = self._readers.get(tags)
        if reader is None:
            if len(self._readers) >= MOST_READERS:
                self._readers.clear()
            reader = self._readers[tags] = self._make_reader(tags)
        outcomes = await self._collect(reader.requests)
        await self._reprobe(tags)
        return reader.decode([outcomes[request] for request in reader.requests], self._clock.now_us())

    async def write(self, tag: int, value: float | str) -> None:
        """Write one value; raise DeviceError where it does not fit or the device refuses."""
        target = self._tags[tag]
        unit, timeout_s = self._device.unit, self._device.timeout_s
        if target.table is Table.COIL:
            on = bool(value)
            await self._bus.exchange(
                lambda wire: wire.write_coil(unit, target.address, on=on, timeout_s=timeout_s),
            )
            return
        if target.table is not Table.HOLDING or target.bit is not None:
            kind = "one bit of a register" if target.bit is not None else f"the {target.table} table"
            raise DeviceError(f"{target.name!r} of {self._device.id} cannot be written: it is {kind}")
        try:
            words: list[int] = encode([value], target.form).tolist()
        except InvalidContent as error:
            raise DeviceError(f"{target.name!r} of {self._device.id} cannot be set to {value!r}: {error}") from error
        await self._bus.exchange(lambda wire: wire.write_registers(unit, target.address, words, timeout_s))

    def _make_reader(self, tags: tuple[int, ...]) -> Reader:
        requests = plan([self._spans[tag] for tag in tags], self._limits, self._known)
        refused = [tag for tag in tags if tag in self._known.refused]
        return Reader(requests, {tag: self._tags[tag].form for tag in tags}, refused)

    async def _collect(self, requests: tuple[Request, ...]) -> dict[Request, Outcome]:
        """Ask all requests that are not parked; raise DeviceLost where none of them was answered."""
        outcomes: dict[Request, Outcome] = {}
        failed: dict[Request, DeviceError] = {}
        for request in self._in_order(requests):
            try:
                outcomes[request] = await self._fetch(request)
            except DeviceGarbled as error:
                failed[request] = error
            except DeviceLost as error:
                failed[request] = error
                break
        if failed and not outcomes:
            self._first += 1
            reason = next(iter(failed.values()))
            raise DeviceLost(str(reason)) from reason
        self._settle(outcomes, failed)
        unread = Outcome.unread(Quality.READ_ERROR, self._clock.now_us())
        return {request: outcomes.get(request, unread) for request in requests}

    def _in_order(self, requests: tuple[Request, ...]) -> tuple[Request, ...]:
        """Return what is to be asked now: begin elsewhere after each loss, what failed before comes last."""
        if not self._first and not self._parked:
            return requests
        start = self._first % max(1, len(requests))
        turned = requests[start:] + requests[:start]
        now_s = self._clock.monotonic_s()
        free = [request for request in turned if request not in self._parked]
        due = [request for request in turned if request in self._parked and self._parked[request].until_s <= now_s]
        return (*free, *due) or turned[:1]

    def _settle(self, answered: Mapping[Request, Outcome], failed: Mapping[Request, DeviceError]) -> None:
        """Park what failed while the rest answered, let free what answered again."""
        self._first = 0 if not failed else self._first
        for request in failed:
            parked = self._parked.setdefault(
                request, _Parked(Backoff(FIRST_PARK_S, MOST_PARK_S, self._jitter), until_s=0.0)
            )
            parked.until_s = self._clock.monotonic_s() + parked.backoff.next_s()
        for request in self._parked.keys() & answered.keys():
            del self._parked[request]

    async def _ask(self, request: Request) -> bytes:
        table, address, count = request.table, request.address, request.count
        unit, timeout_s = self._device.unit, self._device.timeout_s
        return await self._bus.exchange(lambda wire: wire.read(unit, table, address, count, timeout_s))

    async def _fetch(self, request: Request) -> Outcome:
        try:
            data = await self._ask(request)
        except DeviceRefused as error:
            if error.code in (ILLEGAL_ADDRESS, ILLEGAL_VALUE):
                return await self._take_apart(request)
            is_ours = error.code == ILLEGAL_FUNCTION
            quality = Quality.CONFIGURATION_ERROR if is_ours else Quality.READ_ERROR
            return Outcome.unread(quality, self._clock.now_us())
        return Outcome(data, self._clock.now_us())

    async def _take_apart(self, request: Request) -> Outcome:
        """Ask for smaller and smaller parts, learn what is refused, and return what could be read."""
        is_one = len(request.spans) == 1
        search = _Search(request, deque(() if is_one else split(request)), bytearray(request.size_bytes))
        search.refused.extend(request.spans if is_one else ())
        while search.pieces and search.refusals < MOST_REFUSALS:
            await self._try_piece(search, search.pieces.popleft())
        self._learn(search)
        bad = dict.fromkeys((span.tag for span in search.refused), Quality.CONFIGURATION_ERROR)
        bad |= {span.tag: Quality.READ_ERROR for piece in search.pieces for span in piece.spans}
        return Outcome(bytes(search.data), self._clock.now_us(), bad)

    async def _try_piece(self, search: _Search, piece: Request) -> None:
        try:
            data = await self._ask(piece)
        except DeviceRefused:
            search.refusals += 1
            if len(piece.spans) == 1:
                search.refused.extend(piece.spans)
            else:
                search.pieces.extendleft(reversed(split(piece)))
            return
        search.largest_served = max(search.largest_served, piece.count)
        search.request.place(data, piece, search.data)

    def _learn(self, search: _Search) -> None:
        """Plan anew with what the refusals have taught, and ask for the guilty Tags again now and then."""
        self._known = self._known.after_refusal(search.request, search.refused, search.largest_served)
        self._readers.clear()
        for span in search.refused:
            backoff = Backoff(FIRST_REPROBE_S, MOST_REPROBE_S, self._jitter)
            self._reprobes[span.tag] = _Parked(backoff, self._clock.monotonic_s() + backoff.next_s())

    async def _reprobe(self, tags: tuple[int, ...]) -> None:
        """Ask for one Tag that was refused, if its time has come; what it says counts from the next read on."""
        if not self._reprobes:
            return
        now_s = self._clock.monotonic_s()
        tag = next((tag for tag in tags if tag in self._reprobes and self._reprobes[tag].until_s <= now_s), None)
        if tag is None:
            return
        parked = self._reprobes[tag]
        try:
            await self._ask(Request.over([self._spans[tag]]))
        except DeviceError:
            parked.until_s = now_s + parked.backoff.next_s()
            return
        del self._reprobes[tag]
        self._known = self._known.after_success(self._spans[tag])
        self._readers.clear()


def bus_of(device: ModbusDevice, buses: dict[str, ModbusBus], *, clock: Clock, jitter: Jitter) -> ModbusBus:
    """Return the bus of this device's line, a new one for its first unit; `buses` remembers it.

    Raises DeviceError where units of one line want it with different settings.
    """
    address = device.address
    bus = buses.get(address.line)
    if bus is None:
        bus = buses[address.line] = Bus(ModbusWire(address, device.tls), clock=clock, jitter=jitter)
    if (bus.wire.address, bus.wire.tls) != (address, device.tls):
        raise DeviceError(f"{device.id} wants {address.line} with other settings than the units before it")
    return bus
