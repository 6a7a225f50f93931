"""GatewayWatch: what the cloud itself notices of gateways, as alarms: offline, cloned, readings given up, devices back.

It remembers nothing: what was said of a condition before stands in its newest alarm.
"""

from collections.abc import Iterator, Mapping, Sequence

from cloud.domain.alarm import Alarm, Condition, Finding, Severity
from cloud.domain.alarm_words import DEVICE_LOST, Clear, Raise, Step
from cloud.operations.gateway_events import GatewayEvents, GatewayFacts
from cloud.operations.raising import NewId, apply_steps, draw_id
from cloud.ports import Clock, ReadingStore
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records
from protocols.reading import Quality

ACTOR = "cloud"
OFFLINE_AFTER_US = 60 * 1_000_000
_KINDS = ("gateway_offline", "identity_cloned", "identity_conflict", "readings_dropped")
Lasts = Mapping[Condition, Alarm]


class GatewayWatch:
    """Looks at what ingest keeps of each gateway. One thread."""

    def __init__(
        self, records: Records, events: GatewayEvents, store: ReadingStore, clock: Clock, *, new_id: NewId = draw_id
    ) -> None:
        self._records = records
        self._events = events
        self._store = store
        self._clock = clock
        self._new_id = new_id

    def look(self) -> None:
        """Raise and clear; nothing is written where nothing changed. Raise Unavailable, Conflict."""
        facts, now_us = self._events.gateways(), self._clock.now_us()
        with self._records.reading() as session:
            lasts = KeptAlarms(session).newest(_conditions(facts))
            lost = KeptAlarms(session).active(kinds=(DEVICE_LOST,))
        steps = [step for one in facts for step in steps_for(one, lasts, now_us)]
        steps += [step for alarm in lost for step in self._came_back(alarm)]
        if steps:
            with self._records.writing() as session:
                apply_steps(session, steps, by=ACTOR, new_id=self._new_id)

    def _came_back(self, alarm: Alarm) -> Iterator[Step]:
        """Clear what a gateway never took back, since it was started anew: a good reading says that the device is."""
        series = self._store.series(source=alarm.condition.source, device=alarm.condition.device)
        for points in self._store.latest(series):
            is_newer = len(points.time_us) and int(points.time_us[0]) > alarm.finding.at_us
            if is_newer and points.quality[0] != Quality.DEVICE_LOST:
                yield Clear(alarm.condition, int(points.time_us[0]))
                return


def steps_for(one: GatewayFacts, lasts: Lasts, now_us: int) -> Iterator[Step]:
    """Yield what changed of one gateway since its newest alarms."""
    yield from _offline(one, lasts, now_us)
    for kind, at_us, words in (
        ("identity_cloned", one.cloned_us, f"two gateways seem to run under the name {one.name}"),
        ("identity_conflict", one.conflict_us, f"{one.name} sent two different batches under one number"),
    ):
        condition = Condition(one.name, "", kind)
        if at_us is not None and at_us > _last_us(lasts.get(condition)):
            yield Raise(condition, Finding(at_us, Severity.CRITICAL, words, at_us))
    yield from _dropped(one, lasts, now_us)


def _offline(one: GatewayFacts, lasts: Lasts, now_us: int) -> Iterator[Step]:
    condition = Condition(one.name, "", "gateway_offline")
    last = lasts.get(condition)
    is_raised = last is not None and last.is_active
    if one.is_online:
        yield from [Clear(condition, now_us)] if is_raised else []
        return
    if not is_raised and now_us - one.last_seen_us > OFFLINE_AFTER_US and one.last_seen_us > _cleared_us(last):
        words = f"{one.name} is offline; its readings wait there"
        yield Raise(condition, Finding(now_us, Severity.WARNING, words, one.last_seen_us))


def _dropped(one: GatewayFacts, lasts: Lasts, now_us: int) -> Iterator[Step]:
    condition = Condition(one.name, "", "readings_dropped")
    last = lasts.get(condition)
    before = int(last.finding.value or 0) if last is not None else 0
    if one.dropped > before:
        words = f"{one.name} gave up {one.dropped - before} readings for room, {one.dropped} in all"
        finding = Finding(now_us, Severity.CRITICAL, words, now_us, value=float(one.dropped))
        yield Raise(condition, finding, is_over=True)


def _conditions(facts: Sequence[GatewayFacts]) -> list[Condition]:
    return [Condition(one.name, "", kind) for one in facts for kind in _KINDS]


def _last_us(last: Alarm | None) -> int:
    # An operator who clears it has seen all that came before.
    return 0 if last is None else max(last.finding.at_us, last.cleared_us or 0)


def _cleared_us(last: Alarm | None) -> int:
    return 0 if last is None else last.cleared_us or 0
