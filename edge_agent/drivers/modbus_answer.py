"""From the answers of a unit to one ReadingBlock: bytes joined, decoded as whole arrays, failures marked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge_agent.drivers.modbus_plan import Request
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.registers import Layout, Placed, RegisterFormat, Words

MOST_WORDS = 125


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request; data: its bytes, None where there are none; bad: Tags that have no value, and why."""

    data: bytes | None
    time_us: int
    bad: Mapping[int, Quality] = field(default_factory=dict)
    quality: Quality = Quality.GOOD

    @classmethod
    def unread(cls, quality: Quality, time_us: int) -> Self:
        """Return the outcome of a request that gave no value at all."""
        return cls(None, time_us, quality=quality)


class Reader:
    """The requests for a set of Tags, and how to read the Tags from their answers.

    forms: by tag index; refused: those of them that no request asks for, because the device refuses them.
    The words of all answers lie one behind another; each bit of a bit table is a word of its own.
    """

    def __init__(
        self, requests: Sequence[Request], forms: Mapping[int, RegisterFormat], refused: Sequence[int]
    ) -> None:
        self.requests = tuple(requests)
        self._refused = dict.fromkeys(refused, Quality.CONFIGURATION_ERROR)
        self._counts = [request.count for request in self.requests]
        starts = np.cumsum([0, *self._counts])
        placed = [
            Placed(span.tag, int(start) + span.address - request.address, forms[span.tag])
            for request, start in zip(self.requests, starts[:-1], strict=True)
            for span in request.spans
        ]
        nowhere = int(starts[-1])
        placed += [Placed(tag, nowhere, forms[tag]) for tag in refused]
        self._has_bits = any(request.table.is_bits for request in self.requests)
        self._tail = MOST_WORDS if refused else 0
        self._layout = Layout(placed)

    def decode(self, outcomes: Sequence[Outcome], now_us: int) -> ReadingBlock:
        """Return one row a Tag from one outcome a request, in their order; now_us: the time of what was not asked."""
        times = np.repeat([*(o.time_us for o in outcomes), now_us], [*self._counts, self._tail])
        block = self._layout.decode(self._words(outcomes), times)
        bad = dict(self._refused)
        for request, outcome in zip(self.requests, outcomes, strict=True):
            if outcome.data is None:
                bad |= dict.fromkeys((span.tag for span in request.spans), outcome.quality)
            elif outcome.bad:
                bad |= outcome.bad
        return mark(block, bad) if bad else block

    def _words(self, outcomes: Sequence[Outcome]) -> Words:
        if self._has_bits:
            return self._mixed_words(outcomes)
        parts = [
            bytes(request.size_bytes) if outcome.data is None else outcome.data
            for request, outcome in zip(self.requests, outcomes, strict=True)
        ]
        return np.frombuffer(b"".join((*parts, bytes(2 * self._tail))), ">u2").astype(np.uint16)

    def _mixed_words(self, outcomes: Sequence[Outcome]) -> Words:
        parts = [
            _words_of(request, bytes(request.size_bytes) if outcome.data is None else outcome.data)
            for request, outcome in zip(self.requests, outcomes, strict=True)
        ]
        return np.concatenate([*parts, np.zeros(self._tail, np.uint16)])


def _words_of(request: Request, data: bytes) -> Words:
    if not request.table.is_bits:
        return np.frombuffer(data, ">u2").astype(np.uint16)
    return np.unpackbits(np.frombuffer(data, np.uint8), count=request.count, bitorder="little").astype(np.uint16)


def mark(block: ReadingBlock, bad: Mapping[int, Quality]) -> ReadingBlock:
    """Return the block with these Tags' rows holding no value, but this quality."""
    tags = np.fromiter(bad.keys(), np.uint32, len(bad))
    return ReadingBlock(tuple(_marked(column, tags, bad) for column in block.columns), block.texts)


def _marked(column: Column, tags: NDArray[np.uint32], bad: Mapping[int, Quality]) -> Column:
    rows = np.flatnonzero(np.isin(column.tag, tags))
    if not len(rows):
        return column
    value, quality = column.value.copy(), column.quality.copy()
    value[rows] = np.nan if column.kind == Kind.FLOAT else 0
    quality[rows] = [bad[int(tag)] for tag in column.tag[rows]]
    return Column(column.kind, column.tag, column.time_us, value, quality)
