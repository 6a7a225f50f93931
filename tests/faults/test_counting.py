"""The ledger tool finds each thing that can become of a value, and nothing else."""

import pytest

from deploy.counting import Kill
from tests.faults.counting import Account, Excuses, Shown, count

FLOW = ("pump-1", "flow")


def shown(*values: float, begin_s: float = 100.0, late_s: float = 0.01) -> list[Shown]:
    return [Shown(FLOW, value, begin_s + number + late_s) for number, value in enumerate(values)]


MADE = shown(1.0, 2.0, 2.0, 3.0, 4.0, late_s=0.0)
STORED = shown(1.0, 2.0, 2.0, 3.0, 4.0)


def of(stored: list[Shown], excuses: Excuses | None = None) -> Account:
    return count(MADE, stored, excuses or Excuses(slack_s=5.0)).account


def test_all_that_is_stored_once_is_clean() -> None:
    assert of(STORED) == Account(made=5, stored=5)
    assert of(STORED).is_clean
    assert not count([], [], Excuses()).account.is_clean


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        (STORED[:3] + STORED[4:], "lost"),
        (STORED[:2] + STORED[3:], "lost"),
        ([*STORED, Shown(FLOW, 3.0, 103.5)], "duplicated"),
        ([*STORED[:3], Shown(FLOW, 3.25, 103.01), STORED[4]], "altered"),
        ([*STORED[:3], Shown(FLOW, 3.0, 403.01), STORED[4]], "altered"),
        ([*STORED, Shown(FLOW, 9.0, 103.01)], "phantom"),
        ([*STORED, Shown(("pump-2", "flow"), 1.0, 100.01)], "phantom"),
    ],
)
def test_what_is_not_in_order_is_named(stored: list[Shown], what: str) -> None:
    account = of(stored)
    assert not account.is_clean
    wrong = {name: getattr(account, name) for name in ("lost", "duplicated", "altered", "phantom")}
    assert wrong == dict.fromkeys(wrong, 0) | {what: 1}


def test_an_answer_that_waited_while_its_agent_stood_still_has_the_time_at_which_it_was_read() -> None:
    stored = [*STORED[:4], Shown(FLOW, 4.0, 113.2)]
    assert of(stored, Excuses(slack_s=5.0, pauses=[(103.9, 113.1)])).is_clean
    for pause in ((113.0, 120.0), (90.0, 105.0)):
        assert of(stored, Excuses(slack_s=5.0, pauses=[pause])).altered == 1


def test_what_was_served_just_before_a_kill_is_excused_and_nothing_else() -> None:
    account = of(STORED[:3], Excuses(kills=[Kill(at_s=104.1, since_s=103.9)]))
    assert (account.unsealed, account.lost) == (1, 1)


def test_what_waits_in_a_buffer_is_not_lost_and_each_copy_excuses_one() -> None:
    account = of(STORED[:1], Excuses(waiting={(FLOW, 2.0): 1, (FLOW, 3.0): 1}))
    assert (account.buffered, account.lost) == (2, 2)


def test_declared_drops_excuse_as_many_as_were_declared() -> None:
    account = of(STORED[2:], Excuses(dropped=1))
    assert (account.dropped, account.lost) == (1, 1)


def test_what_was_made_after_the_moment_asked_about_may_be_missing_or_there() -> None:
    account = of([*STORED[:4], Shown(FLOW, 9.0, 109.0)], Excuses(until_s=102.5))
    assert account == Account(made=4, stored=4)


def test_an_answer_that_nobody_listened_to_any_more_was_not_made() -> None:
    made = [*MADE[:4], Shown(FLOW, 4.0, 104.0, is_late=True)]
    assert count(made, STORED[:4], Excuses()).account == Account(made=4, stored=4)
    assert count(made, STORED, Excuses()).account == Account(made=5, stored=5)
