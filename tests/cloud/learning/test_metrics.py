"""Figures agree with scikit-learn's where it has them, and with the plain definition where not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as known  # type: ignore[import-untyped]

from cloud.learning.metrics import auc_pr, best_f1_threshold, brier, coverage, decision, pinball


def drawn(seed: int, n: int = 200) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.2
    return truth, np.round(rng.normal(size=n) + truth, 1)


@given(st.integers(0, 50))
def test_rankings_and_decisions_are_scikit_learns(seed: int) -> None:
    truth, score = drawn(seed)
    assert auc_pr(truth, score) == pytest.approx(known.average_precision_score(truth, score))
    found = decision(truth, score > 0.5)
    assert found.f1 == pytest.approx(known.f1_score(truth, score > 0.5))
    assert found.precision == pytest.approx(known.precision_score(truth, score > 0.5))
    assert found.recall == pytest.approx(known.recall_score(truth, score > 0.5))
    assert found.mar == pytest.approx(100 * (1 - found.recall))


@given(st.integers(0, 50))
def test_the_threshold_is_less_than_one_hit_from_the_best_there_is(seed: int) -> None:
    truth, score = drawn(seed)
    threshold, f1 = best_f1_threshold(truth, score)
    assert f1 == pytest.approx(max(decision(truth, score >= cut).f1 for cut in np.unique(score)))
    assert score.min() <= threshold <= score.max()


def test_a_clear_gap_is_cut_inside_the_gap() -> None:
    truth = np.array([True] * 30 + [False] * 70)
    score = np.concatenate([np.linspace(0.8, 0.9, 30), np.linspace(0.1, 0.2, 70)])
    threshold, f1 = best_f1_threshold(truth, score)
    assert f1 == 1
    assert decision(truth, score > threshold).f1 > 0.96


def test_the_loss_of_a_quantile_is_least_at_that_quantile() -> None:
    values = np.random.default_rng(0).normal(size=5_000)
    losses = [pinball(values, np.full(5_000, at), 0.9) for at in (1.0, 1.2816, 1.6)]
    assert losses[1] == min(losses)
    assert coverage(values, np.full(5_000, 1.2816)) == pytest.approx(0.9, abs=0.02)


def test_a_sure_and_right_probability_costs_nothing() -> None:
    assert brier(np.array([True, False]), np.array([1.0, 0.0])) == 0
    assert brier(np.array([True, False]), np.array([0.5, 0.5])) == 0.25
