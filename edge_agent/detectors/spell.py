"""Spell: one rule on one channel, from the row that breaks it until it has been kept for a while."""

from dataclasses import dataclass

from edge_agent.ports import Turn
from protocols.scoring.episodes import QUIET_ROWS, QUIET_S

BROKEN, KEPT = 1.0, 0.0


def quiet_us(period_s: float) -> int:
    """Return how long a rule must be kept before its episode is over, in microseconds."""
    return round(max(QUIET_ROWS * period_s, QUIET_S) * 1e6)


@dataclass(slots=True)
class Spell:
    """Opens with the row that breaks the rule, closes when none has for `quiet_us`."""

    channel: str
    quiet_us: int
    onset_us: int = 0
    broken_us: int = 0
    limit: str = ""
    is_open: bool = False

    def look(self, at_us: int, *, onset_us: int | None, limit: str) -> Turn | None:
        """Return what this row opens or closes; onset_us: since when the rule is broken, None where it is kept."""
        if onset_us is not None:
            self.broken_us = at_us
            if self.is_open:
                return None
            self.is_open, self.onset_us, self.limit = True, onset_us, limit
            return self._turn(BROKEN)
        if self.is_open and not 0 <= at_us - self.broken_us < self.quiet_us:
            self.is_open = False
            return self._turn(KEPT)
        return None

    def _turn(self, score: float) -> Turn:
        shares = ((self.channel, 1.0),)
        return Turn(self.is_open, shares, score, BROKEN, self.onset_us, limit=self.limit)
