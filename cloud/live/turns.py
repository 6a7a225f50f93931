"""Turns: when the newest readings of which devices go to one client, so that its rates hold and none is lost.

The generic cell rate algorithm (ITU-T I.371, annex A) for each device: a rate holds on average, one that came late does
not hold up the next, and what comes too soon waits; who waits is told of the newest that there is by then.
"""

import math
from collections.abc import Collection, Iterable, Mapping


class Turns:
    """The devices of one client, by their numbers; times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._interval_s: Mapping[int, float] = {}
        self._due_s: dict[int, float] = {}
        self._waiting: dict[int, None] = {}
        self.next_s = math.inf
        """When the first of those that wait may be told."""
        self.shortest_s = math.inf
        """The shortest of all intervals."""

    @property
    def interval_s(self) -> Mapping[int, float]:
        """Return how long at least lies between two tellings of each device, on average."""
        return self._interval_s

    def follow(self, interval_s: Mapping[int, float]) -> None:
        """Follow these devices from now on; those that are new wait for their turn at once."""
        new = interval_s.keys() - self._interval_s.keys()
        self._interval_s = interval_s
        self.shortest_s = min(interval_s.values(), default=math.inf)
        self._due_s = {device: due_s for device, due_s in self._due_s.items() if device in interval_s}
        self._waiting = {device: None for device in self._waiting if device in interval_s}
        self.next_s = -math.inf  # a rate may have become higher
        self.changed(sorted(new))

    def changed(self, devices: Iterable[int]) -> None:
        """Let those of these devices that are followed wait for their turn."""
        for device in devices:
            if device in self._interval_s and device not in self._waiting:
                self._waiting[device] = None
                self.next_s = -math.inf

    def take(self, now_s: float, most: int) -> Collection[int]:
        """Return the devices whose turn it is, those that waited longest first, and count it."""
        if now_s < self.next_s or most <= 0:
            return ()
        taken = [device for device in self._waiting if now_s >= self._allowed_s(device)][:most]
        for device in taken:
            del self._waiting[device]
            self._due_s[device] = max(now_s, self._due_s.get(device, -math.inf)) + self._interval_s[device]
        self.next_s = min(map(self._allowed_s, self._waiting), default=math.inf)
        return taken

    def _allowed_s(self, device: int) -> float:
        """Return from when on a device may be told: one interval before it is due by its rate."""
        return self._due_s.get(device, -math.inf) - self._interval_s[device]
