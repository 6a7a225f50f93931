"""Range: a channel that leaves what its Tag may be, for two rows, so that one garbled reading is no Anomaly."""

from collections.abc import Sequence

import numpy as np

from edge_agent.detectors.spell import Spell, quiet_us
from edge_agent.detectors.subject import Subject
from edge_agent.ports import Row, Turn

ROWS_OUTSIDE = 2


class BoundsDetector:
    """The Detector port over the Tags' ranges; a value is judged though its Quality is bad for the very same reason."""

    def __init__(self, subject: Subject) -> None:
        self._low, self._high = subject.low, subject.high
        self._units = subject.units
        self._outside = np.zeros(len(subject.channels), np.int64)
        self._onset_us = np.zeros(len(subject.channels), np.int64)
        self._spells = [Spell(channel, quiet_us(subject.period_s)) for channel in subject.channels]
        self._is_on = bool(np.isfinite(self._low).any() or np.isfinite(self._high).any())

    @property
    def is_calm(self) -> bool:
        """Return whether every channel is within its range."""
        return not self._is_on or not (self._outside.any() or any(spell.is_open for spell in self._spells))

    def take(self, row: Row, *, is_calm: bool) -> Sequence[Turn]:
        """Return what opened or closed with this row."""
        del is_calm
        if not self._is_on:
            return ()
        is_outside = (row.values < self._low) | (row.values > self._high)
        if not is_outside.any() and self.is_calm:
            return ()
        self._onset_us[is_outside & (self._outside == 0)] = row.at_us
        self._outside = np.where(is_outside, self._outside + 1, 0)
        turns = (self._look(channel, row) for channel in range(len(self._spells)))
        return [turn for turn in turns if turn is not None]

    def _look(self, channel: int, row: Row) -> Turn | None:
        is_broken = self._outside[channel] >= ROWS_OUTSIDE
        onset_us = int(self._onset_us[channel]) if is_broken else None
        return self._spells[channel].look(row.at_us, onset_us=onset_us, limit=self._words(channel, row))

    def _words(self, channel: int, row: Row) -> str:
        value = row.values[channel]
        side, bound = ("above", self._high[channel]) if value > self._high[channel] else ("below", self._low[channel])
        return f"{value:g} {side} {bound:g} {self._units[channel]}".rstrip()
