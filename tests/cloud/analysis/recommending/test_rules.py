"""Recommendations: rules over evidence that exists, one open a device and rule."""

import secrets
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from cloud.analysis.recommending.rounds import Recommender
from cloud.analysis.recommending.rules import urgency_of
from cloud.domain.alarm import Condition, Finding, Severity
from cloud.domain.alarm_words import Raise
from cloud.domain.drift import BaselineKind, Corrected, Documented, DriftCheck, Origin
from cloud.domain.health import Band, DeviceStatus, HealthScore, Part
from cloud.domain.recommendation import (
    Evidence,
    Priority,
    Proposal,
    Recommendation,
    RecommendationState,
    RecommendationType,
    Timeframe,
)
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, NotFound
from cloud.operations.raising import apply_steps
from cloud.operations.recommendations import Recommendations
from cloud.ports import SeriesKey
from cloud.records.alarms import find_alarm
from cloud.records.decisions import find_request
from cloud.records.devices import register_devices
from cloud.records.drift import DriftCheckRow, add_check
from cloud.records.health_scores import newest_scores, put_scores
from tests.cloud.analysis.conftest import Plant

WHOSE = ("gw-1", "pump-1")


def look(plant: Plant) -> dict[str, Recommendation]:
    with plant.records.writing() as session:
        register_devices(session, plant.store.devices())
    Recommender(plant.records, plant.store, plant.clock).look()
    found, _ = Recommendations(plant.records, plant.clock).list()
    return {one.proposal.rule: one for one in found}


def seen(plant: Plant) -> None:
    plant.send(np.ones(3), every_s=1.0)


def give_trend(plant: Plant, hours: float | None) -> None:
    now = to_datetime(plant.clock.now_us())
    facts = {"trend": {"tag": "vibration", "hours_to_limit": hours}}
    score = HealthScore(*WHOSE, now, 0.6, {Part.TREND: 0.5}, facts, now, band=Band.WARNING, status=DeviceStatus.WARNING)
    with plant.records.writing() as session:
        put_scores(session, [(score, {})])


def give_alarm(plant: Plant, kind: str, *, device: str = "pump-1", times: int = 1) -> None:
    for occurrence in range(times):
        at_us = plant.clock.now_us() - (times - occurrence) * 10_000_000
        finding = Finding(at_us, Severity.WARNING, kind, at_us, channel="flow", episode=str(occurrence))
        with plant.records.writing() as session:
            apply_steps(session, [Raise(Condition("gw-1", device, kind), finding, is_over=kind != "frozen")], by="test")


def give_drift(plant: Plant, *, in_a_row: int) -> None:
    check = DriftCheck(
        at=to_datetime(plant.clock.now_us()),
        series=SeriesKey(*WHOSE, "flow"),
        origin=Origin.SCHEDULE,
        baseline=BaselineKind.WEEK_BEFORE,
        window_minutes=60,
        p_value_threshold=0.05,
        recent_count=60,
        baseline_count=60,
        notes="",
        documented=Documented(is_drift=True, statistic=0.5, p_value=0.001),
        corrected=Corrected(True, 0.001, 0.1, 0.1, 0.1, 0.0, 60.0, 60.0),  # noqa: FBT003 - as its fields come
        in_a_row=in_a_row,
    )
    with plant.records.writing() as session:
        add_check(session, check)


def exists(plant: Plant, one: Evidence) -> bool:
    with plant.records.reading() as session:
        match one.kind:
            case "health_score":
                return any(device == one.id for _, device in newest_scores(session))
            case "alarm":
                return find_alarm(session, one.id) is not None
            case "drift_check":
                return session.scalar(select(DriftCheckRow.id).where(DriftCheckRow.id == int(one.id))) is not None
            case "series":
                device, tag = one.id.split("/")
                return any(each.key.tag == tag for each in plant.store.series(source="gw-1", device=device))
    return False


def test_a_plant_of_which_nothing_is_known_is_told_nothing(plant: Plant) -> None:
    assert look(plant) == {}


def test_the_documented_example_has_the_documented_words() -> None:
    one = Proposal("r", RecommendationType.MAINTENANCE, "", "", "", "", 0.7, 0.8, "", ())
    assert (one.composite, one.priority, one.timeframe) == (0.75, Priority.HIGH, Timeframe.WITHIN_WEEK)


