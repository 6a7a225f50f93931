"""A threshold moves to where normal ends by rows that came after the fit, a little, and never far."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.scoring.fit import fit
from protocols.scoring.loader import load_network
from protocols.scoring.model import Scoring
from protocols.scoring.recalibration import (
    ABOVE,
    BELOW,
    BINS,
    MOST,
    MOST_A_BLOCK,
    Curve,
    Tally,
    recalibrated,
    rows_a_block,
)
from protocols.scoring.scorer import Scorer
from protocols.scoring.scores import BODY_POINTS, calibrated
from tests.support.machines import related, remembering

FITTED = fit(related(1, 600), tuple("abcdef"), period_s=1.0).scoring
BIN = (BELOW + ABOVE) / BINS
curves = st.lists(st.floats(-40, 40), min_size=BODY_POINTS, max_size=BODY_POINTS).map(lambda raw: tuple(sorted(raw)))


def flat(at: float) -> Curve:
    """Return the curve of scores that end there."""
    return tuple(np.linspace(at - 4, at, BODY_POINTS).tolist())


@settings(max_examples=30, deadline=None)
@given(st.lists(curves, min_size=1, max_size=15))
def test_whatever_comes_moves_it_by_a_bounded_step_and_never_far(blocks: list[Curve]) -> None:
    before, after = recalibrated(FITTED, blocks[:-1]), recalibrated(FITTED, blocks)
    assert abs(after.threshold - before.threshold) <= MOST_A_BLOCK + 1e-9
    assert abs(after.threshold - FITTED.threshold) <= MOST + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(curves, max_size=15), st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_scores_still_rise_with_the_raw_ones_and_are_half_at_the_threshold(
    blocks: list[Curve], raw: list[float]
) -> None:
    scoring = recalibrated(FITTED, blocks)
    assert calibrated(np.array([scoring.threshold]), scoring)[0] == pytest.approx(0.5)
    scores = calibrated(np.sort(raw), scoring)
    assert (np.diff(scores) >= -1e-12).all()
    assert scoring.body[-1] == scoring.threshold
    assert scoring.tail == FITTED.tail


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 7), st.data())
def test_what_happened_in_fewer_than_half_of_the_blocks_changes_nothing(n_bad: int, data: st.DataObject) -> None:
    good = [flat(FITTED.threshold + 0.05)] * 8
    bad = [flat(data.draw(st.floats(1, 40))) for _ in range(n_bad)]
    assert recalibrated(FITTED, good + bad).threshold == pytest.approx(
        recalibrated(FITTED, good + good[:n_bad]).threshold
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(300, 3_000), st.sampled_from([0.01, 0.05]))
def test_a_tally_knows_quantiles_to_a_bin(seed: int, n: int, alarm_share: float) -> None:
    raw = np.random.default_rng(seed).uniform(-2, 0.5, n)
    tally = Tally(0.0)
    for part in np.array_split(raw, 7):
        tally.add(part)
    exact = np.quantile(raw, np.linspace(0, 1 - alarm_share, BODY_POINTS), method="inverted_cdf")
    assert tally.rows == n
    np.testing.assert_allclose(tally.curve(alarm_share), exact, atol=2 * BIN)


@pytest.mark.parametrize("raw", [np.inf, -np.inf, 1e300, -1e300])
def test_a_tally_takes_scores_beyond_its_bins(raw: float) -> None:
    tally = Tally(0.0)
    tally.add(np.full(10, raw))
    assert np.isfinite(tally.curve(0.01)).all()


def test_rows_later_than_the_fit_correct_a_threshold_that_came_out_wrong() -> None:
    off, mended = [], []
    for seed in range(3):
        rows = remembering(seed, 12_000, 4)
        fitted = fit(rows[:1_500], tuple("abcd"), period_s=1.0)
        raw = Scorer(fitted.scoring, load_network(fitted.network)).take(rows[1_500:], may_adapt=False).raw[60:]
        for wrong in (-0.15, 0.15):
            scoring = msgspec.structs.replace(fitted.scoring, threshold=fitted.scoring.threshold + wrong)
            off.append(_distance(raw[6_000:], scoring))
            mended.append(_distance(raw[6_000:], recalibrated(scoring, _blocks(raw[:6_000], scoring))))
    assert np.mean(mended) < 0.6 * np.mean(off)


def test_without_blocks_it_is_what_was_fitted() -> None:
    assert recalibrated(FITTED, ()) == FITTED


def test_a_fit_that_has_no_body_gets_one() -> None:
    bare = msgspec.structs.replace(FITTED, body=())
    assert recalibrated(bare, [flat(bare.threshold)]).threshold == pytest.approx(bare.threshold)


def _blocks(raw: np.ndarray, scoring: Scoring) -> list[Curve]:
    blocks = []
    for begin in range(0, len(raw), rows_a_block(scoring)):
        tally = Tally(scoring.threshold)
        tally.add(raw[begin : begin + rows_a_block(scoring)])
        blocks.append(tally.curve(scoring.alarm_share))
    return blocks


def _distance(raw: np.ndarray, scoring: Scoring) -> float:
    """Return how far the share of rows over the threshold is from what it promises, in powers of e."""
    share = max(float(np.mean(raw > scoring.threshold)), 1e-4)
    return float(abs(np.log(share / scoring.alarm_share)))
