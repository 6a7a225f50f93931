"""Detection: the detectors of every Device that is judged, fed beside the readings' way so that nothing can hold it up.

Imported only where a configuration says `detect`.
"""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from edge_agent.config.detect import DetectSettings, judged
from edge_agent.config.schema import AgentSettings
from edge_agent.delivery.sealer import Sealer
from edge_agent.detectors import DETECTORS
from edge_agent.detectors.line import DetectorLine, Outlets
from edge_agent.detectors.loader import load_network
from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.own import OwnModels
from edge_agent.detectors.rows import RowPlan, Rows
from edge_agent.detectors.subject import ModelRules, Subject, Tools
from edge_agent.errors import DeviceError
from edge_agent.ports import Clock, Deliver, Judge
from edge_agent.watch.status import JudgedState
from edge_agent.wiring.site import Numbered, Site
from protocols.anomaly import RESET, AnomalySource
from protocols.reading import ReadingBlock
from protocols.wanted import ModelStanding

MOST_WAITING = 1_000
"""Blocks that wait to be judged; beyond it the oldest are left out and counted, and a gap in the rows tells."""
SAME = 0.01


@dataclass(frozen=True, slots=True)
class Parts:
    """What detection is joined to; deliver: takes score readings to their way out."""

    site: Site
    sealer: Sealer
    clock: Clock
    deliver: Deliver


class Detection:
    """All Devices that are judged."""

    def __init__(self, settings: AgentSettings, parts: Parts) -> None:
        self._parts = parts
        self._waiting: deque[tuple[DetectorLine, ReadingBlock]] = deque()
        self._arrived, self._due = asyncio.Event(), asyncio.Event()
        self._tools = Tools(
            load=load_network,
            clock=parts.clock,
            own=OwnModels(settings.models.directory),
            wake=self._due.set,
            record=lambda name, device, detail: parts.sealer.record(name, device=device, detail=detail),
        )
        self._rules = (settings.models.off_after, settings.models.deadline_ms / 1e3)
        self._lines = {
            each.device.id: self._line(each, detect)
            for each in parts.site.numbered
            if (detect := settings.detect_of(each.device))
        }
        parts.sealer.record(RESET)

    @property
    def judges(self) -> Sequence[Judge]:
        """Return what the models slot works with, one a Device."""
        return [line.model for line in self._lines.values()]

    def tap(self, device: str) -> Deliver | None:
        """Return what takes a Device's judged readings, None where it is not judged; it never waits and never fails."""
        line = self._lines.get(device)
        if line is None:
            return None

        def take(block: ReadingBlock) -> None:
            if len(self._waiting) == MOST_WAITING:
                late, its_readings = self._waiting.popleft()
                late.leave_out(its_readings)
            self._waiting.append((line, block))
            self._arrived.set()

        return take

    async def run(self) -> None:
        """Judge for ever what was read; the readings themselves are on their way already."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                line, block = self._waiting.popleft()
                line.take(block)
                await asyncio.sleep(0)

    async def learn(self) -> None:
        """Do for ever, in a thread, what models need time for."""
        while True:
            await self._due.wait()
            self._due.clear()
            for line in self._lines.values():
                while (job := line.model.work()) is not None:
                    finish = await asyncio.to_thread(job)
                    finish()

    def standings(self) -> tuple[ModelStanding, ...]:
        """Return how every Device is judged."""
        return tuple(standing for line in self._lines.values() for standing in line.model.standings())

    def states(self) -> tuple[JudgedState, ...]:
        """Return the same for the status document."""
        return tuple(state_of(line) for line in self._lines.values())

    def _line(self, each: Numbered, detect: DetectSettings) -> DetectorLine:
        try:
            positions = judged(detect, each.tags)
        except ValueError as error:
            raise DeviceError(f"{each.device.id} cannot be judged: {error}") from error
        subject = self._subject(each, detect, positions)
        parts = {source: make(subject) for source, make in DETECTORS.items()}
        model = parts.pop(AnomalySource.MODEL)
        if not isinstance(model, ModelDetector):
            raise TypeError("the model's detector is not a Judge")
        outlets = Outlets(
            deliver=self._parts.deliver,
            announce=self._parts.sealer.announce,
            new_name=lambda: os.urandom(16).hex(),
            score_tag=self._parts.site.scores[each.device.id],
            score_period_s=detect.score_period_s,
        )
        return DetectorLine(Rows(row_plan(each, subject.period_s, positions)), model, parts, outlets)

    def _subject(self, each: Numbered, detect: DetectSettings, positions: tuple[int, ...]) -> Subject:
        tags = [each.tags[position] for position in positions]
        low, high = np.array([tag.range or (-np.inf, np.inf) for tag in tags], np.float64).T
        off_after, deadline_s = self._rules
        return Subject(
            device=each.device.id,
            channels=tuple(tag.name for tag in tags),
            units=tuple(tag.unit for tag in tags),
            period_s=detect.period_s or each.device.period_s,
            low=low,
            high=high,
            rate=np.array([tag.rate_of_change for tag in tags], np.float64),
            tools=self._tools,
            rules=ModelRules(detect.learn_rows, off_after, deadline_s),
            open_after_s=detect.open_after_s,
            close_after_s=detect.close_after_s,
            frozen_s=detect.frozen_s,
        )


def row_plan(each: Numbered, period_s: float, positions: Sequence[int]) -> RowPlan:
    """Return how rows are made: with each poll where polls and rows have one period, else by the clock."""
    polled = each.polled()
    tags = tuple(each.first + position for position in positions)
    periods = [polled[tag].period_s for tag in tags]
    if each.tells_changes:
        return RowPlan(tags, period_s, (inf,) * len(tags))
    stale_s = tuple(3 * max(period, period_s) + each.device.timeout_s for period in periods)
    awaited = tuple(i for i, period in enumerate(periods) if abs(period - period_s) <= SAME * period_s)
    return RowPlan(tags, period_s, stale_s, awaited)


def state_of(line: DetectorLine) -> JudgedState:
    """Return one Device as the status document has it."""
    serving, *others = line.model.standings()
    return JudgedState(
        device=serving.device,
        model=f"{serving.name}@{serving.version}",
        standing=serving.standing.value,
        reason=serving.reason,
        score=None if np.isnan(line.model.score) else round(float(line.model.score), 4),
        rows=line.rows,
        rows_scored=serving.rows,
        unscored=line.unscored,
        left_out=line.left_out,
        over=serving.over,
        invoke_us=serving.invoke_us,
        calibrated=serving.calibrated,
        times=serving.times,
        opened={source.value: count for source, count in line.opened.items()},
        challenger=f"{others[0].name}@{others[0].version}" if others else "",
    )
