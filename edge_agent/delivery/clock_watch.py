"""ClockWatch: tells a step of the wall clock from the passing of time, and what time it is while the clock is unset.

Pure: it is shown both clocks. Time passes by the monotonic clock; the wall clock may drift from it, but not step.
"""

from dataclasses import dataclass

STEP_US = 1_000_000
BUILT_US = 1_760_000_000_000_000
"""No wall clock that is right shows an earlier time: this program did not exist."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as the gateway should tell it.

    at_us: the time to use; is_set: whether it comes from a wall clock that can be believed; segment: rises with each
    step; stepped_us: how far the wall clock has stepped since the moment before, 0 if it did not.
    """

    at_us: int
    is_set: bool
    segment: int
    stepped_us: int

    def shift_us(self, wall_us: int) -> int:
        """Return what to add to times taken from a wall clock that cannot be believed."""
        return 0 if self.is_set else self.at_us - wall_us


class ClockWatch:
    """Follows one gateway's clocks; last_us: the last time that the gateway persisted, 0 where there is none."""

    def __init__(self, *, last_us: int = 0, built_us: int = BUILT_US) -> None:
        self._built_us = built_us
        self._floor_us = max(last_us, built_us)
        self._floor_at_s: float | None = None
        self._offset_us: int | None = None
        self._segment = 0

    def remember(self, last_us: int) -> None:
        """Learn of a time that was persisted by an earlier run; while the clock is unset, time goes on from there."""
        self._floor_us = max(self._floor_us, last_us)

    def look(self, *, wall_us: int, monotonic_s: float) -> Moment:
        """Return the moment that both clocks show together."""
        passed_us = round(monotonic_s * 1e6)
        offset_us = wall_us - passed_us
        stepped_us = 0 if self._offset_us is None else offset_us - self._offset_us
        if abs(stepped_us) <= STEP_US:
            stepped_us = 0
        else:
            self._segment += 1
        self._offset_us = offset_us
        if self._floor_at_s is None:
            self._floor_at_s = monotonic_s
        if wall_us >= self._built_us:
            return Moment(wall_us, is_set=True, segment=self._segment, stepped_us=stepped_us)
        at_us = self._floor_us + round((monotonic_s - self._floor_at_s) * 1e6)
        return Moment(at_us, is_set=False, segment=self._segment, stepped_us=stepped_us)
