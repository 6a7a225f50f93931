"""What is said of batches that a buffer gave up, beyond what the contract of every buffer covers."""

from itertools import pairwise

from edge_agent.buffers.retention import Row, declare
from protocols.batch import MAX_COUNTS, BatchKind


def test_a_declaration_that_would_count_too_many_groups_goes_on_in_another() -> None:
    rows = [Row(seq, 7, seq, BatchKind.DATA, seq % 2, 100) for seq in range(1, 2 * MAX_COUNTS + 11)]
    drops = declare(rows, reason="full")
    assert [len(drop.counts) for drop in drops] == [MAX_COUNTS, MAX_COUNTS, 10]
    assert (drops[0].lo, drops[-1].hi) == (1, len(rows))
    assert all(before.hi + 1 == after.lo for before, after in pairwise(drops))
    assert sum(drop.readings for drop in drops) == sum(row.readings for row in rows)


def test_many_batches_that_held_as_much_are_one_group() -> None:
    rows = [Row(seq, 7, seq, BatchKind.DATA, 3, 100) for seq in range(1, 10_001)]
    (drop,) = declare(rows, reason="full")
    assert drop.counts == ((10_000, 3),)
