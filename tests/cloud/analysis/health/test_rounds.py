"""HealthRounds: all devices judged from what is stored, and who is told of what changed."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from cloud.analysis.health.rounds import HealthRounds
from cloud.domain.alarm import AlarmState
from cloud.domain.device_facts import ChannelLimits, DeviceFacts, EnergyChannels, Running
from cloud.domain.device_status import Presence
from cloud.domain.health import Band, DeviceStatus, HealthScore, Part
from cloud.domain.notice import NoticeKind
from cloud.domain.planned_event import EventType, PlannedEvent
from cloud.domain.times import to_datetime
from cloud.operations.raising import apply_steps
from cloud.records.alarms import AlarmFilter, list_alarms
from cloud.records.channel_hours import ChannelHoursRow
from cloud.records.device_facts import put_facts, put_limits
from cloud.records.devices import register_devices
from cloud.records.health_scores import list_points, newest_scores
from cloud.records.notices import read_notices
from cloud.records.planned_events import add_event
from tests.cloud.analysis.conftest import Plant
from tests.support.cloud import arrival

WHOSE = ("gw-1", "pump-1")
LIMITS = ChannelLimits(*WHOSE, "flow", high_warn=10.0, high_crit=20.0)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
Rounds = Callable[[], HealthScore]


@pytest.fixture
def rounds(plant: Plant) -> Rounds:
    """Give what judges once and returns the pump's score."""
    judge = HealthRounds(
        plant.records,
        plant.store,
        plant.clock,
        presence=Presence,
        raise_alarms=lambda session, steps: apply_steps(session, steps, by="health"),
    )

    def look() -> HealthScore:
        with plant.records.writing() as session:
            register_devices(session, plant.store.devices())
        judge.look()
        with plant.records.reading() as session:
            return newest_scores(session)[WHOSE]

    return look


def tell(plant: Plant, *limits: ChannelLimits, **facts: Any) -> None:  # noqa: ANN401 fields of DeviceFacts
    with plant.records.writing() as session:
        register_devices(session, plant.store.devices())
        put_facts(session, DeviceFacts(*WHOSE, **facts))
        for one in limits:
            put_limits(session, one)


def told(plant: Plant) -> list[tuple[NoticeKind, dict[str, Any]]]:
    with plant.records.reading() as session:
        return [(one.kind, dict(one.data)) for one in read_notices(session, after=0, limit=1000)]


def test_an_empty_plant_is_judged_without_a_word(plant: Plant) -> None:
    HealthRounds(plant.records, plant.store, plant.clock, presence=Presence, raise_alarms=lambda *_: None).look()
    assert told(plant) == []


def test_a_score_stands_on_the_median_of_a_quarter_of_an_hour(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.concatenate([np.full(45, 100.0), np.full(15, 15.0)]), every_s=MINUTE)
    tell(plant, LIMITS)
    assert rounds().score == pytest.approx(0.5)
    plant.clock.move(5 * MINUTE)
    plant.send(np.full(3, 15.0), every_s=MINUTE)
    score = rounds()
    assert score.parts[Part.LIMITS] == pytest.approx(0.5)
    assert Part.ANOMALIES not in score.parts
    assert Part.TREND not in score.parts
    assert score.parts[Part.QUALITY] == pytest.approx(0.8)
    assert score.score == pytest.approx((0.5**0.35 * score.parts[Part.QUALITY] ** 0.1) ** (1 / 0.45))
    assert (score.is_stale, score.status) == (False, DeviceStatus.WARNING)


def test_a_device_that_misses_readings_loses_quality_but_none_before_it_was_first_seen(
    plant: Plant, rounds: Rounds
) -> None:
    plant.send(np.full(1, 1.0), every_s=MINUTE)
    tell(plant, LIMITS)
    assert Part.QUALITY not in rounds().parts
    plant.clock.move(HOUR)
    plant.send(np.full(30, 1.0), every_s=MINUTE)
    assert rounds().parts[Part.QUALITY] == pytest.approx(31 / 60, abs=0.02)


@pytest.mark.parametrize("ago_s", [0.05, -0.05], ids=["on its way", "stamped by a clock that is ahead"])
def test_of_a_device_that_has_only_just_begun_nobody_says_that_readings_are_missing(
    plant: Plant, rounds: Rounds, ago_s: float
) -> None:
    plant.send(np.full(1, 1.0), every_s=0.1, ago_s=ago_s)
    plant.send(np.full(1, 1.0), every_s=0.1, ago_s=ago_s - 0.02, tag="vibration")
    tell(plant, LIMITS)
    score = rounds()
    assert (Part.QUALITY in score.parts, score.band, score.status) == (False, Band.NORMAL, DeviceStatus.NORMAL)
    plant.clock.move(MINUTE)
    plant.send(np.full(300, 1.0), every_s=0.1)
    assert rounds().parts[Part.QUALITY] == pytest.approx(0.5, abs=0.01)


