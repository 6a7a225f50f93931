"""Audience: which subscriptions have heard which rows, so that the truth tells what went out and nothing else; pure.

A subscription outlives its connection: the server queues for it, and sends the queue when its client comes back. What
is queued is told when that happens, and never if it does not.
"""

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from firmware_sim.machine import Row
from firmware_sim.truth import TruthWriter

Changed = Mapping[int, AbstractSet[int]]
QUEUE = 10_000
"""As many as the server itself queues."""


class Audience:
    """The subscriptions of one server, by number."""

    def __init__(self, truth: TruthWriter) -> None:
        self._truth = truth
        self._queued: dict[int, deque[tuple[int, Row]]] = {}

    def hear(self, machine: str, row: Row, changed: Changed, connected: AbstractSet[int]) -> None:
        """Note that tags changed; changed: tag -> subscriptions to it; connected: those with a client at the end."""
        heard = [tag for tag, listeners in changed.items() if listeners & connected]
        if heard:
            self._truth.served(self._truth.span(machine, heard, "push"), row)
        away = {listener for listeners in changed.values() for listener in listeners - connected}
        for listener in away:
            missed = [tag for tag, listeners in changed.items() if listener in listeners and tag not in heard]
            if missed:
                queue = self._queued.setdefault(listener, deque(maxlen=QUEUE))
                queue.append((self._truth.span(machine, missed, "push"), row))

    def meet(self, connected: AbstractSet[int], existing: AbstractSet[int]) -> None:
        """Tell what was queued for those who are back; forget those that exist no more."""
        for listener in sorted(self._queued):
            if listener in connected:
                for span, row in self._queued.pop(listener):
                    self._truth.served(span, row)
            elif listener not in existing:
                del self._queued[listener]
