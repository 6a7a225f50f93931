"""The poller of one Device: reads what is due, says once that the Device has gone, and comes back by itself."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from edge_agent.drivers.backoff import Backoff, Jitter
from edge_agent.errors import DeviceError
from edge_agent.polling.rising import Rising
from edge_agent.polling.schedule import Schedule
from edge_agent.ports import Clock, Driver, Sink
from protocols.reading import Column, Kind, Quality, ReadingBlock

FIRST_PROBE_S, MOST_PROBE_S = 1.0, 30.0
LIVENESS_S = 1.0
"""How often a Device that tells its changes by itself is asked whether it is still there."""
LAST_READ_S = 3.0
"""How long a read that is under way may still take when the agent stops."""
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolledTag:
    """What a poller must know of a Tag; period_s: 0 means as fast as the Device answers."""

    period_s: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class PolledDevice:
    """What to poll; tags: by index in the gateway's table; most_probe_s: longest wait between probes.

    is_of_one_time: a poll is of the moment when it was complete, not each answer of the moment when it came.
    """

    id: str
    tags: Mapping[int, PolledTag]
    most_probe_s: float = MOST_PROBE_S
    is_of_one_time: bool = False


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A Device has gone, or is back; reason: why it went."""

    device: str
    is_lost: bool
    at_us: int
    reason: str = ""


@dataclass(slots=True)
class PollCounts:
    """What a poller has gone through since the start; seconds are those spent in reads."""

    polls: int = 0
    skipped: int = 0
    readings: int = 0
    losses: int = 0
    failures: int = 0
    read_s: float = 0.0
    longest_read_s: float = 0.0
    is_reachable: bool = False


class Poller:
    """Reads one Device for as long as it runs; tell: hears once when it goes and once when it is back."""

    def __init__(
        self,
        device: PolledDevice,
        driver: Driver,
        *,
        sink: Sink,
        clock: Clock,
        jitter: Jitter,
        tell: Callable[[DeviceChange], None],
    ) -> None:
        self.device = device.id
        self.counts = PollCounts()
        self._driver = driver
        self._tags = dict(device.tags)
        self._sink = sink
        self._clock = clock
        self._tell = tell
        self._backoff = Backoff(FIRST_PROBE_S, device.most_probe_s, jitter)
        self._is_lost = False
        first = min(self._tags, default=0)
        rising = Rising(first, max(self._tags, default=-1) - first + 1)
        self._rising_poll = rising.together if device.is_of_one_time else rising.of_poll
        self._rising_changes = rising.of_changes

    async def run(self) -> None:
        """Poll until cancelled; the root of a supervised task: whatever fails is told, counted and tried again."""
        try:
            while True:
                try:
                    await self._serve()
                except DeviceError as error:
                    self._note_lost(str(error))
                except Exception as error:
                    self.counts.failures += 1
                    LOG.exception("the poller of %s failed", self.device)
                    self._note_lost(f"{type(error).__name__}: {error}")
                await self._clock.sleep(self._backoff.next_s())
        finally:
            await self._driver.close()

    async def _serve(self) -> None:
        """Open the Device and read it until it goes, which a DeviceError tells."""
        await self._driver.open()
        polled = await self._driver.subscribe(tuple(self._tags), self._take_changes)
        if len(polled) < len(self._tags):
            self._note_back()
        longest_s = LIVENESS_S if len(polled) < len(self._tags) else inf
        schedule = Schedule({tag: self._tags[tag].period_s for tag in polled}, self._clock.monotonic_s())
        while True:
            due = schedule.take(self._clock.monotonic_s())
            self.counts.skipped += due.skipped
            await to_the_end(self._poll(due.tags))
            wait_s = schedule.next_s() - self._clock.monotonic_s()
            await self._clock.sleep(min(max(0.0, wait_s), longest_s))

    async def _poll(self, tags: tuple[int, ...]) -> None:
        """Read these tags; without any, only make sure that the Device is still there."""
        began_s = self._clock.monotonic_s()
        block = await self._driver.read(tags)
        if not tags:
            return
        self._note_duration(self._clock.monotonic_s() - began_s)
        self.counts.polls += 1
        self.counts.readings += len(block)
        if not self.counts.is_reachable:
            self._note_back()
        self._sink.accept(self._rising_poll(block, self._clock.now_us()))

    def _take_changes(self, block: ReadingBlock) -> None:
        self.counts.readings += len(block)
        self._sink.accept(self._rising_changes(block, self._clock.now_us()))

    def _note_duration(self, seconds: float) -> None:
        self.counts.read_s += seconds
        self.counts.longest_read_s = max(self.counts.longest_read_s, seconds)

    def _note_back(self) -> None:
        self._backoff.reset()
        self.counts.is_reachable = True
        if self._is_lost:
            self._is_lost = False
            self._tell(DeviceChange(self.device, is_lost=False, at_us=self._clock.now_us()))

    def _note_lost(self, reason: str) -> None:
        """Say once, with one reading a tag, that the Device has gone."""
        self.counts.is_reachable = False
        if self._is_lost:
            return
        self._is_lost = True
        self.counts.losses += 1
        now_us = self._clock.now_us()
        lost = lost_block({index: tag.kind for index, tag in self._tags.items()}, now_us)
        self._sink.accept(self._rising_poll(lost, now_us))
        self._tell(DeviceChange(self.device, is_lost=True, at_us=now_us, reason=reason))


async def to_the_end(work: Coroutine[None, None, None]) -> None:
    """Do the work; when cancelled, finish it first within a bound: what a Device has answered must not be lost."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        done, _ = await asyncio.wait([task], timeout=LAST_READ_S)
        if not done:
            task.cancel()
        elif (error := task.exception()) is not None:
            LOG.info("the last read failed: %s", error)
        raise


def lost_block(kinds: Mapping[int, Kind], time_us: int) -> ReadingBlock:
    """Return one reading a tag that says that its Device is lost."""
    columns = []
    for kind in Kind:
        tags = np.array([tag for tag, its in kinds.items() if its is kind], np.uint32)
        if len(tags):
            times = np.full(len(tags), time_us, np.int64)
            values = np.full(len(tags), np.nan if kind is Kind.FLOAT else 0, kind.dtype)
            columns.append(Column(kind, tags, times, values, np.full(len(tags), Quality.DEVICE_LOST, np.uint8)))
    texts = ("",) if columns and columns[-1].kind is Kind.TEXT else ()
    return ReadingBlock(tuple(columns), texts)
