"""Polls of simulated machines, through the real sealer into a real buffer on a made clock, as fast as the disk goes."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from edge_agent.buffers.file import BufferFile
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.thread import BufferThread
from edge_agent.delivery.sealer import Sealer
from edge_agent.ports import Ledger
from firmware_sim.sources import KINDS, SEQUENCE, Simulation
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.bench.measure import now_us

TAGS = 100
ANSWER_US, ANSWER_JITTER_US = 2_000, 300
"""A device answers so long after the one before it, give or take."""


class SteppedClock:
    """The Clock port, moved by hand from now on."""

    def __init__(self, begin_us: int) -> None:
        self._begin_us = begin_us
        self._passed_us = 0

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return self._begin_us + self._passed_us

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return self._passed_us / 1e6

    async def sleep(self, seconds: float) -> None:
        """Let this much time pass."""
        self.pass_by(seconds)
        await asyncio.sleep(0)

    def pass_by(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._passed_us += round(seconds * 1e6)


class Machines:
    """A hundred tags of simulated machines as gateways read them by default: a counter and float32 channels each."""

    def __init__(self, *, period_s: float, prefix: str) -> None:
        kinds = [kind for _, kind in zip(range(TAGS), _again_and_again(), strict=False)]
        names = [(number, name) for number, kind in enumerate(kinds) for name in (SEQUENCE, *KINDS[kind])][:TAGS]
        self._sources = [
            Simulation(kind, seed=f"{prefix}{number}", period_s=period_s)
            for number, kind in enumerate(kinds[: names[-1][0] + 1])
        ]
        self._tags = [[name for owner, name in names if owner == number] for number in range(len(self._sources))]
        devices = tuple(DeviceInfo(f"{prefix}{number}") for number in range(len(self._sources)))
        kind_of = {SEQUENCE: Kind.UINT}
        tags = tuple(TagInfo(number, name, kind_of.get(name, Kind.FLOAT), period_s=period_s) for number, name in names)
        self.table = TagTable(devices, tags)
        self._random = np.random.default_rng(7)

    def poll(self, at_us: int) -> list[ReadingBlock]:
        """Return one block a machine, of this moment and a little later."""
        first, blocks = 0, []
        for number, (source, names) in enumerate(zip(self._sources, self._tags, strict=True)):
            late_us = number * ANSWER_US + abs(int(self._random.normal(0, ANSWER_JITTER_US)))
            row = source.next()
            floats = [float(np.float32(float(row[name]))) for name in names[1:]]
            counter = _column(Kind.UINT, [first], [int(row[SEQUENCE])], at_us + late_us)
            channels = _column(Kind.FLOAT, range(first + 1, first + len(names)), floats, at_us + late_us)
            blocks.append(ReadingBlock((channels, counter) if floats else (counter,)))
            first += len(names)
        return blocks


def _again_and_again() -> Iterator[str]:
    while True:
        yield from KINDS


def _column(kind: Kind, tags: Sequence[int], values: Sequence[float], at_us: int) -> Column:
    n = len(values)
    return Column(
        kind,
        np.array(tags, np.uint32),
        np.full(n, at_us, np.int64),
        np.array(values, kind.dtype),
        np.full(n, Quality.GOOD, np.uint8),
    )


@dataclass(frozen=True, slots=True)
class Filling:
    """How a buffer is filled; a_commit: polls whose readings go into one transaction."""

    gateway: str
    polls: int
    period_s: float
    a_commit: int = 1
    max_bytes: int = 1 << 30
    splits_a_poll: bool = False
    """Whether the first answer of a poll is sealed alone, as where the writer was idle, the others after it."""


async def fill(path: Path, filling: Filling, machines: Machines) -> Ledger:
    """Poll so often, the last time now, and return what the buffer counts."""
    clock = SteppedClock(now_us() - round(filling.polls * filling.period_s * 1e6))
    place = BufferPlace(path, filling.gateway, filling.max_bytes)
    buffer = BufferThread(BufferFile(place, now_us=clock.now_us).open)
    sealer = Sealer(buffer=buffer, clock=clock, table=machines.table)
    try:
        for number in range(1, filling.polls + 1):
            blocks = iter(machines.poll(clock.now_us()))
            if filling.splits_a_poll:
                for block in islice(blocks, 1):
                    sealer.accept(block)
                await sealer.flush()
            for block in blocks:
                sealer.accept(block)
            if number % filling.a_commit == 0:
                await sealer.flush()
            clock.pass_by(filling.period_s)
        await sealer.flush()
        return await buffer.ledger()
    finally:
        await buffer.close()
