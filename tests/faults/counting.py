"""Counts what became of every value, from what was made, what is stored, and what waits; pure.

Per series the values are compared as multisets, equal values paired in order of time, so that neither a clock that was
set nor a gap changes what the count says; times that are further apart than `slack_s` are an alteration too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from deploy.counting import Kill, Value

Series = tuple[str, str]
"""Device and tag."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value at a time (Unix seconds): made, or stored; is_late: answered so late that nobody may have listened."""

    series: Series
    value: Value
    at_s: float
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the values, in values; unsealed: served just before a kill, never promised."""

    made: int = 0
    stored: int = 0
    buffered: int = 0
    dropped: int = 0
    unsealed: int = 0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    phantom: int = 0

    @property
    def is_clean(self) -> bool:
        """Return whether there were values, and every one is accounted for."""
        return self.made > 0 and self.stored > 0 and not (self.lost or self.duplicated or self.altered or self.phantom)

    def numbers(self) -> tuple[int, ...]:
        """Return the counts in the order of the table."""
        return tuple(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The account, and every value that is not in order by what is wrong with it."""

    account: Account
    wrong: Mapping[str, Sequence[Shown]]


@dataclass(frozen=True, slots=True)
class Excuses:
    """What may be missing. kills: of agents; waiting: values in a buffer, not acknowledged; dropped: readings declared.

    until_s: what was made after that is not asked about yet; slack_s: how far a stored time may be from the served one;
    pauses: from when to when an agent stood still: an answer that waited for it has the time at which it was read.
    """

    kills: Sequence[Kill] = ()
    waiting: Mapping[tuple[Series, Value], int] | None = None
    dropped: int = 0
    until_s: float = float("inf")
    slack_s: float = float("inf")
    pauses: Sequence[tuple[float, float]] = ()

    def are_together(self, made: Shown, stored: Shown) -> bool:
        """Return whether the stored time may be that of what was served then."""
        waited_s = sum(max(0.0, min(stored.at_s, end) - max(made.at_s, begin)) for begin, end in self.pauses)
        return abs(stored.at_s - made.at_s) <= self.slack_s + waited_s


def count(made: Iterable[Shown], stored: Iterable[Shown], excuses: Excuses) -> Verdict:
    """Return what became of all that was made."""
    asked, found = _by_value(made), _by_value(stored)
    missing: list[Shown] = []
    extra: list[Shown] = []
    for key in asked.keys() | found.keys():
        gone, more = _pair(asked.get(key, []), found.get(key, []), excuses)
        missing, extra = missing + gone, extra + more
    total, there = _size(asked), _size(found)
    there -= sum(one.at_s > excuses.until_s for one in extra)
    extra = [one for one in extra if one.at_s <= excuses.until_s]
    missing, altered, others = _altered(missing, extra, excuses.slack_s)
    asked_for = [one for one in missing if one.at_s <= excuses.until_s and not one.is_late]
    total -= len(missing) - len(asked_for)
    lost, buffered = _waiting(asked_for, Counter(excuses.waiting or {}))
    unsealed = [one for one in lost if any(kill.excuses(one.at_s) for kill in excuses.kills)]
    lost = [one for one in lost if not any(kill.excuses(one.at_s) for kill in excuses.kills)]
    dropped = min(len(lost), excuses.dropped)
    lost = sorted(lost, key=lambda one: one.at_s)[dropped:]
    duplicated = [one for one in others if (one.series, _plain(one.value)) in asked]
    phantom = [one for one in others if (one.series, _plain(one.value)) not in asked]
    account = Account(
        total, there, buffered, dropped, len(unsealed), len(lost), len(duplicated), len(altered), len(phantom)
    )
    return Verdict(account, {"lost": lost, "duplicated": duplicated, "altered": altered, "phantom": phantom})


def _plain(value: Value) -> Value:
    return value if isinstance(value, str) else float(value)


def _by_value(values: Iterable[Shown]) -> dict[tuple[Series, Value], list[Shown]]:
    found: dict[tuple[Series, Value], list[Shown]] = defaultdict(list)
    for one in values:
        found[one.series, _plain(one.value)].append(one)
    return {key: sorted(shown, key=lambda one: one.at_s) for key, shown in found.items()}


def _size(groups: Mapping[tuple[Series, Value], Sequence[Shown]]) -> int:
    return sum(len(group) for group in groups.values())


def _pair(made: Sequence[Shown], stored: Sequence[Shown], excuses: Excuses) -> tuple[list[Shown], list[Shown]]:
    """Return what of equal values has no partner: made and not stored, stored and not made."""
    missing: list[Shown] = []
    extra: list[Shown] = []
    i = j = 0
    while i < len(made) and j < len(stored):
        if excuses.are_together(made[i], stored[j]):
            i, j = i + 1, j + 1
        elif stored[j].at_s > made[i].at_s:
            missing.append(made[i])
            i += 1
        else:
            extra.append(stored[j])
            j += 1
    return [*missing, *made[i:]], [*extra, *stored[j:]]


def _altered(
    missing: Sequence[Shown], extra: Sequence[Shown], slack_s: float
) -> tuple[list[Shown], list[Shown], list[Shown]]:
    """Return what is still missing, what was stored in another value or at another time, and what is too much."""
    left = defaultdict(list)
    for one in sorted(missing, key=lambda one: one.at_s):
        left[one.series].append(one)
    altered: list[Shown] = []
    others: list[Shown] = []
    for one in extra:
        near = [gone for gone in left[one.series] if _may_be(gone, one, slack_s)]
        if near:
            left[one.series].remove(near[0])
        (altered if near else others).append(one)
    return [one for group in left.values() for one in group], altered, others


def _may_be(gone: Shown, found: Shown, slack_s: float) -> bool:
    return gone.value == found.value or abs(gone.at_s - found.at_s) <= min(slack_s, 1.0)


def _waiting(missing: Iterable[Shown], waiting: Counter[tuple[Series, Value]]) -> tuple[list[Shown], int]:
    lost: list[Shown] = []
    buffered = 0
    for one in missing:
        key = (one.series, _plain(one.value))
        if waiting[key] > 0:
            waiting[key] -= 1
            buffered += 1
        else:
            lost.append(one)
    return lost, buffered
