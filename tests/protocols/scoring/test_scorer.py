"""Scoring: causal, the same in any portions, and right about the channel."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocols.scoring.fit import FitOptions, fit
from protocols.scoring.loader import load_network
from protocols.scoring.model import Fitted, InvalidRows
from protocols.scoring.networks import FloatNetwork
from protocols.scoring.reduce import adapt_to, without
from protocols.scoring.scorer import Scored, Scorer
from protocols.scoring.whitening import residual_layer, spread_of, whitening_of
from tests.support.machines import related, remembering

Floats = NDArray[np.float64]
CHANNELS = tuple("abcdef")
ROWS = related(1, 1_000)
FITTED = fit(ROWS[:400], CHANNELS, period_s=1.0, options=FitOptions(smooth=3))
NETWORK = load_network(FITTED.network)


def scorer(fitted: Fitted = FITTED) -> Scorer:
    return Scorer(fitted.scoring, NETWORK if fitted is FITTED else load_network(fitted.network))


def joined(parts: Sequence[Scored]) -> Scored:
    return Scored(*(np.concatenate([getattr(part, name) for part in parts]) for name in Scored.__slots__))


def assert_same(one: Scored, other: Scored) -> None:
    np.testing.assert_allclose(one.raw, other.raw, rtol=1e-9)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-9)
    np.testing.assert_allclose(one.shares, other.shares, rtol=1e-9)
    np.testing.assert_array_equal(one.is_over, other.is_over)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 120), max_size=12))
def test_scores_do_not_depend_on_how_rows_are_portioned(portions: list[int]) -> None:
    rows = ROWS[400:700]
    portioned, begin = scorer(), 0
    parts = []
    for portion in [*portions, len(rows)]:
        parts.append(portioned.take(rows[begin : begin + portion]))
        begin += portion
    assert_same(joined(parts), scorer().take(rows))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 299), st.floats(-1e6, 1e6))
def test_no_score_depends_on_a_later_row(at: int, value: float) -> None:
    changed = ROWS[400:700].copy()
    changed[at:] = value
    before, after = scorer().take(ROWS[400:700]), scorer().take(changed)
    np.testing.assert_array_equal(before.raw[:at], after.raw[:at])
    np.testing.assert_array_equal(before.shares[:at], after.shares[:at])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5), st.floats(-1e9, 1e9))
def test_shares_add_up_to_one_and_scores_stay_inside_whatever_comes(channel: int, value: float) -> None:
    rows = ROWS[400:450].copy()
    rows[20:, channel] += value
    scored = scorer().take(rows)
    known = np.isfinite(scored.raw)
    np.testing.assert_allclose(scored.shares[known].sum(axis=1), 1.0)
    assert ((scored.score[known] >= 0) & (scored.score[known] <= 1)).all()


def test_nothing_is_judged_before_the_windows_are_full() -> None:
    scored = scorer().take(ROWS[400:430])
    needed = max(FITTED.scoring.spans) + FITTED.scoring.smooth - 2
    assert np.isnan(scored.score[:needed]).all()
    assert not scored.is_over[:needed].any()
    assert np.isfinite(scored.score[needed:]).all()


def test_after_a_gap_windows_fill_again() -> None:
    gap = scorer()
    gap.take(ROWS[400:500])
    gap.reset()
    assert_same(gap.take(ROWS[600:640]), scorer().take(ROWS[600:640]))


def test_a_score_is_half_at_the_threshold_and_over_it_above() -> None:
    scored = scorer().take(ROWS[400:])
    known = np.isfinite(scored.raw)
    np.testing.assert_array_equal(scored.is_over[known], scored.score[known] > 0.5)
    assert scored.is_over.any()
    assert not scored.is_over[known].all()


@pytest.mark.parametrize("channel", range(6))
def test_a_step_in_one_channel_is_found_and_named(channel: int) -> None:
    rows = ROWS[400:500].copy()
    rows[50:, channel] += 0.6
    scored = scorer().take(rows)
    assert scored.is_over[70:].mean() > 0.9
    assert (scored.shares[70:].argmax(axis=1) == channel).mean() > 0.9


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12])
def test_a_giant_step_saturates_neither_score_nor_explanation(size: float) -> None:
    rows = ROWS[400:450].copy()
    rows[30:, 2] += size
    scored = scorer().take(rows)
    assert scored.raw[-1] > scored.raw[29] + 1
    assert scored.shares[-1].argmax() == 2


def test_eight_bits_say_what_floats_say() -> None:
    layer = residual_layer(whitening_of(FITTED.scoring), spread_of(FITTED.scoring))
    exact = Scorer(FITTED.scoring, FloatNetwork([layer])).take(ROWS[400:])
    told = scorer().take(ROWS[400:])
    known = np.isfinite(exact.raw)
    assert (told.is_over == exact.is_over)[known].mean() >= 0.99
    assert np.corrcoef(told.raw[known], exact.raw[known])[0, 1] > 0.99


def test_normal_may_move_slowly_but_never_far() -> None:
    rows = remembering(2, 20_000, 2, memory=0.5)
    fitted = fit(rows[:400], ("a", "b"), period_s=1.0)
    creeping = rows[400:] + np.linspace(0, 20, len(rows) - 400)[:, None]
    adapted, fixed = scorer(fitted).take(creeping), scorer(fitted).take(creeping, may_adapt=False)
    assert adapted.is_over.argmax() >= fixed.is_over.argmax()
    assert adapted.is_over[-5_000:].all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_no_number_is_refused_and_changes_nothing(value: float) -> None:
    bad = ROWS[450:451].copy()
    bad[0, 3] = value
    tried = scorer()
    first = tried.take(ROWS[400:450])
    with pytest.raises(InvalidRows, match="d: row 0 is"):
        tried.take(bad)
    assert_same(joined([first, tried.take(ROWS[450:500])]), scorer().take(ROWS[400:500]))


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(InvalidRows, match="for 6 channels"):
        scorer().take(ROWS[:, :5])


def test_without_a_channel_the_others_are_judged_as_before() -> None:
    left = without(FITTED.scoring, {"c"})
    keep = [0, 1, 3, 4, 5]
    rows = ROWS[400:][:, keep].copy()
    healthy = Scorer(left.scoring, load_network(left.network)).take(rows).is_over.mean()
    rows[50:, 2] += 0.6
    faulty = Scorer(left.scoring, load_network(left.network)).take(rows)
    assert left.scoring.channels == ("a", "b", "d", "e", "f")
    assert healthy < 0.05
    assert (faulty.shares[80:].argmax(axis=1) == 2).mean() > 0.9


def test_a_model_without_any_channel_is_refused() -> None:
    with pytest.raises(InvalidRows, match="no channel is left"):
        without(FITTED.scoring, set(CHANNELS))


def test_a_fleets_model_takes_the_scale_of_an_asset() -> None:
    own = ROWS * 40 + 300
    adapted = adapt_to(FITTED.scoring, NETWORK, own[:400])
    scored = Scorer(adapted, NETWORK).take(own[420:])
    assert np.nanmean(scored.is_over) < 0.08


def test_a_fleets_model_refuses_an_asset_with_a_still_channel() -> None:
    own = ROWS.copy()
    own[:, 4] = 1.0
    with pytest.raises(InvalidRows, match="e: constant"):
        adapt_to(FITTED.scoring, NETWORK, own[:400])
