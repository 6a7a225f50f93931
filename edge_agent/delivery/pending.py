"""What waits to be sealed: blocks and events by clock segment and tag table, bounded: the oldest readings go."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge_agent.delivery.splitting import MAX_ROWS, gather, halves, seal_within
from protocols.batch import GatewayEvent, SealedBatch
from protocols.codec import seal_event, seal_tags
from protocols.errors import ProtocolError
from protocols.reading import ReadingBlock
from protocols.tag import TagTable


@dataclass(slots=True)
class Part:
    """Blocks and events that one clock segment and one tag table hold for."""

    segment: int
    table: TagTable
    blocks: deque[ReadingBlock] = field(default_factory=deque)
    events: list[GatewayEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait; a_commit: readings that go into one transaction, so that it stays under 1 MiB."""

    readings: int = 300_000
    events: int = 1_000
    a_commit: int = 120_000


class Pending:
    """Parts in order of arrival. Not thread-safe: lives on the loop."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._parts: deque[Part] = deque()
        self._events = 0
        self.readings = 0
        self.overflowed = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def fills_a_commit(self) -> bool:
        """Return whether there is no point in waiting for more."""
        return self.readings >= self._bounds.a_commit

    def add(self, block: ReadingBlock, *, segment: int, table: TagTable) -> None:
        """Take a block; where there are too many readings the oldest ones go, and are counted in `overflowed`."""
        self._part(segment, table).blocks.append(block)
        self.readings += len(block)
        while self.readings > self._bounds.readings:
            self._lose_oldest()

    def tell(self, event: GatewayEvent, *, segment: int, table: TagTable) -> bool:
        """Take an event; return False where there are too many already."""
        if self._events >= self._bounds.events:
            return False
        self._part(segment, table).events.append(event)
        self._events += 1
        return True

    def take(self) -> list[Part]:
        """Take out the oldest parts, as much as goes into one commit."""
        taken: list[Part] = []
        room = self._bounds.a_commit
        while self._parts and room > 0:
            part = self._parts.popleft()
            piece = self._piece(part, room)
            taken.append(piece)
            room -= max(1, sum(len(block) for block in piece.blocks))
            if part.blocks:
                self._parts.appendleft(part)
        return taken

    def put_back(self, parts: Sequence[Part]) -> None:
        """Take parts again that could not be stored, as the oldest."""
        for part in reversed(parts):
            self._parts.appendleft(part)
            self.readings += sum(len(block) for block in part.blocks)
            self._events += len(part.events)
        while self.readings > self._bounds.readings:
            self._lose_oldest()

    def _piece(self, part: Part, room: int) -> Part:
        piece = Part(part.segment, part.table, events=part.events)
        part.events = []
        self._events -= len(piece.events)
        while part.blocks and room > 0:
            piece.blocks.append(part.blocks.popleft())
            room -= len(piece.blocks[-1])
            self.readings -= len(piece.blocks[-1])
        return piece

    def _part(self, segment: int, table: TagTable) -> Part:
        last = self._parts[-1] if self._parts else None
        if last is None or last.segment != segment or last.table is not table:
            last = Part(segment, table)
            self._parts.append(last)
        return last

    def _lose_oldest(self) -> None:
        part = next(part for part in self._parts if part.blocks)
        lost = len(part.blocks.popleft())
        self.readings -= lost
        self.overflowed += lost
        while self._parts and not self._parts[0].blocks and not self._parts[0].events:
            self._parts.popleft()


class Sealing:
    """Turns parts into batches, in the buffer's thread; `refused`: readings that no batch could hold."""

    def __init__(self, parts: Sequence[Part], *, stored_table: str) -> None:
        self._parts = parts
        self._stored_table = stored_table
        self.refused = 0
        self.reason = ""

    def __call__(self) -> Sequence[SealedBatch]:
        """Return the batches: a tag table before the first data that uses it, events before data."""
        return [batch for part in self._parts for batch in self._seal(part)]

    @property
    def table(self) -> str:
        """Return the hash of the table that the last data batch uses."""
        return self._stored_table

    def _seal(self, part: Part) -> Iterator[SealedBatch]:
        for event in part.events:
            yield seal_event(event, segment=part.segment)
        if part.blocks and part.table.hash != self._stored_table:
            yield seal_tags(part.table, segment=part.segment)
            self._stored_table = part.table.hash
        for blocks in gather(part.blocks, MAX_ROWS):
            yield from self._seal_blocks(blocks, part)

    def _seal_blocks(self, blocks: Sequence[ReadingBlock], part: Part) -> Sequence[SealedBatch]:
        try:
            return seal_within(blocks, segment=part.segment, table=part.table.hash)
        except ProtocolError as error:
            count = sum(len(block) for block in blocks)
            if count > 1:
                return [batch for half in halves(blocks) for batch in self._seal_blocks(half, part)]
            self.refused += count
            self.reason = str(error)
            return ()
