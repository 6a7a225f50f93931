"""The story that the demo tells: machines are learned, one fails, the gateway sees it, an alarm says so."""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.fault import LASTS_S, Detection, PlannedFault, draw_fault, found

NEXT_AFTER_S = 60.0
"""From one fault to the next, where the demo runs until Ctrl-C."""
Ask = Callable[[dict[str, Any]], dict[str, Any]]
Alarms = Callable[[], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was put into the plant; known: alarms of detectors that were there before."""

    fault: PlannedFault
    at_us: int
    known: frozenset[str]


@dataclass
class Story:
    """Faults one after another; machines: id -> type, none where nothing shall fail; for_s: of the run, if it ends.

    ask: puts a request to the plant; alarms: what the API tells.
    """

    machines: Mapping[str, str]
    for_s: float | None
    chance: random.Random
    ask: Ask
    alarms: Alarms
    news: list[str]
    injected: list[Injected] = field(default_factory=list)
    detections: list[Detection | None] = field(default_factory=list)
    first: PlannedFault | None = None
    _next: PlannedFault | None = None

    def __post_init__(self) -> None:
        if self.machines:
            self.first = self._next = self._draw(0.0)

    def step(self, up_s: float, judged: Collection[str]) -> None:
        """Go on with it; up_s: since all is up; judged: the machines on which a model serves."""
        self._watch()
        if self._next is not None and up_s >= self._next.at_s and self._next.machine in judged:
            self._inject(self._next)
            self._next = None if self.for_s is not None else self._draw(up_s + LASTS_S)

    def false_alarms(self, alarms: Sequence[Mapping[str, Any]]) -> int:
        """Return how many of these alarms detectors raised for machines that had no fault."""
        faulty = {one.fault.machine for one in self.injected}
        return sum(alarm["device_id"] not in faulty for alarm in found(alarms))

    def _draw(self, begins_s: float) -> PlannedFault:
        lasts_s = NEXT_AFTER_S if self.for_s is None else self.for_s
        return draw_fault(self.machines, begins_s=begins_s, lasts_s=lasts_s, chance=self.chance)

    def _inject(self, fault: PlannedFault) -> None:
        known = frozenset(alarm["id"] for alarm in found(self.alarms()))
        answer = self.ask(fault.request)
        if not answer.get("ok"):
            self.news.append(f"the plant refuses the fault: {answer.get('error')}")
            return
        self.injected.append(Injected(fault, time.time_ns() // 1000, known))
        self.detections.append(None)
        size = "" if fault.kind.is_of_a_sensor else f", {fault.sigma} sigma"
        self.news.append(f"fault: {fault.kind} of {fault.machine}, {fault.channel}{size}")

    def _watch(self) -> None:
        """Look for the alarm of the last fault."""
        if not self.injected or self.detections[-1] is not None:
            return
        last = self.injected[-1]
        new = [alarm for alarm in found(self.alarms()) if alarm["id"] not in last.known]
        for alarm in sorted(new, key=decided_us):
            if alarm["device_id"] == last.fault.machine:
                seen_us = time.time_ns() // 1000
                self.detections[-1] = _detection(alarm, seen_us)
                self.news.append(f"alarm after {(decided_us(alarm) - last.at_us) / 1e6:.1f} s: {alarm['message']}")
                return


def _detection(alarm: Mapping[str, Any], seen_us: int) -> Detection:
    return Detection(
        alarm_id=alarm["id"],
        channel=alarm["channel"],
        kind=alarm["type"],
        decided_us=decided_us(alarm),
        seen_us=seen_us,
        message=alarm["message"],
    )


def decided_us(alarm: Mapping[str, Any]) -> int:
    """Return when the gateway raised the alarm, in microseconds since the epoch."""
    return round(datetime.fromisoformat(alarm["raised_at"]).timestamp() * 1e6)
