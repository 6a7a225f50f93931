"""Rules beside the model: a stuck channel is found in seconds, and what stands still by nature is never blamed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_agent.detectors.bounds import BoundsDetector
from edge_agent.detectors.frozen import FrozenDetector
from edge_agent.detectors.rate import RateDetector
from tests.support.judging import PERIOD_S, Bench, Floats, healthy, play, rows_of

LONG = 6_000


def setpoint(n: int) -> Floats:
    """Return one that is changed now and then, the last time long before the end."""
    return np.repeat([60.0, 55.0, 60.0, 62.0], [100, 150, 300, n - 550])


def counter(n: int) -> Floats:
    """Return one that rises with every row and stops half-way."""
    return np.minimum(np.arange(n), n // 2).astype(float)


def flag(n: int) -> Floats:
    return (np.arange(n) < n // 2).astype(float)


def coarse(n: int) -> Floats:
    """Return a quantity that is rounded to more than its noise."""
    return np.round(20 + np.cumsum(np.random.default_rng(2).normal(size=n)) * 0.02, 0)


def cut_off(n: int) -> Floats:
    """Return a flow that is exactly zero after half of the time."""
    return np.where(np.arange(n) < n // 2, healthy(n)[:, 0], 0.0)


@pytest.mark.parametrize("make", [setpoint, counter, flag, coarse, cut_off])
def test_what_stands_still_by_nature_is_never_frozen(make: Callable[[int], Floats], tmp_path: Path) -> None:
    values = healthy(LONG)
    values[:, 0] = make(LONG)
    assert play(FrozenDetector(Bench(tmp_path).subject()), rows_of(values)) == []


def test_a_whole_device_that_stands_still_is_not_frozen(tmp_path: Path) -> None:
    values = healthy(LONG)
    values[LONG // 2 :] = values[LONG // 2]
    assert play(FrozenDetector(Bench(tmp_path).subject()), rows_of(values)) == []


@pytest.mark.parametrize("resolution", [1e-9, 0.01, 0.05])
def test_a_stuck_channel_is_found_in_seconds_even_where_it_often_repeats(resolution: float, tmp_path: Path) -> None:
    values = np.round(healthy(2_000, seed=3) / resolution) * resolution
    values[1_000:, 1] = values[1_000, 1]
    told = play(FrozenDetector(Bench(tmp_path).subject()), rows_of(values))
    assert [turn.shares[0][0] for _, turn in told] == ["pressure"]
    assert told[0][0] / 1e6 - 1_000 * PERIOD_S < 8
    assert "never still for so long" in told[0][1].limit


def test_a_device_polled_faster_than_it_measures_is_judged_all_the_same(tmp_path: Path) -> None:
    values = healthy(600, seed=3)
    values[400:, 1] = values[400, 1]
    told = play(FrozenDetector(Bench(tmp_path).subject()), rows_of(np.repeat(values, 5, axis=0)))
    assert [turn.shares[0][0] for _, turn in told] == ["pressure"]


def test_how_long_can_be_said_outright_and_zero_is_off(tmp_path: Path) -> None:
    values = healthy(1_000, seed=3)
    values[500:, 1] = values[500, 1]
    bench = Bench(tmp_path)
    ((at_us, _),) = play(FrozenDetector(bench.subject(frozen_s=10.0)), rows_of(values))
    assert at_us / 1e6 == pytest.approx(60.0, abs=0.2)
    assert play(FrozenDetector(bench.subject(frozen_s=0)), rows_of(values)) == []


def test_one_row_outside_its_range_is_no_anomaly(tmp_path: Path) -> None:
    values = healthy(300)
    values[100, 1] = 30.0
    subject = Bench(tmp_path).subject(high=np.array([np.inf, 8.0, np.inf]))
    assert play(BoundsDetector(subject), rows_of(values)) == []


def test_a_broken_range_says_by_how_much(tmp_path: Path) -> None:
    values = healthy(300)
    values[100:, 1] = 30.0
    subject = Bench(tmp_path).subject(high=np.array([np.inf, 8.0, np.inf]))
    ((_, turn),) = play(BoundsDetector(subject), rows_of(values))
    assert turn.limit == "30 above 8 bar"


def test_a_rate_says_by_how_much_and_is_not_taken_across_bad_readings(tmp_path: Path) -> None:
    values = np.tile(np.array([50.0, 4.0, 9.0]), (300, 1))
    values[100:, 1] = 9.0
    subject = Bench(tmp_path).subject(rate=np.array([0.0, 10.0, 0.0]))
    told = play(RateDetector(subject), rows_of(values))
    assert [turn.is_opening for _, turn in told] == [True, False]
    assert told[0][1].limit == "50 above 10 bar/s"
    values[99, 1] = np.nan
    assert play(RateDetector(subject), rows_of(values)) == []
