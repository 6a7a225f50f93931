"""What is said of batches that a buffer gave up, beyond what the contract of every buffer covers."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.buffers.declaring import Terms, declare, give_up
from edge_agent.buffers.retention import Row
from protocols.batch import MAX_COUNTS, BatchKind, Drop

FULL = Terms("full")
EPOCH = 7
Step = tuple[list[int], int]
STEPS = st.lists(st.tuples(st.lists(st.integers(-1, 3), max_size=6), st.integers(0, 400)), max_size=40)
"""What comes in: readings of data, -1 for an event; and how many bytes must go then."""


def data_rows(readings: Iterable[int], *, first: int = 1) -> list[Row]:
    return [Row(seq, EPOCH, seq, BatchKind.DATA, count, 100) for seq, count in enumerate(readings, first)]


def numbers(drop: Drop) -> range:
    return range(drop.lo, drop.hi + 1)


class Shelf:
    """Rows and what some of them declare, as a buffer would have them; given_up: readings by seq."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.rows: dict[int, Row] = {}
        self.said: dict[int, Drop] = {}
        self.given_up: dict[int, int] = {}
        self._last = 0

    def add(self, readings: int) -> None:
        self._put(BatchKind.EVENT if readings < 0 else BatchKind.DATA, max(0, readings))

    def free(self, need: int) -> None:
        kinds = ((BatchKind.DATA, BatchKind.DROP), (BatchKind.EVENT,))
        going = [row for some in kinds for row in self.rows.values() if row.kind in some]
        given = give_up(going, self.said, need, self._terms)
        for row in given.rows:
            del self.rows[row.id]
            self.said.pop(row.id, None)
            self.given_up[row.seq] = row.readings
        for drop in given.drops:
            self.said[self._put(BatchKind.DROP, drop.readings)] = drop

    def _put(self, kind: BatchKind, count: int) -> int:
        self._last += 1
        self.rows[self._last] = Row(self._last, EPOCH, self._last, kind, count, 100)
        return self._last


def check(said: Mapping[int, Drop], given_up: Mapping[int, int]) -> None:
    """Everything that went is declared, nothing else is, and each declaration says how much that was."""
    assert {seq for drop in said.values() for seq in numbers(drop)} == given_up.keys()
    for drop in said.values():
        held = [given_up[seq] for seq in numbers(drop)]
        assert drop.readings == sum(held)
        assert not drop.counts or [each for many, each in drop.counts for _ in range(many)] == held


@given(STEPS, st.sampled_from([FULL, Terms("full", groups=3, parts=2), Terms("full", groups=1, parts=1)]))
def test_all_that_ever_went_is_declared_by_what_is_left_and_nothing_else_is(steps: list[Step], terms: Terms) -> None:
    shelf = Shelf(terms)
    for readings, need in steps:
        for each in readings:
            shelf.add(each)
        shelf.free(need)
        check(shelf.said, shelf.given_up)


def test_what_is_given_up_is_worth_what_is_said_of_it() -> None:
    rows = data_rows([3] * 100)
    assert len(give_up(rows, {}, 100, FULL).rows) > 5
    assert give_up(rows, {}, 0, FULL).rows == ()


def test_a_declaration_that_would_count_too_many_groups_goes_on_in_another() -> None:
    rows = data_rows(seq % 2 for seq in range(2 * MAX_COUNTS + 10))
    drops = declare(rows, {}, FULL)
    assert [len(drop.counts) for drop in drops] == [MAX_COUNTS, MAX_COUNTS, 10]
    assert (drops[0].lo, drops[-1].hi) == (1, len(rows))
    assert all(before.hi + 1 == after.lo for before, after in pairwise(drops))
    assert sum(drop.readings for drop in drops) == sum(row.readings for row in rows)


def test_many_batches_that_held_as_much_are_one_group() -> None:
    (drop,) = declare(data_rows([3] * 10_000), {}, FULL)
    assert drop.counts == ((10_000, 3),)


def test_a_declaration_says_again_what_those_say_that_it_touches() -> None:
    said = {50: Drop(EPOCH, 1, 4, 12, "full", ((4, 3),)), 51: Drop(EPOCH, 7, 7, 2, "full", ((1, 2),))}
    (drop,) = declare(data_rows([3, 5], first=5), said, FULL)
    assert drop == Drop(EPOCH, 1, 7, 22, "full", ((5, 3), (1, 5), (1, 2)))


def test_a_declaration_that_goes_is_declared_itself_and_what_only_it_said_is_said_anew() -> None:
    said = {6: Drop(EPOCH, 1, 2, 6, "full", ((2, 3),)), 9: Drop(EPOCH, 4, 5, 6, "full", ((2, 3),))}
    drops = declare([Row(6, EPOCH, 6, BatchKind.DROP, 6, 100)], said, FULL)
    assert drops == [Drop(EPOCH, 1, 2, 6, "full", ((2, 3),)), Drop(EPOCH, 4, 6, 6, "full", ((2, 3), (1, 0)))]


def test_what_another_says_already_is_not_said_again() -> None:
    said = {6: Drop(EPOCH, 1, 2, 6, "full", ((2, 3),)), 9: Drop(EPOCH, 1, 6, 9, "full", ((3, 3), (3, 0)))}
    assert declare([Row(6, EPOCH, 6, BatchKind.DROP, 6, 100)], said, FULL) == []


def test_the_oldest_of_too_many_parts_become_one_sum() -> None:
    terms = Terms("full", groups=2, parts=3)
    drops = declare(data_rows([1, 2, 3, 4, 5, 6, 7, 8]), {}, terms)
    assert [(drop.lo, drop.hi, drop.readings, len(drop.counts)) for drop in drops] == [
        (1, 4, 10, 0),
        (5, 6, 11, 2),
        (7, 8, 15, 2),
    ]


def test_what_was_given_up_for_another_reason_is_told_apart() -> None:
    said = {9: Drop(EPOCH, 1, 1, 3, "by hand", ((1, 3),))}
    (drop,) = declare(data_rows([3], first=2), said, FULL)
    assert (drop.lo, drop.hi, drop.reason) == (2, 2, "full")
