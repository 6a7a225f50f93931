"""When a wandering distance reaches zero: laws of the first passage, and healthy machines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.analysis.first_passage import Wiener, fit_wiener, passage_probability, passage_time
from cloud.analysis.remaining_life import life_of_chance, life_of_walk
from tests.cloud.analysis.rows import autoregressive, daily

DRIFTS = st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-6) | st.just(0.0)
VARIANCES = st.floats(1e-9, 1e6) | st.just(0.0)
DISTANCES = st.floats(0, 1e6)
HOURS = st.floats(1e-3, 1e5)
WEEK = 168.0


def chance(process: Wiener, distance: float, hours: float) -> float:
    return float(passage_probability(process, np.array([distance]), hours)[0])


@given(DRIFTS, VARIANCES, DISTANCES, st.tuples(HOURS, HOURS))
def test_a_longer_horizon_is_never_less_likely(
    drift: float, variance: float, distance: float, hours: tuple[float, float]
) -> None:
    process = Wiener(drift, variance)
    soon, later = (chance(process, distance, horizon) for horizon in sorted(hours))
    assert 0 <= soon <= later + 1e-9
    assert later <= 1


@given(DRIFTS, VARIANCES, st.tuples(DISTANCES, DISTANCES), HOURS)
def test_a_larger_distance_is_never_more_likely(
    drift: float, variance: float, distances: tuple[float, float], hours: float
) -> None:
    near, far = (chance(Wiener(drift, variance), distance, hours) for distance in sorted(distances))
    assert far <= near + 1e-9


def test_the_chance_is_that_of_simulated_walks() -> None:
    generator = np.random.default_rng(1)
    process, distance, hours, steps = Wiener(0.02, 0.09), 3.0, 100, 50
    noise = generator.standard_normal((2000, hours * steps))
    moves = process.approach / steps + np.sqrt(process.variance / steps) * noise
    reached = (np.cumsum(moves, axis=1) >= distance).any(axis=1).mean()
    assert chance(process, distance, hours) == pytest.approx(reached, abs=0.04)


def test_beyond_the_limit_it_has_failed() -> None:
    assert chance(Wiener(0.0, 0.0), -1.0, 1.0) == 1.0
    assert chance(Wiener(-5.0, 1e-6), 0.0, 1.0) == 1.0


def test_a_still_distance_never_fails_and_a_sure_approach_does() -> None:
    assert chance(Wiener(0.0, 0.0), 1.0, 1e6) == 0.0
    assert (chance(Wiener(1.0, 0.0), 10.0, 9.0), chance(Wiener(1.0, 0.0), 10.0, 11.0)) == (0.0, 1.0)


def test_the_walk_is_told_from_noise_and_from_the_daily_cycle() -> None:
    generator = np.random.default_rng(2)
    hours = 24 * 60
    walk = np.cumsum(0.1 * generator.standard_normal(hours))
    found = [fit_wiener(walk + 0.2 * daily(hours) + noise * generator.standard_normal(hours)) for noise in (0.0, 0.1)]
    still = fit_wiener(10 + 2 * daily(hours))
    assert [one.variance for one in found] == pytest.approx([0.01, 0.01], rel=0.6)
    assert still.variance == pytest.approx(0, abs=1e-9)


def test_a_steady_approach_is_seen_and_a_day_without_readings_is_borne() -> None:
    hours = np.arange(24 * 14, dtype=float)
    distance = 50 - 0.1 * hours + 0.2 * daily(len(hours))
    assert fit_wiener(distance).approach == pytest.approx(0.1, rel=0.05)
    distance[30:54] = np.nan
    assert np.isfinite(fit_wiener(distance).variance)


@pytest.mark.parametrize(("r", "limit"), [(0.9, 6.0), (0.98, 7.0)])
def test_healthy_machines_are_hardly_ever_called_failing(r: float, limit: float) -> None:
    generator = np.random.default_rng(3)
    called = []
    for _ in range(100):
        hours = autoregressive(generator, 24 * 14, r) + 0.8 * daily(24 * 14)
        distance = limit - hours
        called.append((passage_probability(fit_wiener(distance), distance[-24:], WEEK) >= 0.5).mean())
    assert np.mean(called) <= 0.01


def test_a_machine_on_its_way_to_the_limit_is_called_failing() -> None:
    generator = np.random.default_rng(4)
    called = []
    for _ in range(30):
        ramp = np.maximum(0, np.arange(24 * 14) - 24 * 6) / 24 * 0.65
        distance = 6 - ramp - 0.3 * autoregressive(generator, 24 * 14, 0.9)
        called.append(chance(fit_wiener(distance), float(distance[-1]), WEEK) >= 0.5)
    assert np.mean(called) >= 0.9


@given(DRIFTS, st.floats(1e-6, 1e3), st.floats(1e-3, 1e3))
def test_remaining_life_is_an_interval_around_the_middle(drift: float, variance: float, distance: float) -> None:
    life = life_of_walk(Wiener(drift, variance), distance)
    known = [one for one in (life.earliest_h, life.expected_h, life.latest_h) if one is not None]
    assert known == sorted(known)
    if life.latest_h is not None:
        assert chance(Wiener(drift, variance), distance, life.latest_h) == pytest.approx(0.9, abs=0.01)


def test_time_to_passage_is_none_where_it_never_comes() -> None:
    assert passage_time(Wiener(-1.0, 0.1), 10.0, 0.5) is None
    assert life_of_chance(0.0, WEEK).expected_h is None
    assert life_of_chance(0.5, WEEK).expected_h == pytest.approx(WEEK)
