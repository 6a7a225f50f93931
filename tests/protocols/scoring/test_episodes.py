"""One episode for each run above the threshold: opened by evidence, closed after quiet, the same however rows come."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.scoring.episodes import Closed, EpisodeRules, Episodes, Floats, Opened

SECOND_US = 1_000_000
HIGH, LOW, CLOSE = 0.999, 0.2, 0.48
"""A score far above the threshold, one of an ordinary row, and one just below the threshold."""


def play(scores: list[float], rules: EpisodeRules, *, at_once: int = 1_000_000) -> list[Opened | Closed]:
    episodes = Episodes(rules)
    told: list[Opened | Closed] = []
    for begin in range(0, len(scores), at_once):
        score = np.array(scores[begin : begin + at_once])
        time_us = (np.arange(len(score)) + begin) * SECOND_US
        told += episodes.take(time_us, score, shares_of(score))
    return told


def shares_of(score: Floats) -> Floats:
    """Have the first channel explain most of a high score, and little of a low one."""
    first = np.where(score > 0.5, 0.8, 0.1)
    return np.column_stack([first, 1 - first])


def test_a_run_opens_one_episode_and_closes_it_once() -> None:
    told = play([LOW] * 20 + [HIGH] * 100 + [LOW] * 100, EpisodeRules(1.0))
    assert [type(one) for one in told] == [Opened, Closed]


def test_an_episode_knows_when_its_run_began_and_which_channel_it_was() -> None:
    opened, closed = play([LOW] * 20 + [0.99] * 50 + [HIGH] + [LOW] * 100, EpisodeRules(1.0))
    assert opened.onset_us == closed.onset_us == 20 * SECOND_US
    assert opened.at_us > opened.onset_us
    assert opened.peak == 0.99
    assert closed.peak == HIGH
    assert opened.shares == pytest.approx([0.8, 0.2])
    assert closed.at_us == 80 * SECOND_US


def test_short_runs_open_nothing() -> None:
    assert play(([HIGH] * 5 + [LOW] * 60) * 20, EpisodeRules(1.0)) == []


def test_a_score_that_hangs_just_below_the_threshold_does_not_close() -> None:
    told = play([HIGH] * 100 + [CLOSE] * 1_000, EpisodeRules(1.0))
    assert [type(one) for one in told] == [Opened]


def test_gaps_in_a_run_do_not_make_it_two() -> None:
    told = play([HIGH] * 100 + ([LOW] * 5 + [HIGH] * 5) * 20 + [LOW] * 50, EpisodeRules(1.0))
    assert [type(one) for one in told] == [Opened, Closed]


def test_durations_can_be_said_outright() -> None:
    rules = EpisodeRules(1.0, open_after_s=3, close_after_s=7)
    opened, closed = play([LOW] * 10 + [HIGH] * 20 + [LOW] * 20, rules)
    assert opened.at_us == 13 * SECOND_US
    assert closed.at_us == 36 * SECOND_US


def test_what_comes_and_goes_stays_open_for_longer_each_time() -> None:
    told = play(([HIGH] * 60 + [LOW] * 30) * 40, EpisodeRules(1.0))
    assert 0 < sum(isinstance(one, Opened) for one in told) <= 4


def test_a_device_whose_healthy_runs_are_long_needs_more_evidence() -> None:
    episodes = Episodes(EpisodeRules(1.0))
    before = episodes.limit
    scores = np.array(([HIGH] * 18 + [LOW] * 300) * 30)
    assert episodes.take(np.arange(len(scores)) * SECOND_US, scores, shares_of(scores)) == []
    assert episodes.limit > before


def test_rows_without_a_score_say_nothing() -> None:
    told = play([HIGH] * 100 + [float("nan")] * 1_000, EpisodeRules(1.0))
    assert [type(one) for one in told] == [Opened]


def test_a_run_that_opened_nothing_is_forgotten_after_a_gap_and_an_open_one_is_not() -> None:
    episodes = Episodes(EpisodeRules(1.0))
    score = np.full(10, HIGH)
    episodes.take(np.arange(10) * SECOND_US, score, shares_of(score))
    episodes.forget()
    assert not episodes.is_running
    score = np.full(100, HIGH)
    episodes.take(np.arange(100) * SECOND_US, score, shares_of(score))
    episodes.forget()
    assert episodes.is_open


@given(
    st.lists(st.tuples(st.sampled_from([HIGH, 0.7, CLOSE, LOW, float("nan")]), st.integers(1, 60)), max_size=30),
    st.integers(1, 50),
)
def test_the_same_rows_make_the_same_episodes_however_they_come(spells: list[tuple[float, int]], at_once: int) -> None:
    scores = [score for score, length in spells for _ in range(length)]
    whole, parts = play(scores, EpisodeRules(1.0)), play(scores, EpisodeRules(1.0), at_once=at_once)
    assert [(type(one), one.onset_us, one.at_us, one.score, one.peak) for one in whole] == [
        (type(one), one.onset_us, one.at_us, one.score, one.peak) for one in parts
    ]
    assert all(np.allclose(one.shares, other.shares) for one, other in zip(whole, parts, strict=True))


@given(st.lists(st.tuples(st.sampled_from([HIGH, CLOSE, LOW]), st.integers(1, 200)), max_size=30))
def test_episodes_open_and_close_in_turn(spells: list[tuple[float, int]]) -> None:
    told = play([score for score, length in spells for _ in range(length)], EpisodeRules(1.0))
    assert [isinstance(one, Opened) for one in told] == [i % 2 == 0 for i in range(len(told))]
    assert all(earlier.at_us < later.at_us for earlier, later in pairwise(told))
