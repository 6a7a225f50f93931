"""Drift checks of stored series: what they compare, what they keep, and when they last."""

from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import ks_2samp  # type: ignore[import-untyped] # SciPy ships no types

from cloud.analysis.drift_checks import DriftChecks, Question
from cloud.domain.drift import BaselineKind, Origin
from cloud.records.drift import baseline_keys, drifting, forget_checks
from tests.cloud.analysis.conftest import Plant
from tests.cloud.analysis.rows import autoregressive

WEEK_S = 7 * 86_400.0
HOUR = Question(window_minutes=60)


def send_weeks(plant: Plant, *, shift: float = 0.0, tag: str = "flow") -> tuple[list[float], list[float]]:
    """Store 20 hours that end a week ago, and the last hour, a reading each 10 s; return what an hour compares."""
    generator = np.random.default_rng(1)
    before, now = autoregressive(generator, 7200, 0.9), autoregressive(generator, 360, 0.9) + shift
    plant.send(before, every_s=10, ago_s=WEEK_S + 1, tag=tag)
    plant.send(now, every_s=10, tag=tag)
    return before[-360:].tolist(), now.tolist()


def test_the_plain_verdict_is_the_test_on_the_stored_rows(plant: Plant) -> None:
    before, now = send_weeks(plant)
    check = DriftChecks(plant.records, plant.clock).check(plant.store, plant.series[0], HOUR)
    expected = ks_2samp(now, before)
    assert check.documented is not None
    assert (check.recent_count, check.baseline_count) == (360, 360)
    assert check.documented.statistic == pytest.approx(expected.statistic)
    assert check.documented.p_value == pytest.approx(expected.pvalue)
    assert check.corrected is not None
    assert not check.corrected.is_drift
    assert "7 days earlier" in check.notes


def test_the_corrected_verdict_looks_further_back_for_the_memory_and_finds_a_shift(plant: Plant) -> None:
    send_weeks(plant, shift=2.0)
    check = DriftChecks(plant.records, plant.clock).check(plant.store, plant.series[0], HOUR)
    assert check.corrected is not None
    assert check.corrected.is_drift
    assert check.corrected.effective_baseline > 10 * check.corrected.effective_recent


def test_a_training_baseline_takes_the_place_of_the_week_before(plant: Plant) -> None:
    send_weeks(plant)
    checks = DriftChecks(plant.records, plant.clock)
    values = autoregressive(np.random.default_rng(2), 3000, 0.9) + 5
    checks.keep_baseline(plant.series[0], np.arange(3000), values, model="pump/3")
    check = checks.check(plant.store, plant.series[0], HOUR)
    assert (check.baseline, check.baseline_count) == (BaselineKind.TRAINING, 3000)
    assert check.corrected is not None
    assert check.corrected.is_drift
    with plant.records.reading() as session:
        assert baseline_keys(session) == [plant.series[0].key]


def test_too_few_readings_are_no_drift_and_the_notes_say_so(plant: Plant) -> None:
    plant.send(np.arange(10.0), every_s=10)
    check = DriftChecks(plant.records, plant.clock).check(plant.store, plant.series[0], HOUR)
    assert (check.documented, check.corrected, check.psi) == (None, None, None)
    assert check.notes == "too few readings to compare: 10 recent and 0 baseline readings"


def test_drift_lasts_when_three_checks_in_a_row_find_it_and_ends_with_one_that_does_not(plant: Plant) -> None:
    checks = DriftChecks(plant.records, plant.clock)
    generator = np.random.default_rng(3)
    checks_before = autoregressive(generator, 3000, 0.9)
    plant.send(np.zeros(1), every_s=10)
    checks.keep_baseline(plant.series[0], np.arange(3000), checks_before)
    rows = []
    for shift in (3.0, 3.0, 3.0, 0.0):
        plant.clock.move(3600)
        plant.send(autoregressive(generator, 360, 0.9) + shift, every_s=10)
        assert checks.check_all(plant.store, HOUR, every=timedelta(hours=1)) == 1
        with plant.records.reading() as session:
            rows.append(drifting(session, at_least=3))
    assert rows == [[], [], [plant.series[0].key], []]
    assert checks.check_all(plant.store, HOUR, every=timedelta(hours=1)) == 0
    history = checks.history()
    assert [one.in_a_row for one in history] == [0, 3, 2, 1]
    assert {one.origin for one in history} == {Origin.SCHEDULE}


def test_a_check_on_request_does_not_count_as_one_on_schedule(plant: Plant) -> None:
    send_weeks(plant, shift=3.0)
    checks = DriftChecks(plant.records, plant.clock)
    assert [checks.check(plant.store, plant.series[0], HOUR).in_a_row for _ in range(2)] == [1, 1]
    with plant.records.reading() as session:
        assert drifting(session, at_least=1) == []


def test_channels_of_a_device_are_judged_together(plant: Plant) -> None:
    for tag in ("flow", "heat", "noise"):
        send_weeks(plant, tag=tag)
    found = DriftChecks(plant.records, plant.clock).check_device(plant.store, plant.series, HOUR)
    assert [one.corrected.channels for one in found if one.corrected] == [3, 3, 3]


def test_old_checks_are_forgotten(plant: Plant) -> None:
    send_weeks(plant)
    checks = DriftChecks(plant.records, plant.clock)
    kept = checks.check(plant.store, plant.series[0], HOUR)
    with plant.records.writing() as session:
        forget_checks(session, before=kept.at + timedelta(seconds=1))
    assert checks.history(plant.series[0]) == []
