"""Promotions: what people asked for goes out at once; what a family learned by itself waits for their consent."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cloud.domain.autonomy import Autonomy, Level
from cloud.domain.decision import Choice, Decision
from cloud.domain.retraining import Cause, Retraining
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Unavailable
from cloud.learning.promotions import HandingOn
from cloud.records.autonomy import set_level
from cloud.records.database import Records
from cloud.records.decisions import decide, list_requests
from cloud.records.retrainings import add_retraining, list_retrainings
from tests.support.cloud_clock import HandClock
from tests.support.records import new_records

Told = list[tuple[str, int, bool]]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Give empty records."""
    records = new_records(tmp_path)
    yield records
    records.close()


def learned(records: Records, number: int, cause: Cause = Cause.DRIFT, *, is_promoted: bool = True) -> None:
    """Let a retraining of the pump's model have ended with version `number`."""
    one = Retraining(f"{number:032d}", "pump", cause, to_datetime(number), is_promoted, 1, number)
    with records.writing() as session:
        add_retraining(session, one)


def hand_on(records: Records) -> Told:
    """Look once and return what was brought on its way: model, version, whether with care."""
    told: Told = []
    HandingOn(records, HandClock(), lambda *said: told.append(said)).look()
    return told


def waiting(records: Records) -> list[bool]:
    """Return for each that was promoted, the newest first, whether it still waits."""
    with records.reading() as session:
        return [not one.is_handed_on for one in list_retrainings(session) if one.is_promoted]


def answer(records: Records, choice: Choice) -> None:
    """Say yes or no to the newest question."""
    with records.writing() as session:
        (asked, *_), _ = list_requests(session)
        decide(session, Decision(str(uuid4()), asked.id, choice, "", "anna", "anna", to_datetime(5)))


def test_what_was_asked_for_is_handed_on_once_and_only_the_newest(records: Records) -> None:
    learned(records, 2, Cause.REQUEST)
    learned(records, 3, Cause.REQUEST)
    learned(records, 4, Cause.REQUEST, is_promoted=False)
    assert hand_on(records) + hand_on(records) == [("pump", 3, False)]
    assert waiting(records) == [False, False]


def test_what_a_family_learned_by_itself_waits_until_somebody_agrees(records: Records) -> None:
    learned(records, 2)
    assert hand_on(records) + hand_on(records) == []
    with records.reading() as session:
        (asked,), _ = list_requests(session)
    assert (asked.kind, asked.subject, asked.state) == ("model_promotion", "pump:2", "open")
    answer(records, Choice.APPROVE)
    assert hand_on(records) + hand_on(records) == [("pump", 2, True)]
    assert waiting(records) == [False]


@pytest.mark.parametrize("level", [Level.OFF, Level.SUPERVISED])
def test_a_no_and_a_family_that_is_off_leave_it_where_it_is(records: Records, level: Level) -> None:
    learned(records, 2)
    hand_on(records)
    answer(records, Choice.REJECT)
    with records.writing() as session:
        set_level(session, Autonomy("pump", level, "anna", to_datetime(1)))
    assert hand_on(records) == []
    assert waiting(records) == [False]


def test_it_is_tried_again_where_it_cannot_be_done_now_and_given_up_where_never(records: Records) -> None:
    learned(records, 2, Cause.REQUEST)

    def away(*_: object) -> None:
        raise Unavailable("no keys")

    def never(*_: object) -> None:
        raise Conflict("archived")

    with pytest.raises(Unavailable):
        HandingOn(records, HandClock(), away).look()
    assert waiting(records) == [True]
    HandingOn(records, HandClock(), never).look()
    assert waiting(records) == [False]
