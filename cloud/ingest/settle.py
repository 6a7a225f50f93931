"""What an arriving batch means and what is said back to its gateway: pure decisions, no clock and no I/O.

Invariants: `stored` and `dropped` never share a number; their union only grows, so `c` never falls; a stored batch
beats a dropped one, in whichever order the two come; a number is settled by what the store has committed, nothing else.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import accumulate

from cloud.ingest.intervals import Intervals, Range
from protocols.batch import Drop
from protocols.delivery import MAX_RANGES, EpochMarks, Rejected

MAX_GENERATION = 1 << 53
"""No hello may raise the store's generation above this: JSON readers know no larger whole number."""


class Verdict(Enum):
    """What a batch with this key is to the store."""

    NEW = auto()
    DUPLICATE = auto()
    CONFLICT = auto()


@dataclass(frozen=True, slots=True)
class Settled:
    """Which batches of one epoch need not come again.

    stored: kept by the store, as readings, raw or in quarantine; dropped: given up by the gateway, by its own word.
    """

    stored: Intervals = field(default_factory=Intervals)
    dropped: Intervals = field(default_factory=Intervals)

    def judge(self, seq: int, crc: int, known_crc: int | None) -> Verdict:
        """Return what a batch is; known_crc: of the batch kept under this key, None where that is forgotten."""
        if seq not in self.stored:
            return Verdict.NEW
        return Verdict.DUPLICATE if known_crc in (None, crc) else Verdict.CONFLICT

    def store(self, seq: int) -> "Settled":
        """Return the state with this batch kept, even if it was said to be dropped."""
        dropped = self.dropped.remove(seq, seq) if seq in self.dropped else self.dropped
        return Settled(self.stored.add(seq, seq), dropped)

    def drop(self, lo: int, hi: int) -> "Settled":
        """Return the state with lo..hi given up, except for what is stored."""
        dropped = self.dropped
        for low, high in self.stored.gaps(lo, hi):
            dropped = dropped.add(low, high)
        return Settled(self.stored, dropped)

    def unsettled(self, lo: int, hi: int) -> tuple[Range, ...]:
        """Return the parts of lo..hi that are neither stored nor dropped."""
        return tuple(part for missing in self.stored.gaps(lo, hi) for part in self.dropped.gaps(*missing))

    @property
    def settled(self) -> Intervals:
        """Return what is stored or dropped."""
        return self.stored.union(self.dropped)


def marks(
    epoch: int, settled: Settled, *, about: Iterable[int] = (), archived: int = 0, rejected: Sequence[Rejected] = ()
) -> EpochMarks:
    """Return what an ack says of an epoch; about: the numbers it answers, whose ranges are named whatever the bound.

    Of more than MAX_RANGES beyond `c` it names the lowest; batches beyond them are sent, and acknowledged, once more.
    """
    known = settled.settled
    beyond = tuple(one for one in known.ranges if one[0] > 1)
    return EpochMarks(
        epoch=epoch,
        c=known.head,
        sel=beyond if len(beyond) <= MAX_RANGES else _bounded(known, beyond, about),
        a=min(archived, known.head),
        rej=tuple(rejected),
    )


def _bounded(known: Intervals, beyond: tuple[Range, ...], about: Iterable[int]) -> tuple[Range, ...]:
    asked = [one for one in (known.around(seq) for seq in about) if one is not None and one[0] > 1]
    chosen = dict.fromkeys((*asked, *beyond[:MAX_RANGES]))
    return tuple(sorted(tuple(chosen)[: max(MAX_RANGES, len(asked))]))


def still_dropped(declared: int, kept: int) -> int:
    """Return how many readings of a dropped range are really gone, when `kept` of them had reached the store."""
    return max(0, declared - kept)


def readings_within(drop: Drop, ranges: Iterable[Range]) -> int:
    """Return how many readings were in these parts of what a gateway gave up, by its count of each batch."""
    firsts = list(accumulate((many for many, _ in drop.counts), initial=drop.lo))
    before = list(accumulate((many * each for many, each in drop.counts), initial=0))

    def below(seq: int) -> int:
        at = bisect_right(firsts, seq) - 1
        each = drop.counts[at][1] if at < len(drop.counts) else 0
        return before[at] + (seq - firsts[at]) * each

    return sum(below(hi + 1) - below(lo) for lo, hi in ranges)


def raised_generation(generation: int, believed: int) -> int:
    """Return the store's generation after a hello that believes another one."""
    return believed + 1 if generation < believed < MAX_GENERATION else generation


def generation_after_restore(backup: int, now_s: int) -> int:
    """Return a generation that no store of this name ever had, however often one backup is restored."""
    return max(backup + 1, now_s)


def is_slow(waiting: int, capacity: int) -> bool:
    """Return whether gateways should send less, given what waits to be written."""
    return 2 * waiting > capacity
