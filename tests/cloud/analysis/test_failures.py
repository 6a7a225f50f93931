"""Failure estimates of stored Devices: by first passage without labels, by the hazard with twenty of them."""

import numpy as np
import pytest

from cloud.analysis.failures import Failures, critical_limits
from cloud.domain.alarm import Severity
from cloud.domain.alarm_rule import AlarmRule, RuleKind
from cloud.domain.device import Device
from cloud.domain.failure import Method
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.records.alarm_rules import put_rule
from cloud.records.hazards import find_hazard
from cloud.records.labels import add_label
from tests.cloud.analysis.conftest import PUMP, Plant
from tests.cloud.analysis.rows import Floats, autoregressive, daily

HOUR_US = 3_600_000_000
LIMIT = AlarmRule(0, "hot", RuleKind.LIMIT, "gw-1", "pump-1", "flow", severity=Severity.CRITICAL, high=8.0)


def ready(plant: Plant, values: Floats, *, limit: AlarmRule = LIMIT) -> Failures:
    plant.send(values, every_s=600)
    with plant.records.writing() as session:
        put_rule(session, limit)
    return Failures(plant.records, plant.clock)


def days(count: int) -> Floats:
    """Return readings of a healthy machine, one each ten minutes."""
    n = count * 144
    return 0.8 * daily(n, steps=144) + autoregressive(np.random.default_rng(1), n, 0.99)


def test_a_healthy_machine_is_not_called_failing(plant: Plant) -> None:
    found = ready(plant, days(10)).estimate(plant.store, PUMP)
    assert (found.method, found.is_calibrated, found.horizon_hours) == (Method.FIRST_PASSAGE, False, 168.0)
    assert (len(found.chances), found.high_risk_count, found.channel) == (24, 0, "flow")
    assert max(found.chances) < 0.5


def test_a_machine_on_its_way_to_the_limit_is(plant: Plant) -> None:
    values = 0.2 * days(10) + np.linspace(-2, 7, 1440)
    found = ready(plant, values).estimate(plant.store, PUMP)
    assert found.predictions[-1] == 1
    assert found.high_risk_count >= 20
    assert found.expected_life_h is not None
    assert 5 < found.expected_life_h < 60
    assert (found.earliest_life_h or 0) <= found.expected_life_h <= (found.latest_life_h or 1e9)


def test_a_longer_horizon_is_never_less_likely(plant: Plant) -> None:
    failures = ready(plant, days(10))
    chances = [failures.estimate(plant.store, PUMP, horizon_hours=hours).chances[-1] for hours in (1, 24, 168, 2000)]
    assert chances == sorted(chances)


def test_under_a_day_of_data_there_is_no_estimate(plant: Plant) -> None:
    with pytest.raises(NotFound, match="24 are needed") as raised:
        ready(plant, days(1)[:120]).estimate(plant.store, PUMP)
    assert raised.value.code == "NO_RECENT_DATA"


def test_without_a_limit_there_is_no_estimate(plant: Plant) -> None:
    plant.send(days(3), every_s=600)
    with pytest.raises(NotFound, match="no limit") as raised:
        Failures(plant.records, plant.clock).estimate(plant.store, PUMP)
    assert raised.value.code == "NO_LIMITS"


def test_critical_limits_win_over_warnings() -> None:
    warning = AlarmRule(2, "warm", RuleKind.LIMIT, "gw-1", "pump-1", "flow", high=5.0)
    other = AlarmRule(3, "far", RuleKind.LIMIT, "gw-1", "pump-2", "flow", high=1.0)
    assert critical_limits([LIMIT, warning, other], PUMP) == {"flow": (None, 8.0)}
    assert critical_limits([warning], PUMP) == {"flow": (None, 5.0)}


def test_twenty_labelled_failures_make_a_model_of_the_class(plant: Plant) -> None:
    hours = 24 * 250
    values = np.random.default_rng(2).standard_normal(hours)
    starts = np.arange(24 * 10, hours, 24 * 10)
    for start in starts:
        values[start - 96 : start] += np.linspace(0, 9, 96)
    plant.send(values, every_s=3600)
    end_us = plant.clock.now_us() // HOUR_US * HOUR_US
    failures, device = Failures(plant.records, plant.clock), Device(1, "gw-1", "pump-1", "pump-1", type="pump")
    assert failures.fit_classes(plant.store, [device]) == 0
    with plant.records.writing() as session:
        for start in starts:
            begin = end_us - (hours - int(start)) * HOUR_US
            at = to_datetime(plant.clock.now_us())
            add_label(session, Label(0, "gw-1", "pump-1", begin, begin + HOUR_US, Verdict.TRUE_FAULT, "ann", at))
    assert failures.fit_classes(plant.store, [device]) == 1
    assert failures.fit_classes(plant.store, [device]) == 0
    found = failures.estimate(plant.store, device)
    assert (found.method, found.is_calibrated, found.failures_learned) == (Method.HAZARD, True, len(starts))
    assert found.brier is not None
    with plant.records.reading() as session:
        row = find_hazard(session, "pump")
        assert row is not None
        assert found.brier == row.brier < row.brier_of_base_rate