def test_a_device_that_was_there_long_before_its_first_reading_owes_none_of_that_time(
    plant: Plant, rounds: Rounds
) -> None:
    with plant.store.transaction():
        plant.store.write([arrival(time_us=[], value=[], period_s=1.0)])
    tell(plant, LIMITS)
    assert rounds().status is DeviceStatus.OFFLINE
    plant.clock.move(HOUR / 2)
    plant.send(np.full(1, 1.0), every_s=1.0)
    assert rounds().score == 1.0
    plant.clock.move(2 * MINUTE)
    plant.send(np.full(120, 1.0), every_s=1.0)
    assert rounds().parts[Part.QUALITY] == 1.0


def test_a_slow_device_is_not_complete_before_it_missed_a_reading(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.full(1, 1.0), every_s=2 * HOUR)
    tell(plant, LIMITS, rated_interval_s=2 * HOUR)
    rounds()
    plant.clock.move(2 * HOUR)
    plant.send(np.full(1, 1.0), every_s=2 * HOUR)
    assert rounds().parts[Part.QUALITY] == 1.0


def test_a_device_without_limits_and_model_is_not_measured(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.ones(60), every_s=MINUTE)
    tell(plant)
    score = rounds()
    assert (score.score, score.band, score.status) == (None, Band.NORMAL, DeviceStatus.NORMAL)
    plant.clock.move(HOUR)
    plant.send(np.ones(60), every_s=MINUTE)
    assert set(rounds().parts) == {Part.QUALITY}


def test_scores_of_the_gateway_are_a_burden_beyond_what_the_model_promised(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.ones(60), every_s=MINUTE)
    plant.send(np.tile([0.1, 0.1, 0.1, 0.9], 15), every_s=MINUTE, tag="anomaly_score")
    tell(plant)
    found = rounds().parts[Part.ANOMALIES]
    assert found == pytest.approx(1 - (0.25 - 0.01) / 0.49, abs=0.02)


def test_without_new_readings_the_last_score_stands_and_is_stale(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.full(60, 15.0), every_s=MINUTE)
    tell(plant, LIMITS)
    first = rounds()
    plant.clock.move(2 * HOUR)
    later = rounds()
    assert (later.score, later.is_stale, later.status) == (first.score, True, DeviceStatus.OFFLINE)
    assert later.measured_at == first.measured_at


def test_a_trend_is_found_in_a_week_of_hourly_medians_and_late_readings_have_their_part(
    plant: Plant, rounds: Rounds
) -> None:
    generator = np.random.default_rng(3)
    hours = np.arange(0, 167.9, 1 / 6)
    values = 0.04 * hours + 0.05 * generator.standard_normal(len(hours))
    plant.send(values, every_s=600.0)
    tell(plant, LIMITS, rated_interval_s=600.0)
    score = rounds()
    trend = score.facts["trend"]
    assert isinstance(trend, dict)
    assert trend["hours_to_limit"] == pytest.approx((20 - 0.04 * 168) / 0.04, rel=0.05)
    assert trend["medians"] >= 166
    assert score.parts[Part.TREND] == pytest.approx(min(1.0, trend["hours_to_limit"] / 336), abs=0.01)
    with plant.records.reading() as session:
        before = session.scalars(select(ChannelHoursRow.counts)).one()
    plant.clock.move(HOUR)
    plant.send(np.full(30, 3.0), every_s=MINUTE, ago_s=40 * HOUR)
    rounds()
    with plant.records.reading() as session:
        after = session.scalars(select(ChannelHoursRow.counts)).one()
    assert np.frombuffer(after, "<i8").sum() > np.frombuffer(before, "<i8").sum() + 20


def test_a_critical_score_raises_an_alarm_that_clears_when_it_is_better(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.full(60, 25.0), every_s=MINUTE)
    tell(plant, LIMITS)
    assert rounds().band is Band.CRITICAL
    rounds()
    with plant.records.reading() as session:
        (alarm,), total = list_alarms(session, AlarmFilter(), limit=10)
    assert (total, alarm.condition.kind, alarm.state) == (1, "health", AlarmState.UNACK_ACTIVE)
    assert rounds().status is DeviceStatus.CRITICAL
    plant.clock.move(HOUR)
    plant.send(np.full(60, 1.0), every_s=MINUTE)
    rounds()
    with plant.records.reading() as session:
        assert list_alarms(session, AlarmFilter(), limit=10)[0][0].state is AlarmState.UNACK_CLEARED
    assert rounds().status is DeviceStatus.NORMAL


