"""AccountWatch: raises an alarm where the readings of an epoch do not add up, and clears it when they do.

What is on its way makes no alarm: gateways tell their count every few seconds, and what they send again after a loss,
or after the store was restored, is asked for within their longest patience. What does not add up for longer is wrong.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloud.domain.alarm import Alarm, Condition, Finding, Severity
from cloud.domain.alarm_words import Clear, Raise, Step
from cloud.domain.imbalance import Imbalance
from cloud.operations.raising import NewId, apply_steps, draw_id
from cloud.ports import Clock
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records

ACTOR = "cloud"
ACCOUNT_GAP = "account_gap"
IN_FLIGHT_S = 400.0
"""A gateway sends again after at most 300 s and 20 % (`Outbox`), and then tells its count within 5 s."""


@dataclass(frozen=True, slots=True)
class _Since:
    monotonic_s: float
    at_us: int


class AccountWatch:
    """Remembers since when what does not add up: a process that starts anew begins to wait anew. One thread."""

    def __init__(
        self, records: Records, find: Callable[[], Sequence[Imbalance]], clock: Clock, *, new_id: NewId = draw_id
    ) -> None:
        """find: returns every epoch that does not add up now; raises Unavailable."""
        self._records = records
        self._find = find
        self._clock = clock
        self._new_id = new_id
        self._since: dict[Condition, _Since] = {}

    def look(self) -> None:
        """Raise and clear; nothing is written where nothing changed. Raise Unavailable, Conflict."""
        found = {condition_of(one): one for one in self._find()}
        now = _Since(self._clock.monotonic_s(), self._clock.now_us())
        self._since = {condition: self._since.get(condition, now) for condition in found}
        stays = {
            condition: one
            for condition, one in found.items()
            if now.monotonic_s - self._since[condition].monotonic_s >= IN_FLIGHT_S
        }
        with self._records.reading() as session:
            active = KeptAlarms(session).active(kinds=(ACCOUNT_GAP,))
            lasts = KeptAlarms(session).newest(list(stays)) if stays else {}
        steps: list[Step] = [Clear(one.condition, now.at_us) for one in active if one.condition not in found]
        steps += self._raised(stays, lasts, now.at_us)
        if steps:
            with self._records.writing() as session:
                apply_steps(session, steps, by=ACTOR, new_id=self._new_id)

    def _raised(
        self, stays: Mapping[Condition, Imbalance], lasts: Mapping[Condition, Alarm], now_us: int
    ) -> Iterator[Step]:
        for condition, one in stays.items():
            since_us, last = self._since[condition].at_us, lasts.get(condition)
            if last is None or not (last.is_active or _was_seen(last, one, since_us)):
                severity = Severity.CRITICAL if one.lost else Severity.WARNING
                yield Raise(condition, Finding(now_us, severity, one.words(), since_us, value=float(one.size)))


def condition_of(one: Imbalance) -> Condition:
    """Return what an alarm of this epoch is about."""
    return Condition(one.gateway, "", ACCOUNT_GAP, f"{one.epoch:016x}")


def _was_seen(last: Alarm, one: Imbalance, since_us: int) -> bool:
    """Return whether an operator cleared it as it is: nobody but him does while it is out by the same."""
    return last.finding.value == one.size and (last.cleared_us or 0) >= since_us
