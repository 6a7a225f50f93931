"""Health scores: what they are made of, and how the parts become one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.analysis.health.score import (
    PARTS,
    WEIGHTS,
    anomaly_freedom,
    completeness,
    drift_freedom,
    health_scores,
    limit_margin,
    trend_room,
)
from cloud.domain.health import Band, Part, band_of

PART = st.one_of(st.none(), st.floats(0, 1))
ROW = st.lists(PART, min_size=5, max_size=5)


def score(*parts: float | None) -> float:
    row = np.array([[math.nan if part is None else part for part in parts]], np.float64)
    return float(health_scores(row)[0])


def test_the_score_is_the_weighted_geometric_mean_of_its_parts() -> None:
    expected = 0.8**0.35 * 0.5**0.25 * 0.9**0.2 * 0.5**0.1 * 1.0**0.1
    assert score(0.8, 0.5, 0.9, 0.5, 1.0) == pytest.approx(expected)
    assert dict(zip(PARTS, WEIGHTS.tolist(), strict=True))[Part.LIMITS] == 0.35
    assert WEIGHTS.sum() == pytest.approx(1.0)


def test_parts_that_are_not_known_drop_out_and_the_others_carry_their_weight() -> None:
    assert score(0.8, None, None, None, 0.5) == pytest.approx((0.8**0.35 * 0.5**0.1) ** (1 / 0.45))


def test_a_part_counts_one_hundredth_at_least() -> None:
    assert score(0.0, 1.0, 1.0, 1.0, 1.0) == pytest.approx(0.01**0.35)


def test_without_limits_anomalies_and_trend_nothing_is_measured() -> None:
    assert math.isnan(score(None, None, None, 0.5, 1.0))


@given(ROW, st.integers(0, 4), st.floats(0, 1))
def test_a_score_is_within_its_bounds_and_a_better_part_never_makes_it_worse(
    row: list[float | None], place: int, other: float
) -> None:
    found = score(*row)
    assert math.isnan(found) == (row[:3] == [None] * 3)
    if math.isnan(found) or row[place] is None:
        return
    assert 0.01 <= found <= 1.0
    changed = [*row[:place], other, *row[place + 1 :]]
    before = row[place] or 0.0
    assert (score(*changed) - found) * (other - before) >= -1e-12


@pytest.mark.parametrize(
    ("value", "warn", "crit", "margin"),
    [(4.0, 4.0, 8.0, 1.0), (6.0, 4.0, 8.0, 0.5), (9.0, 4.0, 8.0, 0.0), (1.0, 4.0, 8.0, 1.0), (1.5, 2.0, 1.0, 0.5)],
)
def test_the_margin_falls_from_the_warning_to_the_critical_limit_on_either_side(
    value: float, warn: float, crit: float, margin: float
) -> None:
    assert float(limit_margin(np.array(value), np.array(warn), np.array(crit))) == pytest.approx(margin)


def test_a_model_that_cries_as_often_as_it_promised_is_no_burden() -> None:
    shares = np.array([0.0, 0.2, 0.35, 0.5, 0.9])
    assert anomaly_freedom(shares, np.full(5, 0.2)).tolist() == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])
    assert anomaly_freedom(np.array([0.01]), np.array([0.0])).tolist() == [1.0]


def test_a_trend_has_two_weeks_of_room() -> None:
    assert trend_room(np.array([math.inf, 336.0, 168.0, 0.0])).tolist() == [1.0, 1.0, 0.5, 0.0]


def test_drift_costs_a_half_at_most_and_is_unknown_without_checks() -> None:
    found = drift_freedom(np.array([0, 1, 4, 0]), np.array([4, 4, 4, 0]))
    assert found[:3].tolist() == [1.0, 0.75, 0.5]
    assert math.isnan(found[3])


def test_completeness_is_good_of_expected() -> None:
    found = completeness(np.array([30.0, 70.0, 5.0]), np.array([60.0, 60.0, 0.0]))
    assert found[:2].tolist() == [0.5, 1.0]
    assert math.isnan(found[2])


@pytest.mark.parametrize(
    ("score", "before", "after"),
    [
        (0.39, Band.NORMAL, Band.CRITICAL),
        (0.44, Band.CRITICAL, Band.CRITICAL),
        (0.45, Band.CRITICAL, Band.WARNING),
        (0.69, Band.NORMAL, Band.WARNING),
        (0.74, Band.WARNING, Band.WARNING),
        (0.74, Band.CRITICAL, Band.WARNING),
        (0.74, Band.NORMAL, Band.NORMAL),
        (0.75, Band.WARNING, Band.NORMAL),
        (None, Band.CRITICAL, Band.NORMAL),
    ],
)
def test_a_band_is_left_upwards_only_beyond_the_hysteresis(score: float | None, before: Band, after: Band) -> None:
    assert band_of(score, before) is after
