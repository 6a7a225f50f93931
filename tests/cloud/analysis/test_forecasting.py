"""Quantile forecasts: in order, causal, free of units, corrected by what matured, and never a NaN in a figure."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.analysis.accuracy import Accuracy, confidence, error_percentage, measure, measure_columns
from cloud.analysis.conformal import corrected, correction, shifts
from cloud.analysis.forecasting import LEARNED, NAIVE, Forecaster, Grid, Quantiles, learn
from cloud.analysis.series import NAMES, bridged, features, history_needed, scales
from cloud.domain.forecast import LEVELS, Forecast
from cloud.learning.quantiles import fit_quantiles
from cloud.ports import SeriesKey
from tests.cloud.analysis.rows import Floats, autoregressive, daily

DAY = 24
NUMBERS = st.floats(-1e6, 1e6)


def series(days: int, seed: int = 1) -> Floats:
    generator = np.random.default_rng(seed)
    return 20 + 3 * daily(days * DAY) + autoregressive(generator, days * DAY, 0.9)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return learn(Grid(series(60), DAY), 6, fit_quantiles)


def test_what_is_learned_beats_the_last_value(forecaster: Forecaster) -> None:
    values = series(60, seed=2)
    origins = np.arange(history_needed(DAY), len(values) - 6)
    found = forecaster.foretell(Grid(values, DAY), origins)
    actual = values[origins + 5]
    error = np.abs(found.quantiles[:, 2] - actual).mean()
    assert forecaster.method == LEARNED
    assert error < 0.6 * np.abs(values[origins - 1] - actual).mean()
    assert (np.diff(found.quantiles, axis=1) >= 0).all()


def test_no_feature_reads_beyond_its_origin() -> None:
    values = series(20)
    origins = np.array([history_needed(DAY), 300, 400])
    for horizon in (1, 6, 24, 30):
        before = features(values, origins, horizon, day=DAY)
        for index, origin in enumerate(origins):
            other = values.copy()
            other[origin:] = 1e9
            assert np.array_equal(features(other, origins[index : index + 1], horizon, day=DAY)[0], before[index])
    assert before.shape == (3, len(NAMES))
    assert np.isfinite(before).all()


@given(factor=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_features_are_free_of_units(factor: float, offset: float) -> None:
    values, origins = series(15), np.array([200, 340])
    plain = features(values, origins, 3, day=DAY)
    assert features(values * factor + offset, origins, 3, day=DAY) == pytest.approx(plain, rel=1e-3, abs=1e-6)


def test_a_still_series_has_a_scale_and_finite_features() -> None:
    values = np.full(15 * DAY, 7.0)
    origins = np.array([200])
    assert scales(values, origins, day=DAY)[0] > 0
    assert np.isfinite(features(values, origins, 1, day=DAY)).all()


def test_gaps_are_bridged_only_for_so_long() -> None:
    values = np.array([np.nan, 1, np.nan, np.nan, np.nan, np.nan, 2])
    assert np.array_equal(bridged(values, most=2), [np.nan, 1, 1, 1, np.nan, np.nan, 2], equal_nan=True)


def test_a_gap_in_what_is_looked_at_gives_no_forecast(forecaster: Forecaster) -> None:
    values = series(30)
    values[600:610] = np.nan
    found = forecaster.foretell(Grid(values, DAY), np.array([605, 620, 500]))
    assert np.isnan(found.quantiles[0]).all()
    assert np.isfinite(found.quantiles[2]).all()


def test_short_data_are_foretold_by_the_season_with_the_spread_of_its_errors() -> None:
    values = series(6)
    short = learn(Grid(values, DAY), 3, fit_quantiles)
    found = short.foretell(Grid(values, DAY), np.array([len(values)]))
    assert short.method == NAIVE
    assert found.quantiles[0, 2] == pytest.approx(values[len(values) + 2 - DAY], abs=1.5)
    assert (np.diff(found.quantiles[0]) >= 0).all()


def test_hours_of_events_teach_nothing() -> None:
    values = series(60)
    marked = np.zeros(len(values), bool)
    for start in range(200, len(values), 97):
        values[start : start + 8] += 50
        marked[start : start + 8] = True
    grid, origins = Grid(values, DAY), np.array([len(values) - 40])
    spread = [
        float(np.ptp(learn(grid, 6, fit_quantiles, excluded=mask).foretell(grid, origins).quantiles))
        for mask in (None, marked)
    ]
    assert spread[1] < spread[0]


@settings(max_examples=20)
@given(bias=st.floats(-1, 1), scatter=st.floats(0.3, 3), seed=st.integers(0, 99))
def test_the_correction_brings_every_level_to_its_share(bias: float, scatter: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    actual = bias + scatter * generator.standard_normal(6000)
    told = np.tile(np.array([-2.3, -1.3, 0.0, 1.3, 2.3]), (len(actual), 1))
    found = Quantiles(told, np.ones(len(actual)))
    moved = found.quantiles + shifts(found, actual)[:-1]
    below = (actual[2000:, None] <= moved[2000:]).mean(axis=0)
    assert below[[1, 3]] == pytest.approx([0.1, 0.9], abs=0.03)


def test_a_correction_reads_nothing_that_has_not_matured() -> None:
    generator = np.random.default_rng(3)
    actual = generator.standard_normal(100)
    found = Quantiles(np.tile(np.linspace(-2, 2, 5), (100, 1)), np.ones(100))
    other = actual.copy()
    other[60:] = 99
    assert np.array_equal(shifts(found, actual)[:61], shifts(found, other)[:61])


def test_with_few_residuals_quantiles_are_only_widened_and_called_not_calibrated() -> None:
    inward = np.array([0.5, 0.5, 0.0, -0.5, -0.5])
    few, many = correction(inward, 24 * 9, 24), correction(inward, 24 * 99, 24)
    assert (few.is_calibrated, many.is_calibrated) == (False, True)
    assert few.shift.tolist() == [0.0, 0.5, 0.0, -0.5, 0.0]
    assert many.shift.tolist() == inward.tolist()


@given(
    st.lists(NUMBERS, min_size=5, max_size=5),
    st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=5),
    st.floats(1e-6, 1e3),
)
def test_quantiles_never_fall_whatever_the_correction(told: list[float], shift: list[float], scale: float) -> None:
    found = Quantiles(np.sort(np.array([told])), np.array([scale]))
    moved = corrected(found, np.array([*shift[:2], 0.0, *shift[3:]]))
    assert (np.diff(moved[0]) >= 0).all()
    assert moved[0, 2] == found.quantiles[0, 2]


def forecast(median: float, actual: float | None) -> Forecast:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    levels = (median - 2, median - 1, median, median + 1, median + 2)
    return Forecast(
        SeriesKey("gw", "pump", "flow"), at, at, 60, levels, levels, 1.0, NAIVE, "v", is_calibrated=False, actual=actual
    )


@given(st.lists(st.tuples(NUMBERS, NUMBERS | st.just(0.0)), min_size=1, max_size=30))
def test_figures_are_finite_or_absent(pairs: list[tuple[float, float]]) -> None:
    found = measure([forecast(median, actual) for median, actual in pairs])
    figures = [found.mae, found.rmse, found.mape, found.wape, found.r2]
    assert all(one is None or np.isfinite(one) for one in figures)
    assert found.coverage is not None
    assert list(found.coverage) == list(LEVELS)


def test_figures_say_nothing_of_what_cannot_be_said() -> None:
    assert measure([forecast(1.0, None)]) == Accuracy(0)
    still = measure([forecast(1.0, 0.0), forecast(2.0, 0.0)])
    assert (still.mape, still.wape, still.r2, still.mae) == (None, None, None, 1.5)
    assert error_percentage(forecast(1.0, 0.0)) is None
    assert error_percentage(forecast(11.0, 10.0)) == pytest.approx(10.0)


def test_a_perfect_forecast_has_no_error() -> None:
    actual = np.arange(1.0, 11.0)
    found = measure_columns(np.repeat(actual[:, None], 5, axis=1), actual)
    assert (found.mae, found.mape, found.wape, found.r2) == (0, 0, 0, 1)


def test_confidence_needs_thirty_and_falls_with_errors() -> None:
    good = [forecast(100.0, 100.0 + (0.5 if index % 10 else 1.5)) for index in range(50)]
    bad = [forecast(100.0, 160.0) for _ in range(50)]
    assert confidence(good[:29]) is None
    assert (confidence(good) or 0) > 0.95
    assert (confidence(bad) or 0) < 0.1
