"""Nobody is judged by what he has learned from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.errors import Invalid
from cloud.learning.folds import chained_folds, drawn_folds, folds_of, group_folds, hold_out
from cloud.learning.table import Table


def rows(n: int = 60) -> Table:
    target = (np.arange(n) % 10 == 0).astype(np.float64)
    return Table(("x",), np.arange(n, dtype=np.float64)[:, None], target, classes=("no", "yes"))


@given(st.integers(10, 200), st.integers(2, 5), st.integers(0, 5))
def test_drawn_folds_judge_every_row_once_and_share_out_the_classes(n: int, n_folds: int, seed: int) -> None:
    classes = (np.arange(n) % 5 == 0).astype(np.float64)
    folds = list(drawn_folds(classes, n, n_folds, seed))
    assert sorted(np.concatenate([fold.judge for fold in folds]).tolist()) == list(range(n))
    assert all(not set(fold.learn) & set(fold.judge) for fold in folds)
    counts = [classes[fold.judge].sum() for fold in folds]
    assert max(counts) - min(counts) <= 1


def test_chained_folds_only_learn_from_what_was_before() -> None:
    time_us = np.random.default_rng(1).permutation(100).astype(np.int64)
    folds = list(chained_folds(time_us, 4))
    assert len(folds) == 4
    assert all(time_us[fold.learn].max() < time_us[fold.judge].min() for fold in folds)


def test_group_folds_never_split_a_machine() -> None:
    groups = np.repeat(np.arange(12), 5)
    for fold in group_folds(groups, 4, 0):
        assert not set(groups[fold.learn]) & set(groups[fold.judge])


def test_machines_come_before_times_and_times_before_chance() -> None:
    table = rows()
    grouped = replace(table, groups=np.repeat(np.arange(6), 10), time_us=np.arange(60))
    assert set(folds_of(grouped, 3, 0)[0].learn) & set(range(60))
    assert all(len(fold.judge) == 20 for fold in folds_of(grouped, 3, 0))
    timed = folds_of(replace(table, time_us=np.arange(60)), 3, 0)
    assert [fold.judge.min() > fold.learn.max() for fold in timed] == [True] * 3
    assert [table.labels()[fold.judge].sum() for fold in folds_of(table, 3, 0)] == [2, 2, 2]


def test_what_is_held_out_is_the_last_in_time() -> None:
    table = replace(rows(10), time_us=np.arange(10)[::-1].copy())
    fold = hold_out(table, 0.2)
    assert sorted(fold.judge.tolist()) == [0, 1]
    assert len(fold.learn) == 8


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(Invalid, match="too few"):
        folds_of(rows(5), 3, 0)
    with pytest.raises(Invalid, match="too few"):
        hold_out(rows(2), 0.1)