def test_feeds_are_told_of_a_status_and_a_score_only_when_they_change(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.full(60, 1.0), every_s=MINUTE)
    tell(plant, LIMITS)
    rounds()
    rounds()
    kinds = [kind for kind, _ in told(plant)]
    assert kinds == [NoticeKind.DEVICE_STATUS, NoticeKind.HEALTH_SCORE_UPDATE]
    plant.clock.move(2 * HOUR)
    rounds()
    kind, facts = told(plant)[-1]
    assert (kind, facts["status"], facts["previous_status"]) == (NoticeKind.DEVICE_STATUS, "offline", "normal")
    assert facts["device_id"] == "pump-1"


def test_a_repair_makes_the_past_forgotten(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.full(60, 1.0), every_s=MINUTE)
    plant.send(np.full(60, 0.9), every_s=MINUTE, tag="anomaly_score")
    tell(plant, LIMITS)
    assert rounds().parts[Part.ANOMALIES] == 0.0
    plant.clock.move(MINUTE)
    tell(plant, LIMITS, baseline_reset_at=to_datetime(plant.clock.now_us()))
    plant.clock.move(MINUTE)
    plant.send(np.full(1, 1.0), every_s=MINUTE)
    plant.send(np.full(1, 0.1), every_s=MINUTE, tag="anomaly_score")
    assert rounds().parts[Part.ANOMALIES] == 1.0


def test_energy_is_counted_from_the_beginning_of_the_day_and_costs_its_tariff(plant: Plant, rounds: Rounds) -> None:
    plant.clock.move(DAY - (plant.clock.now_us() / 1e6) % DAY + 2 * HOUR)
    plant.send(np.full(3 * 60 + 1, 6.0), every_s=MINUTE, tag="power")
    tell(plant, energy=EnergyChannels(power="power"), tariff_per_kwh=0.5)
    score = rounds()
    assert score.energy_kwh == pytest.approx(12.0, rel=0.01)
    assert score.energy_cost == pytest.approx(6.0, rel=0.01)
    plant.clock.move(HOUR)
    plant.send(np.full(30, 6.0), every_s=MINUTE, tag="power")
    assert rounds().energy_kwh == pytest.approx(12.0 + 6 * 29 / 60, rel=0.01)


def test_performance_is_told_by_intervals_not_summed_up(plant: Plant, rounds: Rounds) -> None:
    plant.clock.move(DAY - (plant.clock.now_us() / 1e6) % DAY + 2 * HOUR)
    plant.send(np.full(61, 6.0), every_s=MINUTE, tag="power")
    tell(plant, energy=EnergyChannels(power="power"))
    rounds()
    plant.clock.move(15 * MINUTE)
    plant.send(np.full(15, 6.0), every_s=MINUTE, tag="power")
    rounds()
    with plant.records.reading() as session:
        points = list_points(session, since=to_datetime(0))
    assert [point.energy_kwh for point in points] == [pytest.approx(6.0), pytest.approx(1.5)]
    assert points[1].at - points[0].at == timedelta(minutes=15)


def test_an_unplanned_silence_costs_the_plant_its_health_and_a_planned_one_does_not(
    plant: Plant, rounds: Rounds
) -> None:
    plant.send(np.full(60, 1.0), every_s=MINUTE)
    tell(plant, LIMITS)
    rounds()
    plant.clock.move(HOUR)
    rounds()
    now = to_datetime(plant.clock.now_us())
    with plant.records.writing() as session:
        assert list_points(session, since=now - timedelta(minutes=15))[-1].system_health == 0
        add_event(
            session,
            PlannedEvent(
                id="e-1",
                event_type=EventType.SCHEDULED_MAINTENANCE,
                name="oil",
                start_at=now - timedelta(hours=1),
                end_at=now + timedelta(hours=1),
                multiplier=0.5,
                created_by="test",
                created_at=now,
                metadata={"devices": ["pump-1"]},
            ),
        )
    rounds()
    with plant.records.reading() as session:
        assert list_points(session, since=now - timedelta(minutes=15))[-1].system_health is None


def test_a_device_out_of_its_usual_band_is_less_efficient(plant: Plant, rounds: Rounds) -> None:
    usual = np.random.default_rng(1).normal(50, 5, 6 * 24 * 4)
    plant.send(np.concatenate([usual, np.full(72, 50.0), np.full(72, 90.0)]), every_s=600.0)
    tell(plant, running=Running("flow", 10.0))
    assert rounds().efficiency == pytest.approx(0.5 / 0.8, abs=0.05)


def test_readings_that_are_no_numbers_leave_every_figure_finite(plant: Plant, rounds: Rounds) -> None:
    plant.send(np.array([math.nan, math.inf, 1e300, -1e300, 1.0]), every_s=MINUTE)
    tell(plant, ChannelLimits(*WHOSE, "flow", low_crit=-1e300, low_warn=-1e299, high_warn=1e299, high_crit=1e300))
    score = rounds()
    assert score.score is None or math.isfinite(score.score)
    assert all(math.isfinite(part) for part in score.parts.values())
