"""RuleWatch: holds the newest readings against the cloud's own rules.

A delay that runs while this process dies begins anew; what is raised stands in the records.
"""

import math
from collections.abc import Iterator, Sequence

from cloud.domain.alarm import Alarm, Condition, Finding
from cloud.domain.alarm_rule import AlarmRule, RuleKind, Watch
from cloud.domain.alarm_words import Clear, Raise, Step
from cloud.operations.alarm_rules import condition_of
from cloud.operations.raising import NewId, apply_steps, draw_id
from cloud.ports import Clock, Points, ReadingStore, Series
from cloud.records.alarm_rules import list_rules
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records
from protocols.reading import SEVERITY_MASK, Kind, Quality

ACTOR = "rule"


class RuleWatch:
    """Looks at what every rule names. One thread."""

    def __init__(self, records: Records, store: ReadingStore, clock: Clock, *, new_id: NewId = draw_id) -> None:
        self._records = records
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._watches: dict[AlarmRule, Watch] = {}

    def look(self) -> None:
        """Raise and clear; nothing is written where nothing changed. Raise Unavailable, Conflict."""
        with self._records.reading() as session:
            rules = [rule for rule in list_rules(session) if rule.is_enabled]
            lasts = KeptAlarms(session).newest([condition_of(rule) for rule in rules]) if rules else {}
        self._watches = {rule: self._watches.get(rule, Watch()) for rule in rules}
        steps = [step for rule in rules for step in self._steps(rule, lasts.get(condition_of(rule)))]
        if steps:
            with self._records.writing() as session:
                apply_steps(session, steps, by=ACTOR, new_id=self._new_id)

    def _steps(self, rule: AlarmRule, last: Alarm | None) -> Iterator[Step]:
        series = self._store.series(source=rule.source, device=rule.device)
        named = [one for one in series if rule.tag in ("", one.key.tag)]
        newest = [pair for pair in zip(named, self._store.latest(named), strict=True) if len(pair[1].time_us)]
        is_raised = last is not None and last.is_active
        match rule.kind:
            case RuleKind.SILENCE:
                yield from self._silence(rule, newest, is_raised=is_raised)
            case RuleKind.LIMIT:
                yield from self._limit(rule, newest[-1:], is_raised=is_raised)

    def _silence(self, rule: AlarmRule, newest: Sequence[tuple[Series, Points]], *, is_raised: bool) -> Iterator[Step]:
        if not newest:
            return
        now_us, last_us = self._clock.now_us(), max(int(points.time_us[0]) for _, points in newest)
        period_s = min((series.period_s for series, _ in newest if series.period_s > 0), default=0.0)
        is_silent = now_us - last_us > rule.longest_silence_us(period_s)
        if is_silent and not is_raised:
            yield _raise(rule, rule.silence_sentence(last_us), at_us=now_us, onset_us=last_us)
        if is_raised and not is_silent:
            yield Clear(condition_of(rule), now_us)

    def _limit(self, rule: AlarmRule, newest: Sequence[tuple[Series, Points]], *, is_raised: bool) -> Iterator[Step]:
        for series, points in newest:
            value = _value(points)
            if value is None:
                continue
            time_us = int(points.time_us[0])
            before = Watch(is_raised, self._watches[rule].since_us)
            after = before.seen(rule, is_beyond=rule.is_beyond(value, is_active=is_raised), time_us=time_us)
            self._watches[rule] = after
            if after.is_active and not is_raised:
                onset_us = time_us if before.since_us is None else before.since_us
                yield _raise(rule, rule.sentence(value, series.unit), at_us=time_us, onset_us=onset_us, value=value)
            if is_raised and not after.is_active:
                yield Clear(condition_of(rule), time_us)


def _raise(rule: AlarmRule, message: str, *, at_us: int, onset_us: int, value: float | None = None) -> Raise:
    condition: Condition = condition_of(rule)
    bounds = {} if rule.kind is RuleKind.SILENCE else {"low": rule.low, "high": rule.high}
    limit = ", ".join(f"{name} {bound:g}" for name, bound in bounds.items() if bound is not None)
    return Raise(
        condition, Finding(at_us, rule.severity, message, onset_us, channel=rule.tag, value=value, limit=limit)
    )


def _value(points: Points) -> float | None:
    """Return a number that may be believed, else None: what is doubtful neither raises nor clears."""
    is_bad = (int(points.quality[0]) & SEVERITY_MASK) == Quality.BAD
    if is_bad or points.kind is Kind.TEXT:
        return None
    value = float(points.value[0])
    return value if math.isfinite(value) else None
