"""What is settled of an epoch: merging marks, asking them, and walking what they leave open; pure.

Invariants (I5): merged marks never cover less than before; `c` is as high as the ranges allow; a <= c; ranges are
sorted, apart from each other and beyond c.
"""

from collections.abc import Iterator

from protocols.delivery import EpochMarks

Range = tuple[int, int]


def clip(marks: EpochMarks, last: int) -> EpochMarks:
    """Return the marks without what was never written: an ack must not cover batches that are still to come."""
    sel = tuple((max(lo, 1), min(hi, last)) for lo, hi in marks.sel if max(lo, 1) <= min(hi, last))
    c = max(0, min(marks.c, last))
    return EpochMarks(marks.epoch, c, sel, max(0, min(marks.a, c)))


def merge(known: EpochMarks, told: EpochMarks) -> EpochMarks:
    """Return marks that cover what either covers, in the fewest ranges."""
    c, sel = _fold(max(known.c, told.c), sorted(known.sel + told.sel))
    return EpochMarks(known.epoch, c, sel, min(c, max(known.a, told.a)))


def gaps(marks: EpochMarks, lo: int, hi: int) -> Iterator[Range]:
    """Yield the ranges inside lo..hi that are not settled, rising."""
    at = max(lo, marks.c + 1)
    for begin, end in marks.sel:
        if at > hi:
            return
        if begin > at:
            yield at, min(begin - 1, hi)
        at = max(at, end + 1)
    if at <= hi:
        yield at, hi


def settled(marks: EpochMarks, lo: int, hi: int) -> Iterator[Range]:
    """Yield the ranges inside lo..hi that are settled, rising."""
    for begin, end in ((1, marks.c), *marks.sel):
        if max(begin, lo) <= min(end, hi):
            yield max(begin, lo), min(end, hi)


def newly_settled(known: EpochMarks, told: EpochMarks, last: int) -> Iterator[Range]:
    """Yield the ranges up to `last` that `told` covers and `known` does not."""
    for lo, hi in gaps(known, 1, last):
        yield from settled(told, lo, hi)


def covers(wide: EpochMarks, narrow: EpochMarks) -> bool:
    """Return whether all that is settled by `narrow` is settled by `wide`."""
    last = max([narrow.c, *(hi for _, hi in narrow.sel)])
    return next(newly_settled(wide, narrow, last), None) is None


def _fold(c: int, ranges: list[Range]) -> tuple[int, tuple[Range, ...]]:
    kept: list[Range] = []
    for lo, hi in ranges:
        if hi <= c:
            continue
        if lo <= c + 1:
            c = hi
        elif kept and lo <= kept[-1][1] + 1:
            kept[-1] = (kept[-1][0], max(kept[-1][1], hi))
        else:
            kept.append((lo, hi))
    return c, tuple(kept)
