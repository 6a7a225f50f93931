"""The hazard of a class of Devices: learned where the condition tells of failures, honest where it does not."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.analysis.condition import condition
from cloud.analysis.failure_history import Life, expose, limit_distances
from cloud.analysis.hazard import Exposure, Fitted, Hazard, fit_hazard
from cloud.errors import Invalid
from tests.cloud.analysis.rows import Floats

HORIZON = 168


def life(generator: np.random.Generator, *, tells: bool) -> Life:
    """Return 200 days of one Tag; before each failure it rises for ten days, where it tells at all."""
    size = 24 * 200
    values = generator.standard_normal(size)
    starts = np.arange(24 * 45, size, 24 * 45) + generator.integers(0, 24 * 10, 4)[: len(range(24 * 45, size, 24 * 45))]
    for start in starts[starts < size]:
        begin = max(0, start - 240)
        if tells:
            values[begin:start] += np.linspace(0, 8, start - begin)
    spans = np.stack([starts, starts + 12], axis=1).astype(float)
    return Life(values[None], limit_distances(values[None], [(None, 10.0)]), spans)


def fleet(*, tells: bool, count: int = 10) -> Exposure:
    generator = np.random.default_rng(1)
    return expose([life(generator, tells=tells) for _ in range(count)], horizon_h=HORIZON)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit_hazard(fleet(tells=True), horizon_h=HORIZON)


def test_a_condition_that_tells_of_failures_beats_the_base_rate(fitted: Fitted) -> None:
    assert fitted.failures >= 20
    assert fitted.brier < 0.7 * fitted.brier_of_base_rate


def test_failures_that_nothing_announces_fall_to_the_base_rate() -> None:
    exposure = fleet(tells=False)
    order = np.random.default_rng(2).permutation(len(exposure.rows))
    shuffled = Exposure(exposure.rows[order], exposure.failed, exposure.within, exposure.device)
    found = fit_hazard(shuffled, horizon_h=HORIZON)
    assert found.brier == pytest.approx(found.brier_of_base_rate, rel=0.1)


def test_chances_are_calibrated(fitted: Fitted) -> None:
    exposure = fleet(tells=True)
    known = np.isfinite(exposure.within)
    chance = fitted.hazard.within(exposure.rows[known], HORIZON)
    assert chance.mean() == pytest.approx(exposure.within[known].mean(), abs=0.02)


def test_a_longer_horizon_is_never_less_likely(fitted: Fitted) -> None:
    rows = fleet(tells=True).rows[::97]
    chances = [fitted.hazard.within(rows, hours) for hours in (1, 24, 168, 1000)]
    assert all((later >= sooner).all() for sooner, later in pairwise(chances))
    assert all(((one >= 0) & (one <= 1)).all() for one in chances)


def test_a_model_is_kept_as_plain_numbers(fitted: Fitted) -> None:
    rows = fleet(tells=True).rows[:50]
    again = Hazard.of_facts(fitted.hazard.facts())
    assert np.array_equal(again.within(rows, 24), fitted.hazard.within(rows, 24))
    with pytest.raises(Invalid, match="not a hazard model"):
        Hazard.of_facts({"horizon_h": 168})


def test_fewer_than_twenty_failures_are_refused() -> None:
    with pytest.raises(Invalid, match="20 are needed"):
        fit_hazard(fleet(tells=True, count=2), horizon_h=HORIZON)


@given(st.integers(0, 300), st.integers(1, 3))
def test_the_condition_of_an_hour_tells_nothing_of_later_ones(hour: int, tags: int) -> None:
    values: Floats = np.random.default_rng(3).standard_normal((tags, 301))
    other = values.copy()
    other[:, hour + 1 :] = 1e6
    failures = np.array([120.0])
    before = condition(values, values + 5, failures)[: hour + 1]
    assert np.array_equal(before, condition(other, other + 5, failures)[: hour + 1])
    assert np.isfinite(condition(values, np.full_like(values, np.nan), np.zeros(0))).all()


def test_hours_of_a_failure_are_not_under_watch() -> None:
    values = np.ones((1, 24 * 30))
    spans = np.array([[240.0, 360.0]])
    exposure = expose([Life(values, np.full_like(values, np.nan), spans)], horizon_h=48)
    assert len(exposure.rows) == len(range(0, 24 * 30 - 6, 6)) - 20
    assert int(exposure.failed.sum()) == 1
    assert int(np.nansum(exposure.within)) == 8
