"""What the parts of a health score are computed from: burden, trend, energy, usual work."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud.analysis.health.burden import HALF_LIFE_US, Burden
from cloud.analysis.health.efficiency import efficiency, learn_bands, regimes
from cloud.analysis.health.energy import counted, electric_power, held, integrated
from cloud.analysis.health.trend import LEAST_MEDIANS, Trend, fit_trend
from tests.support.twin import memory_noise

SECOND = 1_000_000
HOUR = 3600 * SECOND


def times(*seconds: float) -> NDArray[np.int64]:
    return np.array([round(one * SECOND) for one in seconds], np.int64)


def test_a_burden_halves_in_six_hours() -> None:
    first = Burden().after(np.array([HOUR]), np.array([True]))
    later = first.after(np.array([HOUR + HALF_LIFE_US]), np.array([False]))
    assert first.share == 1.0
    assert later.share == pytest.approx(0.5 / 1.5)
    assert Burden().share is None


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.integers(1, 39))
def test_rows_are_a_burden_the_same_however_they_come(flags: list[bool], cut: int) -> None:
    at, rows = HOUR + np.arange(len(flags)) * 600 * SECOND, np.array(flags)
    whole = Burden().after(at, rows)
    parts = Burden().after(at[:cut], rows[:cut]).after(at, rows)
    assert parts.share == pytest.approx(whole.share)
    assert parts.upto_us == whole.upto_us


def test_a_trend_needs_seventy_two_medians() -> None:
    rising = np.arange(168.0)
    rising[: 168 - LEAST_MEDIANS + 1] = np.nan
    assert fit_trend(rising) is None
    rising[168 - LEAST_MEDIANS] = 96.0
    assert fit_trend(rising) is not None


def test_a_trend_tells_when_the_limit_is_reached() -> None:
    generator = np.random.default_rng(5)
    trend = fit_trend(0.1 * np.arange(168.0) + 0.05 * generator.standard_normal(168))
    assert trend is not None
    assert trend.is_significant
    assert trend.hours_to(26.75, 20.0) == pytest.approx(100, rel=0.03)
    assert trend.hours_to(26.75, 20.0, passed_h=40) == pytest.approx(60, rel=0.05)
    assert trend.hours_to(-5.0, -2.0) == math.inf
    assert trend.hours_to(10.0, 5.0) == 0.0


def test_a_slope_within_three_standard_errors_reaches_nothing() -> None:
    assert Trend(slope=0.1, error=0.04, level=0.0, medians=168).hours_to(1.0, 0.5) == math.inf


def test_a_slow_wave_of_a_healthy_machine_is_hardly_ever_a_trend() -> None:
    generator = np.random.default_rng(11)
    found = [fit_trend(memory_noise(generator, 168, 0.9)) for _ in range(100)]
    assert sum(one is not None and one.is_significant for one in found) <= 10


def test_a_flat_line_is_no_trend() -> None:
    trend = fit_trend(np.full(168, 3.0))
    assert trend is not None
    assert (trend.slope, trend.is_significant) == (0.0, False)


def test_a_counter_that_begins_anew_counts_from_zero() -> None:
    assert counted(np.array([5.0, 7.0, 1.0, 4.0])) == 6.0
    assert counted(np.array([5.0])) == 0.0


def test_a_power_is_integrated_but_never_across_a_gap() -> None:
    at = times(0, 1800, 3600, 3600 + 7200)
    kilowatts = np.array([2.0, 2.0, 4.0, 4.0])
    assert integrated(at, kilowatts, longest_us=1800 * SECOND) == pytest.approx(1.0 + 1.5)
    assert integrated(at, kilowatts, longest_us=7200 * SECOND) == pytest.approx(1.0 + 1.5 + 8.0)


def test_three_phases_carry_root_three_as_much() -> None:
    volts, amperes, factor = np.array([400.0]), np.array([10.0]), np.array([0.8])
    assert electric_power(volts, amperes, factor, phases=1).tolist() == pytest.approx([3.2])
    assert electric_power(volts, amperes, factor, phases=3).tolist() == pytest.approx([3.2 * math.sqrt(3)])


def test_a_value_is_held_only_as_long_as_it_is_believed() -> None:
    found = held(times(0.5, 1, 3, 9), times(1, 2), np.array([10.0, 20.0]), longest_us=3 * SECOND)
    assert np.isnan(found).tolist() == [True, False, False, True]
    assert found[1:3].tolist() == [10.0, 20.0]
    assert np.isnan(held(times(1), times(), np.zeros(0), longest_us=SECOND)).all()


def test_a_device_is_as_efficient_as_it_keeps_to_its_usual_band() -> None:
    usual = np.linspace(0, 100, 1001)
    bands = learn_bands(usual, np.zeros(1001, np.int64))
    assert [bands[0].low, bands[0].high] == pytest.approx([10.0, 90.0])
    inside, outside = np.full(72, 50.0), np.full(72, 99.0)
    regime = np.zeros(144, np.int64)
    assert efficiency(np.full(144, 50.0), regime, bands) == 1.0
    assert efficiency(np.concatenate([inside, outside]), regime, bands) == pytest.approx(0.5 / bands[0].share)
    assert efficiency(inside, np.full(72, -1), bands) is None


def test_regimes_are_parted_by_the_steps_and_standing_still_is_none() -> None:
    assert regimes(np.array([5.0, 10.0, 11.0, 900.0, 901.0, np.nan]), 10.0, (900.0,)).tolist() == [-1, -1, 0, 0, 1, -1]


def test_a_regime_that_was_hardly_seen_teaches_nothing() -> None:
    assert learn_bands(np.arange(100.0), np.zeros(100, np.int64)) == {}
