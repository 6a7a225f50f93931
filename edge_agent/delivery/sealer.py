"""Sealer: the end of the poll and the beginning of delivery; what it took and the buffer committed is never lost.

A block is sealed at once while the writer is idle and the last commit is `max_unsealed_s` ago; whatever arrives
while the writer is busy goes into the next transaction together. An event seals at once. Encoding runs in the
buffer's thread.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_agent.delivery.clock_watch import ClockWatch, Moment
from edge_agent.delivery.pending import Bounds, Part, Pending, Sealing
from edge_agent.errors import BufferUnusable
from edge_agent.ports import AsyncBuffer, Clock
from protocols.batch import GatewayEvent
from protocols.errors import InvalidContent
from protocols.reading import Column, Quality, ReadingBlock
from protocols.tag import TagTable

log = logging.getLogger(__name__)
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class SealingFigures:
    """Counts of readings since the start: taken = sealed + overflowed + refused + waiting; commit_s: of the last.

    lost_events: that came while too many waited.
    """

    taken: int
    sealed: int
    overflowed: int
    refused: int
    waiting: int
    commits: int
    batches: int
    commit_s: float
    lost_events: int


class Sealer:
    """The Sink behind the gates. `wake` is called on the loop after each commit.

    Full means: more than `bounds` wait because the disk does not keep up; the oldest readings go then, are counted, and
    an event declares them with the next commit.
    """

    def __init__(
        self,
        *,
        buffer: AsyncBuffer,
        clock: Clock,
        table: TagTable,
        max_unsealed_s: float = 0.25,
        wake: Callable[[], None] = lambda: None,
        watch: ClockWatch | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._buffer = buffer
        self._clock = clock
        self._table = table
        self._max_unsealed_s = max_unsealed_s
        self._wake = wake
        self._watch = watch or ClockWatch()
        self._pending = Pending(bounds or Bounds())
        self._moment = self._look()
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._writing = asyncio.Lock()
        self._committed_at_s = -1e9
        self._stored_table = ""
        self._declared = 0
        self._is_failing = False
        self._taken = self._sealed = self._refused = self._commits = self._batches = 0
        self._lost_events = 0
        self._commit_s = 0.0

    @property
    def figures(self) -> SealingFigures:
        """Return the counts since the start."""
        return SealingFigures(
            taken=self._taken,
            sealed=self._sealed,
            overflowed=self._pending.overflowed,
            refused=self._refused,
            waiting=self._taken - self._sealed - self._pending.overflowed - self._refused,
            commits=self._commits,
            batches=self._batches,
            commit_s=self._commit_s,
            lost_events=self._lost_events,
        )

    @property
    def clock_is_set(self) -> bool:
        """Return whether the wall clock can be believed."""
        return self._moment.is_set

    def accept(self, block: ReadingBlock) -> None:
        """Take a block; never blocks and never fails."""
        if not len(block):
            return
        moment = self._follow_clock()
        if not moment.is_set:
            block = _with_unset_clock(block, moment.shift_us(self._clock.now_us()))
        self._taken += len(block)
        self._pending.add(block, segment=moment.segment, table=self._table)
        self._arrived.set()
        if self._pending.fills_a_commit:
            self._hurry.set()

    def record(self, name: str, *, device: str = "", detail: dict[str, str | int | float | bool] | None = None) -> None:
        """Take an event of this moment, which seals at once."""
        self._tell(name, device, detail or {}, self._follow_clock())

    def announce(self, event: GatewayEvent) -> None:
        """Take an event with a time of its own, which seals at once."""
        moment = self._follow_clock()
        at_us = event.at_us + moment.shift_us(self._clock.now_us())
        self._tell(event.name, event.device, event.detail, moment, at_us=at_us)

    def use_table(self, table: TagTable) -> None:
        """Name the table that the tag indices of all blocks from now on mean."""
        self._table = table

    async def run(self) -> None:
        """Seal for ever."""
        await self._recall()
        while True:
            await self._arrived.wait()
            await self._linger()
            await self._seal()

    async def flush(self) -> None:
        """Seal all that waits and return when it is durable; raise BufferUnusable where it cannot be stored."""
        while self._pending:
            await self._seal(give_up=True)

    async def _recall(self) -> None:
        """Learn the last time that an earlier run persisted, if the buffer can be opened already."""
        try:
            self._watch.remember((await self._buffer.opened()).last_at_us)
        except BufferUnusable as error:
            log.warning("the buffer cannot be opened yet: %s", error)

    async def _linger(self) -> None:
        rest_s = self._committed_at_s + self._max_unsealed_s - self._clock.monotonic_s()
        if rest_s > 0 and not self._hurry.is_set():
            try:
                async with asyncio.timeout(rest_s):
                    await self._hurry.wait()
            except TimeoutError:
                return

    async def _seal(self, *, give_up: bool = False) -> None:
        async with self._writing:
            self._arrived.clear()
            self._hurry.clear()
            self._declare_overflow()
            parts = self._pending.take()
            if not parts:
                return
            error = await self._store(parts)
            if self._pending:
                self._arrived.set()
        if error is not None and give_up:
            raise error
        self._report(error)
        if error is not None:
            await self._clock.sleep(_RETRY_S)

    async def _store(self, parts: list[Part]) -> BufferUnusable | None:
        """Commit the parts or put them back; a cancelled commit is waited for, lest its readings be stored twice."""
        commit = asyncio.create_task(self._commit(parts), name="commit")
        try:
            await asyncio.shield(commit)
        except asyncio.CancelledError:
            await asyncio.wait({commit})
            if commit.exception() is not None:
                self._pending.put_back(parts)
            raise
        except BufferUnusable as error:
            self._pending.put_back(parts)
            return error
        return None

    async def _commit(self, parts: list[Part]) -> None:
        begun_s = self._clock.monotonic_s()
        sealing = await self._append(parts)
        self._committed_at_s = begun_s
        self._commit_s = self._clock.monotonic_s() - begun_s
        self._commits += 1
        self._sealed += sum(len(block) for part in parts for block in part.blocks) - sealing.refused
        if sealing.refused:
            self._refused += sealing.refused
            self.record("readings_refused", detail={"readings": sealing.refused, "reason": sealing.reason[:200]})
        self._wake()

    async def _append(self, parts: list[Part]) -> Sealing:
        """Store the parts; where the buffer was opened anew meanwhile, the tag table goes before them again."""
        for stored_table in (self._stored_table, ""):
            sealing = Sealing(parts, stored_table=stored_table)
            try:
                keys = await self._buffer.append(sealing, at_us=self._moment.at_us)
            except InvalidContent:
                if not stored_table:
                    raise
            else:
                self._batches += len(keys)
                if keys:
                    self._stored_table = sealing.table
                return sealing
        raise BufferUnusable("the buffer takes no data with its own tag table")

    def _declare_overflow(self) -> None:
        lost = self._pending.overflowed - self._declared
        if lost:
            self._declared += lost
            self.record("readings_lost_before_the_buffer", detail={"readings": lost, "reason": "the disk is too slow"})

    def _report(self, error: BufferUnusable | None) -> None:
        if error is not None and not self._is_failing:
            log.error("readings wait in memory, the buffer refuses them: %s", error)
        elif error is None and self._is_failing:
            log.warning("the buffer takes readings again")
        self._is_failing = error is not None

    def _follow_clock(self) -> Moment:
        moment = self._look()
        self._moment = moment
        if moment.stepped_us:
            self._tell("clock_stepped", "", {"stepped_us": moment.stepped_us, "is_set": moment.is_set}, moment)
        return moment

    def _tell(
        self,
        name: str,
        device: str,
        detail: dict[str, str | int | float | bool],
        moment: Moment,
        *,
        at_us: int | None = None,
    ) -> None:
        event = GatewayEvent(moment.at_us if at_us is None else at_us, name, device, detail)
        if not self._pending.tell(event, segment=moment.segment, table=self._table):
            self._lost_events += 1
            log.error("too many events wait, this one is lost: %s of %s", name, device or "the gateway")
        self._arrived.set()
        self._hurry.set()

    def _look(self) -> Moment:
        return self._watch.look(wall_us=self._clock.now_us(), monotonic_s=self._clock.monotonic_s())


def _with_unset_clock(block: ReadingBlock, shift_us: int) -> ReadingBlock:
    columns = (
        Column(
            column.kind,
            column.tag,
            column.time_us + shift_us,
            column.value,
            np.where(column.quality == Quality.GOOD, np.uint8(Quality.CLOCK_UNSET), column.quality),
        )
        for column in block.columns
    )
    return ReadingBlock(tuple(columns), block.texts)
