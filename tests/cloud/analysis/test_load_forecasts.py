"""Forecasts of load: in order, never negative, free of events, calibrated only when they have earned it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cloud.analysis.event_effects import EventEffects, measured_effect
from cloud.analysis.load_foretelling import LoadForeteller
from cloud.analysis.load_oddities import LoadOddities, is_odd
from cloud.analysis.load_outlook import outlook
from cloud.analysis.load_quantiles import LoadForecaster, learn
from cloud.analysis.load_series import DAY, HISTORY_NEEDED, NAMES, features, without_events
from cloud.domain.load import MINUTE_US, Service
from cloud.domain.notice import NoticeKind
from cloud.domain.planned_event import EventType, PlannedEvent
from cloud.domain.times import to_datetime
from cloud.learning.quantiles import fit_quantiles
from cloud.records.database import Records
from cloud.records.forecasts import list_forecasts
from cloud.records.notices import read_notices
from cloud.records.planned_events import add_event, find_event, keep_measured
from cloud.records.scaling import scaling_counts
from tests.support.cloud import MovedClock
from tests.support.load_trace import normal_load
from tests.support.pools import fill_load
from tests.support.records import new_records

Floats = NDArray[np.float64]
MINUTES = 1440
LOADS = arrays(np.float64, st.integers(20, 200), elements=st.floats(0, 1e9))


def never_learned(rows: Floats, target: Floats) -> NoReturn:
    raise AssertionError(f"too few to learn from: {len(rows)} rows, {len(target)} targets")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Give records of its own to each test."""
    made = new_records(tmp_path)
    yield made
    made.close()


def seen(records: Records, clock: MovedClock, values: Floats) -> None:
    """Let ingest have had this load, the last value a minute ago."""
    minute = clock.now_us() // MINUTE_US
    pairs = zip(range(minute - len(values), minute), values.tolist(), strict=True)
    fill_load(records, Service.INGEST, dict(pairs))


