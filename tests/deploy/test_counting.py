"""The counter of the demo finds exactly what was taken away, repeated or changed."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.counting import Count, Kill, Served, count_series

VALUES = list(range(50))


def served(values: list[int]) -> Served:
    return Served(values, [float(i) for i in range(len(values))])


def test_what_was_stored_as_it_was_made_is_clean() -> None:
    assert count_series(served(VALUES), VALUES) == Count(made=50, stored=50)


def test_one_deleted_reading_is_lost() -> None:
    assert count_series(served(VALUES), VALUES[:20] + VALUES[21:]) == Count(made=50, stored=49, lost=1)


def test_one_repeated_reading_is_duplicated() -> None:
    assert count_series(served(VALUES), [*VALUES[:20], 19, *VALUES[20:]]) == Count(made=50, stored=51, duplicated=1)


def test_one_changed_reading_is_altered() -> None:
    assert count_series(served(VALUES), [*VALUES[:20], -1, *VALUES[21:]]) == Count(made=50, stored=50, altered=1)


def test_a_value_changed_into_its_neighbour_is_not_overlooked() -> None:
    assert not count_series(served(VALUES), [*VALUES[:20], 21, *VALUES[21:]]).is_clean


def test_the_last_reading_counts_like_any_other() -> None:
    assert count_series(served(VALUES), VALUES[:-1]).lost == 1
    assert count_series(served(VALUES), [*VALUES, 49]).duplicated == 1
    assert count_series(served(VALUES), [*VALUES, 7]).altered == 1


def test_nothing_made_is_not_clean() -> None:
    assert not count_series(served([]), []).is_clean


def test_values_of_the_last_moment_before_a_kill_are_unsealed_and_no_others() -> None:
    stored = VALUES[:18] + VALUES[21:30] + VALUES[31:]
    count = count_series(served(VALUES), stored, kills=[Kill(at_s=20.5, since_s=17.9)])
    assert (count.unsealed, count.lost) == (3, 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.data())
def test_any_one_deletion_repetition_or_change_is_seen(values: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    deleted = values[:at] + values[at + 1 :]
    repeated = values[: at + 1] + values[at:]
    changed = [*values[:at], values[at] + 10, *values[at + 1 :]]
    assert count_series(served(values), values).is_clean
    assert not any(count_series(served(values), each).is_clean for each in (deleted, repeated, changed))


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=200, unique=True), st.sets(st.integers(0, 199)))
def test_every_deletion_among_distinct_values_is_counted(values: list[int], gone: set[int]) -> None:
    stored = [value for index, value in enumerate(values) if index not in gone]
    count = count_series(served(values), stored)
    assert (count.lost, count.duplicated, count.altered) == (len(values) - len(stored), 0, 0)
