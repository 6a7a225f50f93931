"""How many instances are wanted: within bounds, never by surprise, and only down when fewer have fitted for a while."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.load import Service
from cloud.domain.scaling import (
    COOLDOWN,
    MUST_FIT,
    Bounds,
    DecisionType,
    ScalingDecision,
    Seen,
    Situation,
    Status,
    Trigger,
    Verification,
    decide,
    needed,
    percentile_95,
    verify,
)
from cloud.errors import Invalid

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
CALM = Situation(Service.INGEST, NOW, current=1, bounds=Bounds(1, 8), capacity=100.0)
LOADS = st.floats(0, 1e300)


def test_the_upper_forecast_may_take_seven_tenths_of_what_instances_can_do() -> None:
    verdict = decide(replace(CALM, p90=141.0, p99=150.0, events=("shift_change_1",), confidence=0.9))
    assert verdict.change is not None
    change = verdict.change
    assert (verdict.desired, change.target, change.kind, change.trigger) == (
        3,
        3,
        DecisionType.SCALE_UP,
        Trigger.FORECAST,
    )
    assert (change.prediction, change.confidence) == (141.0, 0.9)
    assert change.threshold == pytest.approx(70.0)
    assert "shift_change_1" in change.reasoning
    assert decide(replace(CALM, p90=139.9, p99=150.0)).desired == 2


def test_load_that_is_there_counts_where_it_is_more_than_was_foretold() -> None:
    verdict = decide(replace(CALM, p90=10.0, p99=12.0, observed=100.0))
    assert verdict.change is not None
    assert (verdict.change.target, verdict.change.trigger) == (2, Trigger.LOAD)


@given(
    capacity=st.floats(1e-300, 1e300),
    p90=st.none() | LOADS,
    p99=st.none() | LOADS,
    observed=LOADS,
    cpu=st.floats(0, 1),
    current=st.integers(1, 64),
    least=st.integers(1, 8),
    span=st.integers(0, 56),
    waited=st.none() | st.integers(0, 3600),
)
def test_a_decision_is_always_within_its_bounds(  # noqa: PLR0913 - what hypothesis draws
    *,
    capacity: float,
    p90: float | None,
    p99: float | None,
    observed: float,
    cpu: float,
    current: int,
    least: int,
    span: int,
    waited: int | None,
) -> None:
    bounds = Bounds(least, least + span)
    since = None if waited is None else NOW - timedelta(seconds=waited)
    verdict = decide(
        Situation(
            Service.API,
            NOW,
            bounds.clamp(current),
            bounds,
            capacity,
            observed=observed,
            p90=p90,
            p99=p99,
            cpu=cpu,
            small_since=since,
        )
    )
    assert bounds.least <= verdict.desired <= bounds.most
    if verdict.change is not None:
        assert bounds.least <= verdict.change.target <= bounds.most
        assert verdict.change.target != verdict.change.current
        assert not (verdict.change.kind is DecisionType.SCALE_UP and cpu > 0.85)


@given(first=LOADS, second=LOADS)
def test_more_load_never_needs_fewer_instances(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert needed(low, 10.0, Bounds(1, 64)) <= needed(high, 10.0, Bounds(1, 64))


def test_without_a_measured_capacity_nothing_changes() -> None:
    verdict = decide(replace(CALM, capacity=None, p90=1e9, p99=1e9))
    assert (verdict.desired, verdict.change) == (1, None)
    assert "not measured" in verdict.waits_for


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cpu": 0.86}, "busy"),
        ({"changed_at": NOW - COOLDOWN + timedelta(seconds=1)}, "five minutes"),
        ({"held_until": NOW + timedelta(seconds=1)}, "person"),
    ],
)
def test_what_speaks_against_growing_is_said(change: dict[str, object], why: str) -> None:
    verdict = decide(replace(CALM, p90=500.0, p99=500.0, **change))  # type: ignore[arg-type]  # drawn from a table
    assert verdict.change is None
    assert why in verdict.waits_for
    assert verdict.desired == 8


def test_it_shrinks_only_after_the_upper_forecast_fitted_for_ten_minutes() -> None:
    large = replace(CALM, current=4, p90=60.0, p99=90.0)
    begun = decide(large)
    assert (begun.desired, begun.change, begun.small_since) == (1, None, NOW)
    early = replace(large, small_since=NOW - MUST_FIT + timedelta(seconds=1))
    assert decide(early).change is None
    done = decide(replace(large, small_since=NOW - MUST_FIT))
    assert done.change is not None
    assert (done.change.target, done.change.kind) == (1, DecisionType.SCALE_DOWN)


def test_a_forecast_that_fits_no_more_begins_the_ten_minutes_anew() -> None:
    large = replace(CALM, current=2, p90=60.0, p99=150.0, small_since=NOW - MUST_FIT)
    assert decide(large).small_since is None


def test_a_target_outside_of_its_bounds_is_refused_and_named() -> None:
    with pytest.raises(Invalid, match="must be 1 to 8, and is 9"):
        CALM.bounds.check(9)


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (Seen(2, 0, [0.1] * 20), ""),
        (Seen(3, 0), ""),
        (Seen(1, 0, [0.1]), "1 of 2 instances are alive"),
        (Seen(2, 1, [0.1]), "1 of its processes died since"),
        (Seen(2, 0, [0.1, 2.0]), "wait for 2.0 s"),
    ],
)
def test_a_change_is_good_when_all_live_and_little_waits(seen: Seen, problem: str) -> None:
    found = verify(2, seen)
    assert problem in found
    assert bool(problem) == bool(found)


def test_a_decision_lives_from_pending_to_rolled_back() -> None:
    change = decide(replace(CALM, p90=141.0, p99=150.0)).change
    assert change is not None
    pending = ScalingDecision("0" * 32, change, "scaling", NOW)
    done = pending.execute(NOW)
    assert (pending.status, done.status, done.verification) == (Status.PENDING, Status.EXECUTED, Verification.PENDING)
    assert not done.is_due(NOW + timedelta(seconds=119))
    assert done.is_due(NOW + timedelta(seconds=120))
    good, bad = done.verify(NOW, ""), done.verify(NOW, "one died")
    assert (good.status, good.verification) == (Status.EXECUTED, Verification.SUCCESS)
    assert (bad.status, bad.verification, bad.problem) == (Status.ROLLED_BACK, Verification.FAILED, "one died")
    assert not good.is_due(NOW + timedelta(days=1))


def test_the_percentile_is_one_of_the_values() -> None:
    assert percentile_95([]) == 0
    assert percentile_95(range(1, 101)) == 95