def event(identity: str, clock: MovedClock, *, begins_in: int, ends_in: int, multiplier: float = 3.0) -> PlannedEvent:
    now = to_datetime(clock.now_us() // MINUTE_US * MINUTE_US)
    times = (now + timedelta(minutes=begins_in), now + timedelta(minutes=ends_in))
    return PlannedEvent(identity * 32, EventType.SHIFT_CHANGE, "early", *times, multiplier, "anna", now)


@settings(max_examples=40, deadline=None)
@given(values=LOADS, horizon=st.sampled_from([15, 60]))
def test_quantiles_are_in_order_and_never_negative(values: Floats, horizon: int) -> None:
    found = LoadForecaster(horizon, None).foretell(values, np.zeros(len(values)), start=0).quantiles[0]
    if np.isfinite(found).all():
        assert (np.diff(found) >= 0).all()
        assert found[0] >= 0


@pytest.mark.slow
def test_from_two_weeks_on_quantiles_are_learned_and_see_the_shift_come() -> None:
    values = normal_load(16)[: 15 * DAY + 5 * 60 + 50]
    online = np.full(len(values), 20.0)
    forecaster = learn(values, online, 60, fit_quantiles, start=0, marked=np.zeros(len(values), bool))
    assert (forecaster.method, forecaster.features) == ("quantile_boosting", NAMES)
    found = forecaster.foretell(values, online, start=0).quantiles[0]
    assert (np.diff(found) >= 0).all()
    assert found[2] > 1.5 * values[-1]


def test_under_two_weeks_nothing_is_learned() -> None:
    values = normal_load(13)
    assert learn(values, values, 15, never_learned, start=0, marked=np.zeros(len(values), bool)).model is None


def test_no_feature_reads_beyond_its_origin() -> None:
    values, origins = normal_load(10), np.array([HISTORY_NEEDED, HISTORY_NEEDED + 700])
    for horizon in (15, 60, 1440):
        before = features(values, values, origins, horizon, start=0)
        assert before.shape == (2, len(NAMES))
        for index, origin in enumerate(origins):
            other = values.copy()
            other[origin:] = 1e9
            assert np.array_equal(features(other, other, origins[[index]], horizon, start=0)[0], before[index])


def test_the_base_has_no_event_in_it() -> None:
    plain = normal_load(3)
    effect = np.ones(len(plain))
    effect[2000:2100], effect[100:110] = 4.0, 2.0
    base, marked = without_events(plain * effect, effect)
    assert np.array_equal(marked, effect != 1)
    assert np.array_equal(base[2000:2100], plain[2000 - DAY : 2100 - DAY])
    assert base[100:110] == pytest.approx(plain[100:110])
    assert np.array_equal(without_events(plain, np.ones(len(plain)))[0], plain)


def test_each_horizon_is_foretold_once_in_its_time_and_counted(records: Records) -> None:
    clock = MovedClock()
    seen(records, clock, normal_load(3))
    foreteller = LoadForeteller(records, clock, never_learned)
    foreteller.look()
    foreteller.look()
    with records.reading() as session:
        found, total = list_forecasts(session, series=Service.INGEST.series)
        counts = {(one.family, one.label): one.value for one in scaling_counts(session)}
    assert sorted(one.horizon_minutes for one in found) == [15, 60, 1440]
    assert total == 3
    assert all(not one.is_calibrated and one.confidence is None for one in found)
    assert counts["predictions_generated", "short"] == counts["predictions_generated", "long"] == 1
    assert counts["prediction_latency", "count"] == 3
    LoadForeteller(records, clock, never_learned).look()
    with records.reading() as session:
        assert list_forecasts(session, series=Service.INGEST.series)[1] == 3


def test_an_event_ahead_is_in_the_outlook_until_three_of_its_type_say_otherwise(records: Records) -> None:
    clock = MovedClock()
    seen(records, clock, np.full(3 * MINUTES, 100.0) + np.arange(3 * MINUTES) % 7)
    LoadForeteller(records, clock, never_learned).look()
    now = to_datetime(clock.now_us())
    with records.reading() as session:
        plain = outlook(session, Service.INGEST, now)
    with records.writing() as session:
        add_event(session, event("a", clock, begins_in=5, ends_in=40))
        announced = outlook(session, Service.INGEST, now)
    assert plain.p90 is not None
    assert announced.p90 == pytest.approx(3 * plain.p90)
    assert announced.events == ("shift_change_aaaaaa",)
    with records.writing() as session:
        for identity, measured in (("b", 1.4), ("c", 1.5), ("d", 9.0)):
            add_event(session, event(identity, clock, begins_in=-900, ends_in=-800))
            keep_measured(session, identity * 32, {"ingest": measured})
        learned = outlook(session, Service.INGEST, now)
    assert learned.p90 == pytest.approx(1.5 * plain.p90)


@pytest.mark.slow
def test_what_an_event_did_is_measured_when_it_is_over(records: Records) -> None:
    clock = MovedClock()
    seen(records, clock, np.full(3 * MINUTES, 100.0) + np.arange(3 * MINUTES) % 7)
    with records.writing() as session:
        add_event(session, event("a", clock, begins_in=14, ends_in=60, multiplier=3.0))
    foreteller = LoadForeteller(records, clock, never_learned)
    for step in range(16):
        foreteller.look()
        seen_s = clock.ahead_s
        clock.ahead_s = seen_s + 300.0
        seen(records, clock, np.full(5, 200.0 if 2 <= step < 12 else 100.0))
    foreteller.look()
    with records.reading() as session:
        found = find_event(session, "a" * 32)
    assert found is not None
    assert found.measured["ingest"] == pytest.approx(2.0, rel=0.1)


def test_a_share_of_the_load_tells_of_a_larger_effect_on_it() -> None:
    assert measured_effect([1.5, 1.5, 1.5], 0.5) == pytest.approx(2.0)
    assert measured_effect([1.5, 1.5], 1.0) is None
    assert measured_effect([1.5, 1.5, 1.5], 0.0) is None


@pytest.mark.slow
def test_half_of_the_load_gone_for_three_minutes_is_told_once(records: Records) -> None:
    clock = MovedClock()
    generator = np.random.default_rng(3)
    seen(records, clock, generator.normal(100, 4, 3 * MINUTES))
    foreteller, oddities = LoadForeteller(records, clock, never_learned), LoadOddities(records, clock)
    for _ in range(36):
        foreteller.look()
        clock.ahead_s += 300.0
        seen(records, clock, generator.normal(100, 4, 5))
        oddities.look()
    foreteller.look()
    clock.ahead_s += 180.0
    seen(records, clock, np.full(3, 50.0))
    oddities.look()
    oddities.look()
    with records.reading() as session:
        found = [one for one in read_notices(session, after=0, limit=99) if one.kind is NoticeKind.PREDICTION_ANOMALY]
    assert [(one.subject, one.data["actual_value"]) for one in found] == [("ingest", 50.0)]


@given(p1=st.floats(0, 1e6), more=st.floats(0, 1e6), share=st.floats(0, 1))
def test_nothing_within_the_quantiles_is_odd(p1: float, more: float, share: float) -> None:
    assert not is_odd(p1 + share * more, p1, p1 + more)


def test_effects_of_a_span_begin_and_end_with_their_minutes(records: Records) -> None:
    clock = MovedClock()
    minute = clock.now_us() // MINUTE_US
    with records.writing() as session:
        add_event(session, event("a", clock, begins_in=2, ends_in=4))
        found = EventEffects(session).over(Service.API, minute, 6)
    assert found.tolist() == [1, 1, 3, 3, 1, 1]