@pytest.mark.parametrize(
    ("urgency", "impact", "priority", "timeframe"),
    [
        (1.0, 0.8, Priority.CRITICAL, Timeframe.IMMEDIATE),
        (0.8, 0.6, Priority.HIGH, Timeframe.WITHIN_DAY),
        (0.5, 0.3, Priority.MEDIUM, Timeframe.WITHIN_WEEK),
        (0.4, 0.3, Priority.LOW, Timeframe.WITHIN_MONTH),
    ],
)
def test_words_follow_from_urgency_and_impact(
    urgency: float, impact: float, priority: Priority, timeframe: Timeframe
) -> None:
    one = Proposal("r", RecommendationType.MAINTENANCE, "", "", "", "", urgency, impact, "", ())
    assert (one.priority, one.timeframe) == (priority, timeframe)


def test_a_nearer_limit_is_never_less_urgent() -> None:
    found = [urgency_of(hours) for hours in np.linspace(0, 1000, 50)]
    assert found == sorted(found, reverse=True)
    assert (urgency_of(168), urgency_of(0)) == (0.7, 1.0)


def test_all_evidence_that_is_cited_exists(plant: Plant) -> None:
    moving = np.random.default_rng(2).normal(5, 0.1, 42 * 60)
    plant.clock.move(3600 - plant.clock.now_us() / 1e6 % 3600 + 1)
    plant.send(np.concatenate([moving, np.full(7 * 60, 5.0)]), every_s=60.0)
    plant.send(np.concatenate([moving, np.random.default_rng(4).normal(5, 2, 7 * 60)]), every_s=60.0, tag="vibration")
    give_trend(plant, 90.0)
    give_drift(plant, in_a_row=3)
    for kind in ("clock_stepped", "gateway_offline"):
        give_alarm(plant, kind, device="", times=3)
    give_alarm(plant, "frozen")
    found = look(plant)
    rules = {
        "rising_trend",
        "stuck_sensor",
        "noise_step",
        "drift_without_violation",
        "clock_skew",
        "repeated_buffering",
        "chattering_alarm",
    }
    assert rules <= set(found)
    for one in found.values():
        assert one.proposal.evidence
        assert all(exists(plant, each) for each in one.proposal.evidence), one.proposal.rule


def test_drift_that_does_not_last_is_no_reason(plant: Plant) -> None:
    seen(plant)
    give_drift(plant, in_a_row=2)
    assert look(plant) == {}


def test_a_rule_has_one_open_recommendation_a_device_which_follows_its_evidence(plant: Plant) -> None:
    seen(plant)
    give_trend(plant, 300.0)
    first = look(plant)["rising_trend"]
    give_trend(plant, 30.0)
    later = look(plant)["rising_trend"]
    assert later.id == first.id
    assert later.proposal.urgency > first.proposal.urgency
    give_trend(plant, None)
    assert look(plant) == {}
    assert Recommendations(plant.records, plant.clock).get(first.id).state is RecommendationState.WITHDRAWN


def test_accepting_one_asks_for_a_decision_in_the_same_transaction(plant: Plant) -> None:
    seen(plant)
    give_trend(plant, 90.0)
    service = Recommendations(plant.records, plant.clock)
    accepted = service.accept(look(plant)["rising_trend"].id, by="anna", device="pump-1")
    assert accepted.state is RecommendationState.ACCEPTED
    with plant.records.reading() as session:
        request = find_request(session, accepted.request_id)
    assert request is not None
    assert (request.subject, request.kind.value, request.device) == (accepted.id, "recommendation", "pump-1")
    with pytest.raises(Conflict):
        service.dismiss(accepted.id, by="anna")


def test_a_rule_is_silent_for_a_week_about_what_somebody_dismissed(plant: Plant) -> None:
    seen(plant)
    give_trend(plant, 90.0)
    service = Recommendations(plant.records, plant.clock)
    service.dismiss(look(plant)["rising_trend"].id, by="anna", note="known")
    assert look(plant) == {}
    plant.clock.move(timedelta(days=7, hours=1).total_seconds())
    give_trend(plant, 90.0)
    assert set(look(plant)) == {"rising_trend"}


def test_one_that_is_not_there_is_not_found(plant: Plant) -> None:
    service = Recommendations(plant.records, plant.clock)
    for call in (service.get, lambda one: service.accept(one, by="x"), lambda one: service.dismiss(one, by="x")):
        with pytest.raises(NotFound):
            call("rec_" + secrets.token_hex(16))
