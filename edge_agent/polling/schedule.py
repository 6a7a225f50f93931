"""What is due and what is late: each period has a fixed grid on the monotonic clock. Pure.

Invariants: a tag is taken at most once per point of its grid; points that have gone by are counted, never made up for;
however late one poll is, the next one is on the grid again.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Due(NamedTuple):
    """What to read now; skipped: grid points that went by since the last time."""

    tags: tuple[int, ...]
    skipped: int


@dataclass(slots=True)
class _Beat:
    """The tags of one period; step: the next point of the grid."""

    period_s: float
    tags: tuple[int, ...]
    step: int = 0


class Schedule:
    """Periods in seconds by tag; 0 means always due."""

    def __init__(self, periods: Mapping[int, float], start_s: float) -> None:
        """Put the first point of every grid at start_s."""
        self._start_s = start_s
        by_period: dict[float, list[int]] = {}
        for tag, period_s in periods.items():
            by_period.setdefault(period_s, []).append(tag)
        self._beats = [_Beat(period_s, tuple(tags)) for period_s, tags in sorted(by_period.items())]

    def next_s(self) -> float:
        """Return when something is due next, infinity where nothing ever is."""
        return min((self._start_s + beat.step * beat.period_s for beat in self._beats), default=math.inf)

    def take(self, now_s: float) -> Due:
        """Return the tags that are due and move their grids on to the first point after now."""
        tags: tuple[int, ...] = ()
        skipped = 0
        for beat in self._beats:
            if self._start_s + beat.step * beat.period_s > now_s:
                continue
            tags += beat.tags
            skipped += self._move_on(beat, now_s)
        return Due(tags, skipped)

    def _move_on(self, beat: _Beat, now_s: float) -> int:
        """Return how many points beyond the one that is due have gone by."""
        if beat.period_s == 0:
            return 0
        after = max(beat.step, math.floor((now_s - self._start_s) / beat.period_s) - 1) + 1
        while self._start_s + after * beat.period_s <= now_s:  # the division may have been rounded up or down
            after += 1
        skipped = after - beat.step - 1
        beat.step = after
        return skipped
