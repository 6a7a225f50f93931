"""Novelty: what was never seen scores high, what repeats does not, and nothing looks ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.learning.novelty import (
    THRESHOLD,
    Pace,
    distances,
    held,
    novelty,
    seasonal_difference,
    trailing_mean,
)
from cloud.learning.table import Floats

N = 2000
PACE = Pace.of(N, 300.0)


def test_a_series_is_judged_by_what_came_before_only() -> None:
    series = daily(0)
    other = series.copy()
    other[1500:] = -7.0
    assert np.array_equal(novelty(series, PACE)[:1500], novelty(other, PACE)[:1500])


def test_a_step_to_where_the_series_never_was_is_found_at_once() -> None:
    series = daily(1)
    series[1400:] += 8.0
    first = int(np.flatnonzero(novelty(series, PACE)[PACE.learn :] >= THRESHOLD)[0]) + PACE.learn
    assert first == 1400


def test_a_day_that_is_unlike_the_others_is_found_though_each_value_has_been_there_before() -> None:
    series = daily(2)
    night = slice(1340, 1396)  # the wave is at its lowest
    series[night] = 1.0
    assert novelty(series, PACE)[night].max() >= THRESHOLD


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_series_seldom_alarms(seed: int) -> None:
    alarms = held(novelty(daily(seed), PACE), THRESHOLD, PACE.hold)
    assert alarms.sum() <= 6  # of 1,700 judged rows


@pytest.mark.parametrize("value", [0.0, 5.0, -1e9])
def test_a_constant_is_never_strange(value: float) -> None:
    assert not novelty(np.full(N, value), PACE).any()


def test_the_first_other_value_of_a_constant_is_strange_and_its_score_finite() -> None:
    series = np.full(N, 4.0)
    series[1500] = 4.1
    scores = novelty(series, PACE)
    assert np.isfinite(scores).all()
    assert scores.argmax() in range(1500, 1550)
    assert scores[1500] >= THRESHOLD


def test_what_is_not_learned_stays_strange() -> None:
    series = daily(6)
    series[1400:] += 8.0
    still = novelty(series, PACE, learned=1400)[1400:]
    assert still.min() > novelty(series, PACE)[1500:].max()
    assert still.min() >= THRESHOLD


def test_nothing_is_judged_while_learning() -> None:
    assert not novelty(daily(3), PACE)[: PACE.learn].any()


def test_the_scale_and_place_of_a_series_do_not_matter() -> None:
    series = daily(4)
    assert np.allclose(novelty(series, PACE), novelty(series * 1024.0, PACE))


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60), st.integers(1, 70))
def test_a_trailing_mean_is_the_mean_of_the_rows_so_far(values: list[float], rows: int) -> None:
    found = trailing_mean(np.array(values), rows)
    expected = [np.mean(values[max(0, at - rows + 1) : at + 1]) for at in range(len(values))]
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_a_distance_is_the_mean_to_the_five_nearest_earlier_values(seed: int) -> None:
    view = np.random.default_rng(seed).normal(size=60).round(2)
    found = distances(view, 10, 60)
    for at in (10, 35, 59):
        assert np.isclose(found[at], np.sort(np.abs(view[:at] - view[at]))[:5].mean())


def test_a_seasonal_difference_has_nothing_to_compare_the_first_day_with() -> None:
    difference = seasonal_difference(daily(5), 288)
    assert not difference[:287].any()
    assert np.abs(difference[600:]).mean() < 1.0


@given(st.lists(st.floats(0, 10), min_size=1, max_size=80), st.integers(1, 30))
def test_alarms_lie_apart_and_over_the_threshold(scores: list[float], hold: int) -> None:
    opened = np.flatnonzero(held(np.array(scores), 5.0, hold))
    assert (np.diff(opened) >= hold).all()
    assert all(scores[at] >= 5.0 for at in opened)
    assert (len(opened) > 0) == (max(scores) >= 5.0)


def daily(seed: int) -> Floats:
    """Return a day's wave of 288 rows with noise."""
    rng = np.random.default_rng(seed)
    wave: Floats = np.sin(2 * np.pi * np.arange(N) / 288) + 0.2 * rng.normal(size=N)
    return wave
