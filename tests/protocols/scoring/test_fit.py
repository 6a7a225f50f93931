"""Fitting: what rows can be learned from, and what a fit promises of rows it never saw."""

import numpy as np
import pytest

from protocols.scoring.fit import FitOptions, chosen_spans, fit
from protocols.scoring.loader import load_network
from protocols.scoring.model import InvalidRows
from protocols.scoring.scorer import Scorer
from tests.support.machines import remembering

CHANNELS = tuple("abcdefgh")


def alarm_share(seed: int) -> float:
    rows = remembering(seed, 2_400, 8)
    fitted = fit(rows[:400], CHANNELS, period_s=1.0)
    return float(Scorer(fitted.scoring, load_network(fitted.network)).take(rows[420:]).is_over.mean())


def test_healthy_machines_with_memory_keep_the_promised_share_of_alarms() -> None:
    shares = np.array([alarm_share(seed) for seed in range(1_000, 1_030)])
    assert 0.003 <= shares.mean() <= 0.02
    assert np.quantile(shares, 0.9) <= 0.05


def test_a_model_of_eight_channels_is_small() -> None:
    rows = remembering(1, 1_600, 8)
    assert len(fit(rows, CHANNELS, period_s=1.0, options=FitOptions(spans=(15,))).network) <= 768
    assert len(fit(rows, CHANNELS, period_s=1.0).network) <= 1_536


@pytest.mark.parametrize(("rows", "spans"), [(99, (1,)), (100, (5,)), (400, (5, 15)), (1_200, (5, 15, 60))])
def test_a_span_is_used_only_where_rows_carry_it(rows: int, spans: tuple[int, ...]) -> None:
    assert chosen_spans(rows) == spans


def test_a_channel_that_never_moves_is_left_out_with_a_note() -> None:
    rows = remembering(2, 400, 3)
    rows[:, 1] = 7.5
    fitted = fit(rows, ("a", "flat", "c"), period_s=1.0)
    assert fitted.scoring.channels == ("a", "c")
    assert fitted.notes == ("flat is always 7.5: left out",)


def test_channels_that_say_the_same_can_be_learned() -> None:
    rows = remembering(3, 400, 3)
    rows[:, 2] = rows[:, 0]
    assert fit(rows, ("a", "b", "a too"), period_s=1.0).scoring.channels == ("a", "b", "a too")


def test_a_single_channel_can_be_learned() -> None:
    assert fit(remembering(4, 400, 1), ("a",), period_s=1.0).scoring.spans == (5, 15)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_by_channel_and_row(value: float) -> None:
    rows = remembering(5, 100, 3)
    rows[17, 1] = value
    with pytest.raises(InvalidRows, match="b: row 17 is"):
        fit(rows, ("a", "b", "c"), period_s=1.0)


def test_constants_alone_are_refused_by_name() -> None:
    with pytest.raises(InvalidRows, match="a, b: constant"):
        fit(np.ones((400, 2)), ("a", "b"), period_s=1.0)


@pytest.mark.parametrize("rows", [0, 1, 59])
def test_too_few_rows_are_refused(rows: int) -> None:
    with pytest.raises(InvalidRows, match="too few"):
        fit(remembering(6, 60, 2)[:rows], ("a", "b"), period_s=1.0)


def test_spans_that_the_rows_cannot_carry_are_refused() -> None:
    with pytest.raises(InvalidRows, match="too few for means over 60"):
        fit(remembering(7, 400, 2), ("a", "b"), period_s=1.0, options=FitOptions(spans=(60,)))


@pytest.mark.parametrize("channels", [(), ("a",), ("a", "b", "c")])
def test_rows_of_another_width_than_the_channels_are_refused(channels: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRows, match="rows of shape"):
        fit(remembering(8, 400, 2), channels, period_s=1.0)


def test_the_same_rows_give_the_same_model() -> None:
    rows = remembering(9, 400, 4)
    assert fit(rows, CHANNELS[:4], period_s=1.0) == fit(rows.copy(), CHANNELS[:4], period_s=1.0)
