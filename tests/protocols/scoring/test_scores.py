"""Thresholds and scores 0..1: laws, and what a tail makes of few rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.scoring.evidence import independent_rows, surprises
from protocols.scoring.scores import Calibration, body_of, calibrated, tail_of, threshold_of
from tests.support.machines import remembering


class Learned(Calibration):
    """What 500 normal scores make of themselves."""

    threshold = 1.5
    body = body_of(np.random.default_rng(1).normal(size=500), 1.5)
    tail = 0.3


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50))
def test_a_higher_raw_score_never_has_a_lower_one(raw: list[float]) -> None:
    scores = calibrated(np.sort(np.array(raw)), Learned())
    assert (np.diff(scores) >= 0).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_threshold_is_one_half_and_unknown_stays_unknown() -> None:
    scores = calibrated(np.array([1.5, np.nan, 1.5 + 0.3]), Learned())
    assert scores[0] == pytest.approx(0.5)
    assert np.isnan(scores[1])
    assert scores[2] == pytest.approx(1 - 0.5 / np.e)


@pytest.mark.parametrize("rows", [2_000, 8_000, 40_000])
def test_the_promised_share_lies_over_the_threshold(rows: int) -> None:
    draw = np.random.default_rng(rows)
    shares = [
        float(np.mean(draw.exponential(size=100_000) > threshold_of(draw.exponential(size=rows), 0.01)))
        for _ in range(20)
    ]
    assert np.mean(shares) == pytest.approx(0.01, rel=0.3)


def test_a_tail_fitted_to_many_rows_is_steadier_than_their_quantile() -> None:
    draw = np.random.default_rng(5)
    samples = [draw.exponential(size=4_000) for _ in range(200)]
    fitted = np.std([threshold_of(one, 0.001) for one in samples])
    assert fitted < np.std([float(np.quantile(one, 0.999)) for one in samples])


def test_one_run_of_excesses_weighs_little_against_the_prior() -> None:
    calm = np.zeros(400)
    calm[100:140] = 50.0
    assert tail_of(calm, 60.0, prior=0.2) < tail_of(calm, 60.0) / 5


def test_memory_makes_rows_fewer() -> None:
    fresh, remembered = (independent_rows(remembering(3, 4_000, 4, memory=memory)) for memory in (0.0, 0.9))
    assert np.median(fresh) > 2_500
    assert 100 < np.median(remembered) < 400


@given(st.floats(-30, 30))
def test_surprise_is_the_square_where_much_is_known_and_less_where_little_is(residual: float) -> None:
    many, few = (float(surprises(np.array([residual]), np.array([dof]))[0]) for dof in (1e9, 3.0))
    assert many == pytest.approx(residual**2, rel=1e-5, abs=1e-6)
    assert few <= 4 / 3 * residual**2 + 1e-12
