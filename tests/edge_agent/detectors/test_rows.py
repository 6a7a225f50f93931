"""Rows come of readings: with each poll, or by the clock where changes come one by one; nothing is made up."""

from math import inf

import numpy as np
import pytest

from edge_agent.detectors.rows import MOST_HELD, RowPlan, Rows
from edge_agent.ports import Row
from protocols.reading import Column, Kind, Quality, ReadingBlock

SECOND_US = 1_000_000
POLLED = RowPlan(tags=(4, 5, 6), period_s=1.0, stale_s=(4.0, 4.0, 40.0), awaited=(0, 1))
"""Two channels that are polled once a row, and a slow third one."""
TOLD = RowPlan(tags=(4, 5, 6), period_s=1.0, stale_s=(inf, inf, inf))


def block(
    *readings: tuple[int, float, float], quality: Quality = Quality.GOOD, kind: Kind = Kind.FLOAT
) -> ReadingBlock:
    """Return a block of (tag, at_s, value)."""
    tags, at_s, values = zip(*readings, strict=True)
    return ReadingBlock(
        (
            Column(
                kind,
                np.array(tags, np.uint32),
                (np.array(at_s) * SECOND_US).astype(np.int64),
                np.array(values).astype(kind.dtype),
                np.full(len(tags), quality, np.uint8),
            ),
        )
    )


def values(row: Row) -> list[float]:
    return [float(value) for value in row.values]


def test_a_poll_makes_a_row_when_all_that_is_awaited_has_come() -> None:
    rows = Rows(POLLED)
    assert rows.take(block((4, 1.0, 10), (9, 1.0, 99))) == []
    (row,) = rows.take(block((6, 1.1, 30), (5, 1.2, 20)))
    assert values(row) == [10, 20, 30]
    assert row.at_us == 1_200_000
    assert row.is_after_gap


def test_a_slow_channel_keeps_its_value_until_it_is_stale() -> None:
    rows = Rows(POLLED)
    rows.take(block((4, 0, 1), (5, 0, 2), (6, 0, 3)))
    (row,) = rows.take(block((4, 1, 1), (5, 1, 2)))
    assert row.is_good.tolist() == [True, True, True]
    for second in range(2, 60):
        (row,) = rows.take(block((4, second, 1), (5, second, 2)))
    assert row.is_good.tolist() == [True, True, False]


def test_a_bad_reading_is_not_good_and_one_without_a_value_has_none() -> None:
    rows = Rows(POLLED)
    rows.take(block((4, 0, 1), (5, 0, 2)))
    rows.take(block((4, 1, 7), quality=Quality.OUT_OF_RANGE))
    (row,) = rows.take(block((5, 1, 0), quality=Quality.READ_ERROR))
    assert row.values[0] == 7
    assert np.isnan(row.values[1])
    assert row.is_good.tolist() == [False, False, False]


@pytest.mark.parametrize("kind", [Kind.INT, Kind.UINT, Kind.BOOL])
def test_a_lost_device_says_no_zeros(kind: Kind) -> None:
    rows = Rows(POLLED)
    (row,) = rows.take(block((4, 0, 0), (5, 0, 0), quality=Quality.DEVICE_LOST, kind=kind))
    assert np.isnan(row.values[:2]).all()


def test_polls_that_come_late_are_a_gap_and_a_skipped_one_is_not() -> None:
    rows = Rows(POLLED)
    seen = [rows.take(block((4, at_s, 1), (5, at_s, 2)))[0].is_after_gap for at_s in (0, 1, 3, 4, 30, 31, 20, 21)]
    assert seen == [True, False, False, False, True, False, True, False]


def test_several_polls_in_one_block_are_as_many_rows() -> None:
    rows = Rows(POLLED)
    made = rows.take(block(*[(tag, at_s, at_s * 10 + tag) for at_s in range(3) for tag in (4, 5)]))
    assert [values(row)[:2] for row in made] == [[4, 5], [14, 15], [24, 25]]


def test_changes_that_come_one_by_one_are_rows_by_the_clock() -> None:
    rows = Rows(TOLD)
    assert rows.take(block((4, 0.0, 1), (5, 0.0, 2), (6, 0.0, 3))) == []
    assert rows.take(block((4, 0.4, 10))) == []
    made = rows.take(block((5, 2.5, 20)))
    assert [(row.at_us, values(row)) for row in made] == [(SECOND_US, [10, 2, 3]), (2 * SECOND_US, [10, 2, 3])]
    (row,) = rows.take(block((6, 3.1, 30)))
    assert values(row) == [10, 20, 3]


def test_a_device_that_was_silent_for_very_long_is_a_gap() -> None:
    rows = Rows(TOLD)
    rows.take(block((4, 0.0, 1), (5, 0.0, 2), (6, 0.0, 3)))
    assert rows.take(block((4, MOST_HELD + 5.0, 1))) == []
    (row,) = rows.take(block((4, MOST_HELD + 6.5, 1)))
    assert row.is_after_gap


def test_rows_do_not_change_afterwards() -> None:
    rows = Rows(POLLED)
    (row,) = rows.take(block((4, 0, 1), (5, 0, 2), (6, 0, 3)))
    rows.take(block((4, 1, 100), (5, 1, 100)))
    assert values(row) == [1, 2, 3]
