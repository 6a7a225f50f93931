"""Machine: the channels of one machine step by step, with its faults, as rows of tag values."""

import asyncio
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from firmware_sim.faults import Fault
from firmware_sim.sources import Source
from firmware_sim.tags import Tag, Value


@dataclass(frozen=True, slots=True)
class Row:
    """What a machine shows from one tick to the next: raw and served values, one a tag, in the tags' order."""

    number: int
    at_us: int
    raw: tuple[Value, ...]
    served: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A fault that began or ended with a row of this number."""

    fault: Fault
    is_on: bool
    at_us: int
    row: int


Tell = Callable[[Turn], None]


class Machine:
    """One machine as a plant knows it: steps, has faults, keeps values that were set by hand.

    `row` is replaced whole by each step and never changed: whoever holds it holds one moment. `first_read` is set by
    the server that is asked for the first time.
    """

    def __init__(self, name: str, source: Source, tags: Sequence[Tag], tell: Tell) -> None:
        self.name = name
        self.source = source
        self.tags = tuple(tags)
        self.tick = 0
        self.first_read = asyncio.Event()
        self.row = Row(0, 0, (), ())
        self._tell = tell
        self._coming: list[tuple[int, int, Fault]] = []
        self._drawn: Iterator[Fault] = iter(())
        self._faults: list[Fault] = []
        self._onsets: dict[int, Mapping[str, float]] = {}
        self._set: dict[str, Value] = {}
        self._shown: dict[str, Value] = {}
        self._sigmas = {name: channel.sigma for name, channel in source.channels.items()}

    def schedule(self, fault: Fault) -> None:
        """Have the fault happen at its ticks; ticks count from 1."""
        heapq.heappush(self._coming, (fault.at_tick, fault.id, fault))

    def draw_from(self, faults: Iterator[Fault]) -> None:
        """Have these happen besides, one after another; the next is drawn when the one before begins."""
        self._drawn = faults
        self._draw()

    def _draw(self) -> None:
        drawn = next(self._drawn, None)
        if drawn is not None:
            self.schedule(drawn)

    def _begin_due(self) -> None:
        while self._coming and self._coming[0][0] <= self.tick:
            fault = heapq.heappop(self._coming)[2]
            self._faults.append(fault)
            if fault.is_drawn:
                self._draw()

    def set(self, channel: str, value: Value | None) -> None:
        """Have the channel show this value from the next step on; None gives it back to the source."""
        if value is None:
            self._set.pop(channel, None)
        else:
            self._set[channel] = value

    @property
    def counter(self) -> str:
        """Return the name of the tag that counts the rows."""
        return next(tag.name for tag in self.tags if tag.channel == self.source.counter)

    @property
    def active_faults(self) -> tuple[Fault, ...]:
        """Return the faults that the current row shows."""
        return tuple(fault for fault in self._faults if fault.id in self._onsets)

    def step(self, at_us: int) -> bool:
        """Go on to the next row; return False where there is none and the last one stays."""
        quantities = self.source.next()
        if quantities is None:
            return False
        self.tick += 1
        self._begin_due()
        shown = dict(quantities)
        for fault in tuple(self._faults):
            self._apply(fault, shown, at_us)
        self._shown = shown
        self._show(at_us)
        return True

    def refresh(self) -> None:
        """Show what was set by hand at once, under the number of the current row."""
        if self._shown:
            self._show(self.row.at_us)

    def _show(self, at_us: int) -> None:
        shown = self._shown | self._set
        raw = tuple(tag.raw(shown[tag.channel]) for tag in self.tags)
        served = tuple(tag.served(value) for tag, value in zip(self.tags, raw, strict=True))
        self.row = Row(self.tick, at_us, raw, served)

    def _apply(self, fault: Fault, shown: dict[str, Value], at_us: int) -> None:
        if not fault.is_on(self.tick):
            self._end(fault, at_us)
            return
        numbers = {name: float(shown[name]) for name in self._sigmas}
        if fault.id not in self._onsets:
            self._onsets[fault.id] = numbers
            self._tell(Turn(fault, is_on=True, at_us=at_us, row=self.tick))
        shown |= fault.disturb(self.tick, numbers, self._sigmas, self._onsets[fault.id])

    def _end(self, fault: Fault, at_us: int) -> None:
        self._faults.remove(fault)
        if self._onsets.pop(fault.id, None) is not None:
            self._tell(Turn(fault, is_on=False, at_us=at_us, row=self.tick))
