"""The law of accounting holds whatever the ledger and the gateway say."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.accounting import Accounting, LedgerRow, account, total

counts = st.integers(0, 1000)
rows = st.builds(LedgerRow, *[counts] * 13)


def _sum(one: Accounting) -> int:
    kept = one.stored + one.replaced + one.duplicates + one.quarantined + one.undecoded
    return kept + one.dropped + one.buffered + one.lost


@given(rows)
def test_what_was_made_is_somewhere_or_lost(row: LedgerRow) -> None:
    found = account(row)
    assert found.made == _sum(found)
    assert min(found.buffered, found.lost, found.dropped) >= 0
    assert found.made >= row.sealed


@given(st.lists(rows))
def test_a_total_obeys_the_same_law(parts: list[LedgerRow]) -> None:
    found = total(account(row) for row in parts)
    assert found.made == _sum(found)


def _row(*, stored: int, sealed: int, waiting: int, given_up: int = 0, dropped: int = 0) -> LedgerRow:
    return LedgerRow(1, stored, 0, 0, 0, 0, 0, 0, dropped, dropped, sealed, waiting, given_up)


def test_a_state_older_than_the_ledger_makes_nothing_lost() -> None:
    found = account(_row(stored=90, sealed=100, waiting=40))
    assert (found.buffered, found.lost, found.made) == (10, 0, 100)


def test_readings_given_up_whose_declaration_is_on_its_way_are_dropped_not_lost() -> None:
    found = account(_row(stored=50, sealed=100, waiting=20, given_up=30))
    assert (found.dropped, found.lost) == (30, 0)


def test_readings_that_the_gateway_let_go_and_the_store_lacks_are_lost() -> None:
    assert account(_row(stored=50, sealed=100, waiting=20)).lost == 30
