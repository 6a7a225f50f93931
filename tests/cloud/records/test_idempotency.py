"""Claims of Idempotency-Keys, one after the other and at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from cloud.domain.idempotency import Claim, Claimed, Slot
from cloud.domain.times import to_datetime
from cloud.records.database import Records
from cloud.records.idempotency import LEASE, LIFE, claim, count_keys, finish, forget_expired, release
from tests.support.cloud_clock import START_US

AT = to_datetime(START_US)
SLOT = Slot("key:one", "ingest", "k-1")


def ask(records: Records, slot: Slot = SLOT, *, body: str = "b", event: str = "e-1", at: datetime = AT) -> Claim:
    with records.writing() as session:
        return claim(session, slot, body_hash=body, offer=Claim(Claimed.OURS, event, START_US), at=at)


def done(records: Records, at: datetime = AT) -> None:
    with records.writing() as session:
        finish(session, SLOT, at)


def test_the_first_one_does_it_and_the_second_waits(records: Records) -> None:
    assert ask(records).result is Claimed.OURS
    assert ask(records, event="e-2") == Claim(Claimed.WAIT, "e-1", START_US)


def test_what_was_done_is_answered_with_the_first_event(records: Records) -> None:
    ask(records)
    done(records)
    assert ask(records, event="e-2") == Claim(Claimed.DONE, "e-1", START_US)


def test_another_body_under_the_same_key_is_told_apart(records: Records) -> None:
    ask(records)
    done(records)
    assert ask(records, body="other").result is Claimed.REUSED


@pytest.mark.parametrize("other", [Slot("key:two", "ingest", "k-1"), Slot("key:one", "else", "k-1")])
def test_the_same_key_of_another_caller_or_route_is_another_key(records: Records, other: Slot) -> None:
    ask(records)
    assert ask(records, other, body="other", event="e-2").event_id == "e-2"


def test_a_key_is_free_again_after_ten_minutes_and_not_a_moment_before(records: Records) -> None:
    ask(records)
    done(records)
    assert ask(records, event="e-2", at=AT + LIFE - timedelta(microseconds=1)).result is Claimed.DONE
    assert ask(records, event="e-2", at=AT + LIFE) == Claim(Claimed.OURS, "e-2", START_US)


def test_a_claim_that_failed_is_free_at_once(records: Records) -> None:
    ask(records)
    with records.writing() as session:
        release(session, SLOT)
    assert ask(records, event="e-2").event_id == "e-2"


def test_the_claim_of_a_dead_process_is_taken_over_with_its_event_and_time(records: Records) -> None:
    ask(records)
    taken = ask(records, event="e-2", at=AT + LEASE)
    assert taken == Claim(Claimed.OURS, "e-1", START_US)
    assert ask(records, event="e-3", at=AT + LEASE).result is Claimed.WAIT


def test_expired_keys_are_forgotten(records: Records) -> None:
    ask(records)
    done(records)
    with records.writing() as session:
        forget_expired(session, AT + LIFE)
    with records.reading() as session:
        assert count_keys(session) == 0


def test_of_many_at_once_exactly_one_does_it(records: Records) -> None:
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda number: ask(records, event=f"e-{number}"), range(24)))
    assert [made.result for made in claims].count(Claimed.OURS) == 1
    assert len({made.event_id for made in claims}) == 1
