"""Journal: every fault with its time, and the moments for which a value may be excused."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.counting import Kill

COMMIT_S = 0.5
"""How long before a kill a value may have been served that was on its way to the disk, besides what may be unsealed."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was done, when (Unix seconds)."""

    at_s: float
    words: str


@dataclass
class Journal:
    """Written by the stage, read by the ledger; path: the same as text, for people; begun_s: Unix seconds."""

    path: Path
    max_unsealed_s: float
    begun_s: float = field(default_factory=time.time)
    lines: list[Line] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    """From when to when an agent stood still (Unix seconds)."""

    def tell(self, words: str) -> None:
        """Note that something is done now."""
        line = Line(time.time(), words)
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line.at_s - self.begun_s:9.3f} {words}\n")

    def excuse(self) -> None:
        """Note that an agent was killed just now: what was served a moment ago was in its hands only."""
        now_s = time.time()
        self.kills.append(Kill(now_s, now_s - self.max_unsealed_s - COMMIT_S))

    def stood_still(self, begun_s: float) -> None:
        """Note that an agent stood still from then (Unix seconds) to now: an answer may have come too late for it."""
        self.kills.append(Kill(begun_s + COMMIT_S, begun_s - self.max_unsealed_s))
        self.pauses.append((begun_s, time.time()))

    def broken_off(self, begun_s: float) -> None:
        """Note that a device broke its connections off since then: what it had handed to them may be nobody's."""
        self.kills.append(Kill(time.time(), begun_s))

    def around(self, at_s: float, *, before_s: float = 15.0, after_s: float = 60.0) -> list[Line]:
        """Return what was done from so long before that time to so long after it."""
        return [line for line in self.lines if at_s - before_s <= line.at_s <= at_s + after_s]
