"""Intervals: a set of sequence numbers, kept as few inclusive ranges; pure.

Invariants: ranges are in order, do not overlap and do not touch.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Which sequence numbers are in the set; make one from ranges in any order with `of`."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, *ranges: Range) -> "Intervals":
        """Return the set of all these ranges."""
        kept = cls()
        for lo, hi in ranges:
            kept = kept.add(lo, hi)
        return kept

    def __contains__(self, seq: int) -> bool:
        at = self._index(seq)
        return at >= 0 and seq <= self.ranges[at][1]

    def __len__(self) -> int:
        return sum(hi - lo + 1 for lo, hi in self.ranges)

    @property
    def head(self) -> int:
        """Return the highest number c such that all of 1..c are in the set, 0 where 1 is not."""
        return self.ranges[0][1] if self.ranges and self.ranges[0][0] <= 1 else 0

    def add(self, lo: int, hi: int) -> "Intervals":
        """Return the set with lo..hi in it."""
        first = bisect_left(self.ranges, lo - 1, key=lambda one: one[1])
        last = bisect_right(self.ranges, hi + 1, key=lambda one: one[0])
        touched = self.ranges[first:last]
        low, high = (min(lo, touched[0][0]), max(hi, touched[-1][1])) if touched else (lo, hi)
        return Intervals((*self.ranges[:first], (low, high), *self.ranges[last:]))

    def remove(self, lo: int, hi: int) -> "Intervals":
        """Return the set without lo..hi."""
        kept: list[Range] = []
        for low, high in self.ranges:
            parts = ((low, min(high, lo - 1)), (max(low, hi + 1), high))
            kept += [part for part in parts if part[0] <= part[1]]
        return Intervals(tuple(kept))

    def union(self, other: "Intervals") -> "Intervals":
        """Return what is in either set."""
        both = self
        for lo, hi in other.ranges:
            both = both.add(lo, hi)
        return both

    def gaps(self, lo: int, hi: int) -> tuple[Range, ...]:
        """Return the parts of lo..hi that are not in the set."""
        missing: list[Range] = []
        start = lo
        for low, high in self.ranges:
            if high < start or low > hi:
                continue
            if low > start:
                missing.append((start, low - 1))
            start = high + 1
        if start <= hi:
            missing.append((start, hi))
        return tuple(missing)

    def around(self, seq: int) -> Range | None:
        """Return the range that holds this number."""
        return self.ranges[self._index(seq)] if seq in self else None

    def _index(self, seq: int) -> int:
        return bisect_right(self.ranges, seq, key=lambda one: one[0]) - 1
