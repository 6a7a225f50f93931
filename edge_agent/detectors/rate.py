"""Rate of change: a channel that moves faster than its Tag may."""

from collections.abc import Sequence

import numpy as np

from edge_agent.detectors.spell import Spell, quiet_us
from edge_agent.detectors.subject import Subject
from edge_agent.ports import Row, Turn


class RateDetector:
    """The Detector port over the Tags' `rate_of_change`, in units a second; never across a gap or a bad reading."""

    def __init__(self, subject: Subject) -> None:
        self._rate = np.where(subject.rate > 0, subject.rate, np.inf)
        self._units = subject.units
        self._last: Row | None = None
        self._spells = [Spell(channel, quiet_us(subject.period_s)) for channel in subject.channels]
        self._is_on = bool(np.isfinite(self._rate).any())

    @property
    def is_calm(self) -> bool:
        """Return whether no channel has moved too fast of late."""
        return not self._is_on or not any(spell.is_open for spell in self._spells)

    def take(self, row: Row, *, is_calm: bool) -> Sequence[Turn]:
        """Return what opened or closed with this row."""
        del is_calm
        if not self._is_on:
            return ()
        last, self._last = self._last, row
        if last is None or row.is_after_gap:
            return ()
        with np.errstate(invalid="ignore"):
            rates = np.abs(row.values - last.values) / ((row.at_us - last.at_us) / 1e6)
        is_fast = (rates > self._rate) & row.is_good & last.is_good
        if not is_fast.any() and self.is_calm:
            return ()
        looks = (
            spell.look(row.at_us, onset_us=row.at_us if is_fast[i] else None, limit=self._words(i, rates[i]))
            for i, spell in enumerate(self._spells)
        )
        return [turn for turn in looks if turn is not None]

    def _words(self, channel: int, rate: float) -> str:
        return f"{rate:g} above {self._rate[channel]:g} {self._units[channel]}/s".replace(" /s", " a second")
