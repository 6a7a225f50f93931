"""What goes when a buffer is full, and what is said of it: each declaration takes over those that it touches; pure.

A declaration may be on its way, so it never changes: a new one, under a key of its own, says again what those around
it say, and more. An old one then goes when it is the oldest, as data does: its number is declared like theirs, as one
that held no readings, and what nobody else says by then is said anew. So as many declarations wait as were made while
the data that is kept came in, however long nobody can be reached. The store counts what is said twice once.

What batches held is told one by one until there are too many groups of them; then the oldest are told as one sum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from edge_agent.buffers.retention import Row, row_bytes, runs, take
from protocols.batch import MAX_COUNTS, Drop
from protocols.codec import seal_drop

FRAME_BYTES = 160
"""What a frame has beside its body, at the most that is likely."""
_WORTH = 4
"""The declaration that grows is made for so many times the room that it takes itself."""
_FEWEST_GROUPS = 16
_GROUP_ROOM = 1024
_FEWEST_PARTS = 4
_MOST_PARTS = 1024
_PART_ROOM = 8 * 1024
Counts = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Rows that go, and what must be said of them in the same transaction."""

    rows: Sequence[Row] = ()
    drops: Sequence[Drop] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How declarations are made. groups: the most that one counts; parts: the most of them, or one a range."""

    reason: str
    groups: int = MAX_COUNTS
    parts: int = _MOST_PARTS

    @classmethod
    def of(cls, cap: int, *, reason: str) -> "Terms":
        """Return the terms of a buffer of so many bytes, of which its declarations should take a small part."""
        groups = min(MAX_COUNTS, max(_FEWEST_GROUPS, cap // _GROUP_ROOM))
        return cls(reason, groups, min(_MOST_PARTS, max(_FEWEST_PARTS, cap // _PART_ROOM)))


def give_up(rows: Iterable[Row], said: Mapping[int, Drop], short: int, terms: Terms) -> GivenUp:
    """Return the first rows that free `short` bytes and some more than what must be said of them takes.

    said: what the declarations in the buffer say that the cloud does not have, by the id of their row.
    """
    rest, need = iter(rows), short
    given = GivenUp()
    while more := take(rest, need):
        gone = sorted((*given.rows, *more), key=lambda row: row.id)
        given = GivenUp(gone, declare(gone, said, terms))
        need = short + _price(given.drops) - sum(row.size for row in gone)
    return given


def declare(rows: Sequence[Row], said: Mapping[int, Drop], terms: Terms) -> list[Drop]:
    """Return what must be said of rows that go, in the order of their ids; declarations may be among them."""
    gone = {row.id for row in rows}
    staying = [drop for row_id, drop in said.items() if row_id not in gone]
    leaving = [drop for row_id, drop in said.items() if row_id in gone]
    fresh = [drop for group in runs(rows) for drop in _declare_run(group, terms)]
    joined = _joined([*fresh, *leaving, *staying], terms)
    return [drop for drop in joined if not any(_says(one, drop) for one in staying)]


def _declare_run(rows: Sequence[Row], terms: Terms) -> Iterator[Drop]:
    """Yield what must be said of rows without a hole: one Drop, or some where their readings change too often."""
    alike = [(sum(1 for _ in same), each) for each, same in groupby(row.readings for row in rows)]
    lo = rows[0].seq
    for at in range(0, len(alike), terms.groups):
        drop = _counted(rows[0].epoch, lo, tuple(alike[at : at + terms.groups]), terms.reason)
        yield drop
        lo = drop.hi + 1


def _joined(drops: Iterable[Drop], terms: Terms) -> Iterator[Drop]:
    """Yield what says the same in as few declarations as may be, and none of it in another's words."""
    ranges: list[list[Drop]] = []
    for drop in sorted(drops, key=_place):
        last = ranges[-1][-1] if ranges else None
        if last is None or (drop.epoch, drop.reason) != (last.epoch, last.reason) or drop.lo > last.hi + 1:
            ranges.append([drop])
        elif drop.hi > last.hi:
            ranges[-1][-1:] = _two_joined(last, drop, terms)
    surplus = sum(map(len, ranges)) - terms.parts
    for parts in ranges:
        while surplus > 0 and len(parts) > 1 and parts[0].hi + 1 == parts[1].lo:
            parts[:2] = [_summed(parts[0], parts[1])]
            surplus -= 1
        yield from parts


def _two_joined(one: Drop, other: Drop, terms: Terms) -> list[Drop]:
    """Return one declaration in the place of two that touch, or both where that would count too many groups."""
    if not (one.counts and other.counts):
        is_sum = not one.counts and not other.counts and one.hi + 1 == other.lo
        return [_summed(one, other)] if is_sum else [one, other]
    counts = _glued(one.counts, _without(other.counts, one.hi + 1 - other.lo))
    if len(counts) > terms.groups:
        return [one, other]
    return [_counted(one.epoch, one.lo, counts, one.reason)]


def _summed(one: Drop, other: Drop) -> Drop:
    return Drop(one.epoch, one.lo, other.hi, one.readings + other.readings, one.reason)


def _counted(epoch: int, lo: int, counts: Counts, reason: str) -> Drop:
    hi = lo + sum(many for many, _ in counts) - 1
    return Drop(epoch, lo, hi, sum(many * each for many, each in counts), reason, counts)


def _without(counts: Counts, batches: int) -> Counts:
    """Return the groups without so many batches at their begin."""
    rest = list(counts)
    while rest and batches >= rest[0][0]:
        batches -= rest.pop(0)[0]
    if batches:
        rest[0] = (rest[0][0] - batches, rest[0][1])
    return tuple(rest)


def _glued(one: Counts, other: Counts) -> Counts:
    if one and other and one[-1][1] == other[0][1]:
        return (*one[:-1], (one[-1][0] + other[0][0], one[-1][1]), *other[1:])
    return (*one, *other)


def _says(one: Drop, other: Drop) -> bool:
    return one.epoch == other.epoch and one.lo <= other.lo and other.hi <= one.hi


def _place(drop: Drop) -> tuple[int, str, int, int]:
    return drop.epoch, drop.reason, drop.lo, -drop.hi


def _price(drops: Sequence[Drop]) -> int:
    """Return what must be freed for these: their room, and for the one that grows each time several times that."""
    rooms = [_room_of(drop) for drop in drops]
    return sum(rooms) + (_WORTH - 1) * max(rooms, default=0)


def _room_of(drop: Drop) -> int:
    return row_bytes(len(seal_drop(drop, segment=0).body) + FRAME_BYTES)
