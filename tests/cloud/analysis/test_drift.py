"""The two verdicts of drift: what each cries at, and what it bears."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp  # type: ignore[import-untyped] # SciPy ships no types

from cloud.analysis.drift import FALSE_ALARMS, Evidence, documented, judge, stability_index, weigh
from tests.cloud.analysis.rows import Floats, autoregressive

BATCH, BASELINE = 500, 5000


def cries(generator: np.random.Generator, r: float, *, shift: float = 0.0, factor: float = 1.0) -> bool:
    recent = autoregressive(generator, BATCH, r) * factor + shift
    return judge([weigh(autoregressive(generator, BASELINE, r), recent)])[0].is_drift


@pytest.mark.filterwarnings("ignore:ks_2samp")
@given(
    first=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    second=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
)
def test_the_documented_verdict_is_the_two_sample_test(first: list[float], second: list[float]) -> None:
    expected = ks_2samp(np.array(second), np.array(first))
    found = documented(np.array(first), np.array(second), threshold=0.05)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.is_drift == (expected.pvalue < 0.05)


def test_where_nothing_drifts_the_documented_test_cries_and_the_corrected_one_hardly_ever() -> None:
    generator = np.random.default_rng(1)
    plain = [
        documented(autoregressive(generator, BASELINE, 0.95), autoregressive(generator, BATCH, 0.95), threshold=0.05)
        for _ in range(40)
    ]
    assert sum(one.is_drift for one in plain) > 25
    assert sum(cries(generator, 0.95) for _ in range(400)) <= 6


@pytest.mark.parametrize(("r", "shift", "factor"), [(0.95, 1.5, 1.0), (0.95, -1.5, 1.0), (0.0, 0.5, 1.0), (0.9, 0, 2)])
def test_a_shift_and_a_wider_scatter_are_found(r: float, shift: float, factor: float) -> None:
    generator = np.random.default_rng(2)
    assert sum(cries(generator, r, shift=shift, factor=factor) for _ in range(60)) >= 50


def test_another_shape_of_the_same_mean_and_scatter_is_found() -> None:
    generator = np.random.default_rng(3)
    two_humps = np.where(generator.random(BATCH) < 0.5, -1.0, 1.0) + 0.05 * generator.standard_normal(BATCH)
    found = weigh(generator.standard_normal(BASELINE), two_humps)
    assert found.shape_p < 1e-6
    assert judge([found])[0].is_drift


def test_the_effective_number_of_readings_is_that_of_a_first_order_series() -> None:
    generator = np.random.default_rng(4)
    r = 0.9
    found = weigh(autoregressive(generator, 20_000, r), autoregressive(generator, BATCH, r))
    assert found.autocorrelation == pytest.approx(r, abs=0.02)
    assert found.effective_recent == pytest.approx(BATCH * (1 - r) / (1 + r), rel=0.25)


def test_independent_readings_are_worth_what_they_are() -> None:
    generator = np.random.default_rng(5)
    found = weigh(generator.standard_normal(BASELINE), generator.standard_normal(BATCH))
    assert found.effective_recent == pytest.approx(BATCH, rel=0.15)


def test_a_wild_reading_or_another_unit_changes_nothing() -> None:
    generator = np.random.default_rng(6)
    baseline, recent = autoregressive(generator, BASELINE, 0.9), autoregressive(generator, BATCH, 0.9)
    plain = weigh(baseline, recent)
    other = weigh(baseline * 1000 - 7, recent * 1000 - 7)
    assert other.p_value == pytest.approx(plain.p_value)
    wild = recent.copy()
    wild[10] = 1e9
    assert weigh(baseline, wild).p_value > FALSE_ALARMS


def test_a_cycle_longer_than_the_window_is_no_drift() -> None:
    generator = np.random.default_rng(7)
    day = 5000
    noise = generator.standard_normal(10 * day)
    rows = 2 * np.sin(2 * np.pi * np.arange(10 * day) / day) + noise
    windows = [rows[at : at + BATCH] for at in range(9 * day, 10 * day, BATCH)]
    cried = sum(judge([weigh(rows[: 9 * day], window)])[0].is_drift for window in windows)
    assert cried == 0


@pytest.mark.parametrize(("value", "expected"), [(5.0, False), (6.0, True)])
def test_a_constant_baseline_drifts_when_the_value_changes(value: float, expected: bool) -> None:  # noqa: FBT001 - a table
    found = judge([weigh(np.full(100, 5.0), np.full(30, value))])[0]
    assert found.is_drift is expected


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_channels_are_adjusted_by_holm(p_values: list[float]) -> None:
    verdicts = judge([Evidence(p, 1.0, 1.0, 0.0, 10, 10) for p in p_values])
    raw = np.array([Evidence(p, 1.0, 1.0, 0.0, 10, 10).p_value for p in p_values])
    adjusted = np.array([one.p_value for one in verdicts])
    assert (adjusted >= raw - 1e-12).all()
    assert (adjusted <= np.minimum(1, raw * len(raw)) + 1e-12).all()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


def test_the_stability_index_is_zero_for_the_same_rows_and_large_for_others() -> None:
    rows: Floats = np.random.default_rng(8).standard_normal(2000)
    assert stability_index(rows, rows) == pytest.approx(0, abs=1e-9)
    assert stability_index(rows, rows + 1) > 0.25
    assert np.isfinite(stability_index(rows, np.full(50, 99.0)))
