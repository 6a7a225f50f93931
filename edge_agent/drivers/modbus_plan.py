"""Which Modbus requests read which Tags: few and large ones, smaller where a device refused before. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Self

from edge_agent.config.devices import Table


@dataclass(frozen=True, slots=True)
class Span:
    """Where one Tag lies; tag: its index, count: registers, or bits of a bit table."""

    tag: int
    table: Table
    address: int
    count: int

    @property
    def end(self) -> int:
        """Return the first address behind it."""
        return self.address + self.count


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the device, and the Tags that its answer serves, in rising order of address."""

    table: Table
    address: int
    count: int
    spans: tuple[Span, ...]

    @classmethod
    def over(cls, spans: Sequence[Span]) -> Self:
        """Return the request that covers these spans, which are of one table and in rising order."""
        first = spans[0].address
        return cls(spans[0].table, first, max(span.end for span in spans) - first, tuple(spans))

    def __hash__(self) -> int:
        """Return a hash of the address alone: one of all spans would cost more than decoding the answer."""
        return hash((self.table, self.address, self.count))

    @property
    def size_bytes(self) -> int:
        """Return how many bytes of data a right answer holds."""
        return (self.count + 7) // 8 if self.table.is_bits else 2 * self.count

    def place(self, data: bytes, piece: "Request", into: bytearray) -> None:
        """Write a part's data to where it lies in the whole; bits are moved bit by bit."""
        first = piece.address - self.address
        if not self.table.is_bits:
            into[2 * first : 2 * (first + piece.count)] = data
            return
        for bit in range(piece.count):
            if data[bit // 8] >> bit % 8 & 1:
                into[(first + bit) // 8] |= 1 << (first + bit) % 8

    def gaps(self) -> frozenset[tuple[Table, int]]:
        """Return the addresses that are read only to bridge what lies between Tags."""
        wanted = {address for span in self.spans for address in range(span.address, span.end)}
        return frozenset((self.table, a) for a in range(self.address, self.address + self.count) if a not in wanted)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may ask for, and how many unwanted registers it may read to save another request."""

    max_registers: int = 125
    max_bits: int = 2000
    max_gap: int = 16

    def most(self, table: Table) -> int:
        """Return the most registers or bits of one request."""
        return self.max_bits if table.is_bits else self.max_registers

    def gap(self, table: Table) -> int:
        """Return the widest gap to bridge; 16 bits cost no more than one register."""
        return self.max_gap * 16 if table.is_bits else self.max_gap


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What refusals have taught: addresses that no request may bridge, Tags to leave out, tables that want less."""

    walls: frozenset[tuple[Table, int]] = frozenset()
    refused: frozenset[int] = frozenset()
    most: tuple[tuple[Table, int], ...] = ()

    def most_of(self, table: Table, otherwise: int) -> int:
        """Return the most that one request for this table may ask for."""
        return min(dict(self.most).get(table, otherwise), otherwise)

    def after_refusal(self, request: Request, refused: Iterable[Span], largest_served: int) -> Self:
        """Return what is known once a refused request was taken apart.

        refused: the spans that are refused even alone. Where there are some, they explain it; else the gaps do; else
        the request was too large and largest_served is the new limit.
        """
        spans = tuple(refused)
        if spans:
            addresses = {(span.table, address) for span in spans for address in range(span.address, span.end)}
            return replace(self, walls=self.walls | addresses, refused=self.refused | {span.tag for span in spans})
        gaps = request.gaps()
        if gaps:
            return replace(self, walls=self.walls | gaps)
        return replace(self, most=tuple((dict(self.most) | {request.table: max(1, largest_served)}).items()))

    def after_success(self, span: Span) -> Self:
        """Return what is known once a Tag that was refused answers again."""
        addresses = {(span.table, address) for address in range(span.address, span.end)}
        return replace(self, walls=self.walls - addresses, refused=self.refused - {span.tag})


def plan(spans: Iterable[Span], limits: Limits, known: Knowledge = Knowledge()) -> tuple[Request, ...]:
    """Return the requests that read every span that is not refused, registers before bits."""
    wanted = [span for span in spans if span.tag not in known.refused]
    wanted.sort(key=lambda span: (span.table.is_bits, span.table, span.address, span.end))
    requests: list[Request] = []
    for _, of_table in groupby(wanted, key=lambda span: span.table):
        requests.extend(_coalesce(list(of_table), limits, known))
    return tuple(requests)


def _coalesce(spans: list[Span], limits: Limits, known: Knowledge) -> Iterable[Request]:
    table = spans[0].table
    most = known.most_of(table, limits.most(table))
    together = [spans[0]]
    end = spans[0].end
    for span in spans[1:]:
        gap = range(end, span.address)
        fits = max(end, span.end) - together[0].address <= most
        if fits and len(gap) <= limits.gap(table) and not any((table, address) in known.walls for address in gap):
            together.append(span)
        else:
            yield Request.over(together)
            together, end = [span], 0
        end = max(end, span.end)
    yield Request.over(together)


def split(request: Request) -> tuple[Request, ...]:
    """Return smaller requests for the same Tags: without the gaps where there are some, else halves; one Tag stays."""
    gaps = request.gaps()
    if gaps:
        without = Limits(request.count, request.count, max_gap=0)
        return plan(request.spans, without)
    middle = len(request.spans) // 2
    parts = (request.spans[:middle], request.spans[middle:])
    return tuple(Request.over(part) for part in parts if part)
