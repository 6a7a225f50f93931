"""Frozen: a channel that is never still repeats one value, while the others go on.

How often a channel repeats its value is counted while all is well. At a share p of repeats, k in a row have the
probability p^k: a run that is less likely than one in a thousand million, and twice as long as the longest one seen, is
none of the noise. A channel is judged only where that can be said at all: one that mostly stands still (a setpoint, a
flag, a coarse one), or only ever goes one way (a counter), is left alone. Rows in which most channels repeat are no
news of the Device, or it stands still as a whole: they count for nothing.
"""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.spell import Spell, quiet_us
from edge_agent.detectors.subject import Subject
from edge_agent.ports import Row, Turn

ODDS = 1e-9
MOST_STILL = 0.8
"""The largest share of repeats at which a channel counts as never still."""
LEAST_WAYS = 0.1
"""The least share of its moves that a channel makes in either direction, unless it is a counter."""
LEAST_ROWS, LEAST_RUN = 100, 20
RUNS_APART = 2.0
MARGIN = 2.0
"""Standard deviations by which the share of repeats is taken for higher than it was counted."""
COUNT_EVERY, RECKON_EVERY = 2, 50
MOST_COUNTED = 20_000
"""Rows after which the noise is known."""


class FrozenDetector:
    """The Detector port over channels that stop; exactly zero is rest, not a fault: meters cut off there."""

    def __init__(self, subject: Subject) -> None:
        n = len(subject.channels)
        self._channels = subject.channels
        self._period_s = subject.period_s
        self._fixed_s = subject.frozen_s
        self._is_on = subject.frozen_s != 0
        self._last = np.full(n, np.nan)
        self._last_us = 0
        self._run = np.zeros(n, np.int64)
        self._since_us = np.zeros(n, np.int64)
        self._is_running = False
        self._longest = np.zeros(n, np.int64)
        self._repeats = np.zeros(n, np.int64)
        self._ups = np.zeros(n, np.int64)
        self._downs = np.zeros(n, np.int64)
        self._limit = np.full(n, np.inf)
        self._rows = 0
        self._spells = [Spell(channel, quiet_us(subject.period_s)) for channel in subject.channels]

    @property
    def is_calm(self) -> bool:
        """Return whether no channel has stopped."""
        return not any(spell.is_open for spell in self._spells)

    def take(self, row: Row, *, is_calm: bool) -> Sequence[Turn]:
        """Return what opened or closed with this row."""
        del is_calm
        if not self._is_on:
            return ()
        if row.is_after_gap:
            self._run[:] = 0
            self._remember(row)
            return ()
        steps = row.values - self._last
        is_same = steps == 0.0
        has_same = np.count_nonzero(is_same) > 0
        if has_same and self._is_no_news(is_same):
            return ()
        self._count(steps)
        if has_same or self._is_running:
            self._follow_runs(is_same & (row.values != 0.0))
        self._remember(row)
        if not self._is_running and self.is_calm:
            return ()
        turns = (self._look(channel, row) for channel in range(len(self._spells)))
        return [turn for turn in turns if turn is not None]

    def _remember(self, row: Row) -> None:
        is_unread = np.isnan(row.values)
        self._last = np.where(is_unread, self._last, row.values) if np.count_nonzero(is_unread) else row.values
        self._last_us = row.at_us

    def _is_no_news(self, is_same: NDArray[np.bool_]) -> bool:
        """Return whether most of the channels that are never still repeat: the Device has said nothing new."""
        moving = np.isfinite(self._limit)
        n_moving = int(moving.sum())
        if n_moving:
            return 2 * int((is_same & moving).sum()) > max(n_moving, 2)
        return bool(is_same.all())

    def _count(self, steps: NDArray[np.float64]) -> None:
        """Count the ways that channels go, in some of the rows, for as long as that is news."""
        self._rows += 1
        if self._rows > MOST_COUNTED or self._rows % COUNT_EVERY:
            return
        self._ups += steps > 0
        self._downs += steps < 0
        if self._rows % RECKON_EVERY == 0:
            self._reckon()

    def _follow_runs(self, is_same: NDArray[np.bool_]) -> None:
        self._since_us[is_same & (self._run == 0)] = self._last_us
        is_normal = self._run < self._limit
        if self._rows <= MOST_COUNTED:
            self._repeats += is_same & is_normal
        self._longest = np.where(~is_same & is_normal, np.maximum(self._longest, self._run), self._longest)
        self._run = np.where(is_same, self._run + 1, 0)
        self._is_running = bool(self._run.any())

    def _reckon(self) -> None:
        """Set how long a run may be, infinite for a channel that cannot be judged."""
        if self._rows < LEAST_ROWS:
            return
        share = (self._repeats + MARGIN * np.sqrt(self._repeats + 1) + 1) / self._rows
        moves = self._ups + self._downs
        is_judged = (share < MOST_STILL) & (np.minimum(self._ups, self._downs) >= LEAST_WAYS * np.maximum(moves, 1))
        likely = log(ODDS) / np.log(np.clip(share, 1e-6, MOST_STILL))
        limit = np.maximum(np.maximum(likely, RUNS_APART * self._longest), LEAST_RUN)
        if self._fixed_s is not None:
            limit = np.full(len(limit), self._fixed_s / self._period_s)
        self._limit = np.where(is_judged, limit, np.inf)

    def _look(self, channel: int, row: Row) -> Turn | None:
        is_frozen = self._run[channel] >= self._limit[channel]
        onset_us = int(self._since_us[channel]) if is_frozen else None
        seconds = (row.at_us - int(self._since_us[channel])) / 1e6
        words = f"{row.values[channel]:g} for {seconds:.1f} s, {self._channels[channel]} is never still for so long"
        return self._spells[channel].look(row.at_us, onset_us=onset_us, limit=words)
