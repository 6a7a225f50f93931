"""The cloud's own rules: limits with hysteresis and delays, and silence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.alarm import Alarm, AlarmState
from cloud.domain.alarm_rule import AlarmRule, RuleKind, Watch
from cloud.operations.alarm_rules import AlarmRules
from cloud.operations.alarms import Alarms
from cloud.operations.rule_watch import RuleWatch
from cloud.records.alarms import AlarmFilter
from cloud.records.database import Records
from cloud.storage.memory import MemoryStore
from protocols.reading import Kind, Quality
from tests.support.cloud import arrival
from tests.support.cloud_clock import START_US, HandClock

LIMIT = AlarmRule(0, "too hot", RuleKind.LIMIT, "", "boiler", "temperature", high=95.0, hysteresis=2.0)
SILENCE = AlarmRule(0, "gone", RuleKind.SILENCE, "", "boiler")


class Boiler:
    """A boiler that sends by itself, and one rule that watches it."""

    def __init__(self, records: Records, rule: AlarmRule) -> None:
        self.clock = HandClock()
        self.store = MemoryStore(self.clock)
        self.rules = AlarmRules(records, self.clock)
        self.rule = self.rules.make(rule, by="ann")
        self.alarms = Alarms(records, self.clock)
        self.watch = RuleWatch(records, self.store, self.clock)

    def send(self, value: float, *, quality: Quality = Quality.GOOD, period_s: float = 1.0) -> None:
        times = [self.clock.now_us()]
        made = arrival(
            source="",
            device="boiler",
            tag="temperature",
            time_us=times,
            value=[value],
            quality=[int(quality)],
            period_s=period_s,
            unit="°C",
        )
        with self.store.transaction():
            self.store.write([made])

    def then(self, value: float, *, after_s: float = 1.0, quality: Quality = Quality.GOOD) -> bool:
        """Send a value after so long, look, and return whether the alarm is active."""
        self.clock.move(after_s)
        self.send(value, quality=quality)
        self.watch.look()
        return any(alarm.is_active for alarm in self.found)

    @property
    def found(self) -> list[Alarm]:
        return list(self.alarms.list(AlarmFilter(), limit=100)[0])


def test_a_value_beyond_its_limit_is_an_alarm_until_it_is_back_by_the_hysteresis(records: Records) -> None:
    boiler = Boiler(records, LIMIT)
    assert [boiler.then(value) for value in (95.0, 95.1, 93.5, 94.9, 93.0, 94.9)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    (alarm,) = boiler.found
    assert alarm.finding.message == "temperature of boiler is 95.1 °C, above 95"
    assert (alarm.finding.value, alarm.finding.channel, alarm.occurrences) == (95.1, "temperature", 1)
    assert (alarm.raised_us, alarm.cleared_us) == (START_US + 2_000_000, START_US + 5_000_000)


def test_a_low_limit_holds_the_other_way_round(records: Records) -> None:
    boiler = Boiler(records, replace(LIMIT, high=None, low=5.0))
    assert [boiler.then(value) for value in (5.0, 4.0, 6.9, 7.0)] == [False, True, True, False]
    finding = boiler.found[0].finding
    assert (finding.message, finding.limit) == ("temperature of boiler is 4 °C, below 5", "low 5")


def test_a_value_must_stay_beyond_for_the_delay_and_back_for_the_other(records: Records) -> None:
    boiler = Boiler(records, replace(LIMIT, delay_on_s=10.0, delay_off_s=5.0))
    assert [boiler.then(99, after_s=4) for _ in range(3)] == [False, False, False]
    assert not boiler.then(90, after_s=1)
    assert [boiler.then(99, after_s=5) for _ in range(3)] == [False, False, True]
    assert boiler.found[0].onset_us == boiler.found[0].raised_us - 10_000_000
    assert [boiler.then(90, after_s=3) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("value", "quality"), [(float("nan"), Quality.GOOD), (200.0, Quality.DEVICE_LOST)])
def test_what_cannot_be_believed_neither_raises_nor_clears(records: Records, value: float, quality: Quality) -> None:
    boiler = Boiler(records, LIMIT)
    assert not boiler.then(value, quality=quality)
    assert boiler.then(99)
    assert boiler.then(value if value > 95 else float("nan"), quality=quality)


def test_a_watch_that_starts_anew_clears_what_an_earlier_one_raised(records: Records) -> None:
    boiler = Boiler(records, LIMIT)
    assert boiler.then(99)
    boiler.watch = RuleWatch(records, boiler.store, boiler.clock)
    assert boiler.then(94)
    assert not boiler.then(90)
    assert [one.occurrences for one in boiler.found] == [1]


@pytest.mark.parametrize(("period_s", "silent_after_s"), [(1.0, 60), (40.0, 120)])
def test_a_device_is_silent_after_three_periods_and_at_least_a_minute(
    records: Records, period_s: float, silent_after_s: int
) -> None:
    boiler = Boiler(records, SILENCE)
    boiler.watch.look()
    boiler.send(1.0, period_s=period_s)
    boiler.clock.move(silent_after_s)
    boiler.watch.look()
    assert boiler.found == []
    boiler.clock.move(1)
    boiler.watch.look()
    (alarm,) = boiler.found
    assert alarm.finding.message == "boiler has sent nothing since 2025-06-15T15:06:40Z"
    assert not boiler.then(1.0)


def test_a_rule_that_is_switched_off_or_taken_back_clears_what_it_raised(records: Records) -> None:
    boiler = Boiler(records, LIMIT)
    assert boiler.then(99)
    boiler.rule = boiler.rules.change(boiler.rule.id, replace(boiler.rule, is_enabled=False), by="ann")
    assert not boiler.then(99)
    boiler.rules.change(boiler.rule.id, replace(boiler.rule, is_enabled=True), by="ann")
    assert boiler.then(99)
    boiler.rules.delete(boiler.rule.id, by="ann")
    assert not boiler.then(99)
    assert [(one.state, one.occurrences) for one in boiler.found] == [(AlarmState.UNACK_CLEARED, 2)]


def test_a_rule_on_a_text_or_on_nothing_says_nothing(records: Records) -> None:
    boiler = Boiler(records, LIMIT)
    boiler.watch.look()
    words = arrival(
        source="", device="boiler", tag="temperature", time_us=[1], value=[0], kind=Kind.TEXT, texts=("hot",)
    )
    with boiler.store.transaction():
        boiler.store.write([words])
    boiler.watch.look()
    assert boiler.found == []


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(80, 110)), max_size=30), st.integers(0, 15), st.integers(0, 15))
def test_a_watch_turns_only_after_the_readings_agreed_for_the_delay(
    readings: list[tuple[int, float]], delay_on_s: int, delay_off_s: int
) -> None:
    rule = replace(LIMIT, delay_on_s=float(delay_on_s), delay_off_s=float(delay_off_s))
    watch, time_us, agreeing_since = Watch(), 0, 0
    was_beyond: bool | None = None
    for seconds, value in readings:
        time_us += seconds * 1_000_000
        is_beyond = rule.is_beyond(value, is_active=watch.is_active)
        agreeing_since = agreeing_since if is_beyond is was_beyond else time_us
        was_beyond = is_beyond
        after = watch.seen(rule, is_beyond=is_beyond, time_us=time_us)
        if after.is_active is not watch.is_active:
            delay_s = delay_on_s if after.is_active else delay_off_s
            assert after.is_active is is_beyond
            assert time_us - agreeing_since >= delay_s * 1_000_000
            # Hysteresis depends on the state: what agreed before the turn is judged anew after it.
            was_beyond = None
        watch = after
