"""Context: what the load explains is no fault; the same rows come of a stream as of a batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.scoring.context import extend, load_of, moves_of
from protocols.scoring.fit import fit
from protocols.scoring.history import History
from protocols.scoring.loader import load_network
from protocols.scoring.model import Context, Scoring, ScoringKind
from protocols.scoring.reduce import without
from protocols.scoring.scorer import Scorer
from protocols.scoring.views import MEMORY, best_view
from protocols.scoring.windows import trailing_means
from tests.support.machines import Floats, related, remembering

CHANNELS = ("flow", "pressure", "current")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.sampled_from([None, (), (3,), (5, 20)]))
def test_windows_come_to_the_same_however_rows_come(parts: list[int], memory: tuple[int, ...] | None) -> None:
    rows = related(1, sum(parts), 4)
    load = load_of(related(1, 500, 4))
    context = None if memory is None else Context(tuple(load), memory, (0.0,) * (1 + 2 * len(memory)), ())
    width = 4 if memory is None else 5 + 2 * len(memory)
    matrix = np.random.default_rng(2).normal(size=(2 * width, 3))
    history = History(scoring_of(context), matrix)
    came = np.concatenate([history.take(part) for part in np.split(rows, np.cumsum(parts)[:-1])])
    if len(rows) < 12 + max(memory or (1,), default=1) - 1:
        assert len(came) == 0
        return
    seen = rows if memory is None else extend(rows, load, memory)
    means = trailing_means(seen, (3, 12))
    np.testing.assert_allclose(came, means.reshape(len(means), -1) @ matrix, atol=1e-9)


def test_a_history_that_was_cleared_knows_nothing_of_before() -> None:
    rows = related(1, 40, 4)
    history = History(scoring_of(None), np.eye(8))
    history.take(rows[:25])
    history.clear()
    assert len(history.take(rows[25:36])) == 0
    assert len(history.take(rows[36:37])) == 1


def test_no_context_depends_on_a_later_row() -> None:
    rows = related(2, 300, 4)
    other = rows.copy()
    other[200:] *= -3
    load = load_of(rows)
    np.testing.assert_array_equal(extend(rows, load, (5, 20))[:181], extend(other, load, (5, 20))[:181])


def test_a_channel_that_goes_with_the_square_of_the_load_is_seen_through() -> None:
    rows = bent(3, 800)
    view = best_view((rows - rows.mean(axis=0)) / rows.std(axis=0), (5, 15))
    assert view.context is not None
    assert view.context.memory == ()


def test_what_a_channel_remembers_of_the_load_is_seen_through_once_there_are_rows_enough() -> None:
    rows = late(4, 4000)
    view = best_view((rows - rows.mean(axis=0)) / rows.std(axis=0), (5, 15))
    assert view.context is not None
    assert view.context.memory == MEMORY


@pytest.mark.parametrize("seed", range(5))
def test_channels_without_a_common_load_are_looked_at_as_they_are(seed: int) -> None:
    view = best_view(remembering(seed, 400, 5), (5, 15))
    assert view.context is None


def test_a_step_in_the_bent_channel_is_found_and_named_and_load_alone_is_not() -> None:
    rows = bent(5, 2000)
    fitted = fit(rows[:1200], CHANNELS, period_s=1.0)
    scorer = Scorer(fitted.scoring, load_network(fitted.network))
    healthy = scorer.take(rows[1200:])
    assert healthy.is_over.mean() < 0.05
    rows[1700:, 1] -= 0.6
    scored = Scorer(fitted.scoring, load_network(fitted.network)).take(rows[1200:])
    assert scored.is_over[540:].mean() > 0.9
    assert (scored.shares[540:].argmax(axis=1) == 1).mean() > 0.8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.sampled_from([(), (3,), (5, 20)]))
def test_rows_move_as_their_means_do(row: list[float], memory: tuple[int, ...]) -> None:
    load = load_of(related(1, 500, 4))
    still = np.tile(row, (40, 1))
    extended = extend(still, load, memory)[-1]
    level = float(load @ row)
    np.testing.assert_allclose(moves_of(load, len(extended)) @ [*row, level**2], extended, atol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_following_a_load_that_is_lower_than_before_is_not_worse_than_standing_still(seed: int) -> None:
    rows = late(seed, 24_000)
    rows[2_000:] = late(seed + 10, 22_000, duty=-1.0)
    fitted = fit(rows[:2_000], ("now", "twice", "turned", "late"), period_s=1.0)
    assert fitted.scoring.context is not None
    over = [
        Scorer(fitted.scoring, load_network(fitted.network)).take(rows[2_000:], may_adapt=may).is_over[-6_000:].mean()
        for may in (True, False)
    ]
    assert over[0] <= 1.2 * over[1] + 0.003


def test_a_model_with_a_context_can_do_without_a_channel() -> None:
    rows = bent(6, 1200)
    fitted = fit(rows, CHANNELS, period_s=1.0)
    assert fitted.scoring.context is not None
    reduced = without(fitted.scoring, ["current"])
    assert reduced.scoring.context is None
    scored = Scorer(reduced.scoring, load_network(reduced.network)).take(rows[:, :2])
    assert np.isfinite(scored.raw[60:]).all()


def bent(seed: int, n: int) -> Floats:
    """Return rows of a load seen by two channels, and by the square of it in the one between, with noise."""
    load = 1 + 0.5 * remembering(seed, n, 1, memory=0.97)[:, 0]
    noise = 0.05 * np.random.default_rng(seed).normal(size=(n, 3))
    return np.column_stack((2 * load, load**2, 3 * load)) + noise


def late(seed: int, n: int, *, duty: float = 0.0) -> Floats:
    """Return rows in which one channel follows the mean of the load, which is about a duty, over the last 40."""
    load = duty + remembering(seed, n + 40, 1, memory=0.9)[:, 0]
    mean = np.convolve(load, np.ones(40) / 40, mode="valid")[:n]
    now = load[39 : 39 + n]
    noise = 0.05 * np.random.default_rng(seed).normal(size=(n, 4))
    return np.column_stack((now, 2 * now, -now, 3 * mean)) + noise


def scoring_of(context: Context | None) -> Scoring:
    """Return how four channels are scored over spans of 3 and 12."""
    return Scoring(
        kind=ScoringKind.WHITENING,
        channels=("a", "b", "c", "d"),
        period_s=1.0,
        spans=(3, 12),
        center=(0.0,) * 4,
        width=(1.0,) * 4,
        threshold=0.0,
        context=context,
    )
