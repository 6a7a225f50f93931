"""Health scores and failure predictions against machines whose end is known; the bench does the same for many."""

import numpy as np
import pytest
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from tests.support.twin import chances_of, healthy, run_to_failure, scores_of

HORIZON_H = 168


@pytest.mark.slow
def test_the_score_falls_hour_by_hour_on_machines_that_run_to_failure() -> None:
    generator = np.random.default_rng(7)
    found = []
    for _ in range(4):
        scores = scores_of(run_to_failure(generator, 12), every_min=60)
        known = np.isfinite(scores)
        found.append(float(spearmanr(np.flatnonzero(known), scores[known]).statistic))
    assert max(found) <= -0.8


@pytest.mark.slow
def test_a_healthy_machine_is_seldom_under_seven_tenths() -> None:
    scores = scores_of(healthy(np.random.default_rng(8), 30), every_min=15)
    assert float((scores < 0.7).mean()) <= 0.01


def test_chances_of_failure_are_better_than_the_base_rate_and_leave_healthy_machines_alone() -> None:
    generator = np.random.default_rng(9)
    pairs = [chances_of(run_to_failure(generator, 20), horizon_h=HORIZON_H, every_h=12) for _ in range(8)]
    chances, failed = (np.concatenate(each) for each in zip(*pairs, strict=True))
    assert ((chances - failed) ** 2).mean() < failed.mean() * (1 - failed.mean())
    calm = [chances_of(healthy(generator, 30), horizon_h=HORIZON_H, every_h=12)[0] for _ in range(4)]
    assert (np.concatenate(calm) >= 0.5).mean() <= 0.01
