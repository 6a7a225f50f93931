"""Compares what a plant served with what the API returns, value by value and in sequence; pure.

Per series the two sequences are walked together. Where they part, the shortest way back to agreement is taken: made
values that were skipped are missing, stored values that were skipped are extra, and one of each side is an alteration.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LOOK_AHEAD = 2_000
"""How many values further on agreement is looked for before two values count as one that was altered."""

Value = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Served:
    """What one tag's truth says: values in sequence, and when each was served, in seconds."""

    values: Sequence[Value]
    at_s: Sequence[float]


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the readings made; unsealed: served just before a kill, never sealed, and so never promised."""

    made: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    unsealed: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.made + other.made,
            self.stored + other.stored,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.altered + other.altered,
            self.unsealed + other.unsealed,
        )

    @property
    def is_clean(self) -> bool:
        """Return whether every value is stored once and as it was, and there were any."""
        return self.made > 0 and self.lost == 0 and self.duplicated == 0 and self.altered == 0


@dataclass(frozen=True, slots=True)
class Kill:
    """When the agent was killed, and from when on a value may not have been sealed yet, both in seconds."""

    at_s: float
    since_s: float

    def excuses(self, served_at_s: float) -> bool:
        """Return whether a value served then may have been in the agent's hands only."""
        return self.since_s <= served_at_s <= self.at_s


def count_series(served: Served, stored: Sequence[Value], *, kills: Sequence[Kill] = ()) -> Count:
    """Count one series."""
    made = served.values
    missing: list[int] = []
    duplicated = altered = i = j = 0
    while i < len(made) and j < len(stored):
        if made[i] == stored[j]:
            i, j = i + 1, j + 1
            continue
        skip_made, skip_stored = way_back(made, stored, i, j)
        if skip_made and skip_stored:
            altered += 1
        elif skip_stored:
            again = j > 0 and stored[j] == stored[j - 1]
            duplicated, altered = duplicated + again * skip_stored, altered + (not again) * skip_stored
        else:
            missing += range(i, i + skip_made)
        i, j = i + skip_made, j + skip_stored
    missing += range(i, len(made))
    again_at_end = sum(1 for k in range(j, len(stored)) if k and stored[k] == stored[k - 1])
    unsealed = sum(1 for k in missing if any(kill.excuses(served.at_s[k]) for kill in kills))
    return Count(
        made=len(made),
        stored=len(stored),
        lost=len(missing) - unsealed,
        duplicated=duplicated + again_at_end,
        altered=altered + len(stored) - j - again_at_end,
        unsealed=unsealed,
    )


def way_back(made: Sequence[Value], stored: Sequence[Value], i: int, j: int) -> tuple[int, int]:
    """Return how many of each side to skip to agree again: some of one side, or one of both where neither helps."""
    for skip in range(1, LOOK_AHEAD):
        if i + skip < len(made) and made[i + skip] == stored[j]:
            return skip, 0
        if j + skip < len(stored) and stored[j + skip] == made[i]:
            return 0, skip
        if skip == 1 and follows(made, stored, i + 1, j + 1):
            return 1, 1
    return 1, 1


def follows(made: Sequence[Value], stored: Sequence[Value], i: int, j: int) -> bool:
    """Return whether both sides agree from here for the next values, or end together."""
    ahead = 3
    return list(made[i : i + ahead]) == list(stored[j : j + ahead])
