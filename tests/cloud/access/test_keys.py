"""The life of an API key."""

from datetime import timedelta

import pytest

from cloud.access.keys import Keys
from cloud.domain.api_key import parse_key
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.errors import NotFound, Unauthorized
from cloud.records.audit import list_audit
from cloud.records.database import Records
from tests.support.cloud_clock import START_US, HandClock


def test_a_new_key_opens_what_its_scopes_say_and_nothing_else(records: Records) -> None:
    keys = Keys(records, HandClock())
    text, _ = keys.create("line 1", [Scope.DATA_INGEST], by="test")
    caller = keys.resolve(str(text))
    assert caller.allows(Scope.DATA_INGEST)
    assert not caller.allows(Scope.DATA_READ)


def test_admin_opens_everything(records: Records) -> None:
    keys = Keys(records, HandClock())
    text, _ = keys.create("root", [Scope.ADMIN], by="test")
    assert all(keys.resolve(str(text)).allows(scope) for scope in Scope)


def test_the_secret_is_nowhere_in_the_records(records: Records) -> None:
    keys = Keys(records, HandClock())
    text, key = keys.create("line 1", [Scope.DATA_INGEST], by="test")
    assert text.secret not in repr(key)
    assert text.secret not in repr(text)
    assert key.digest == text.digest


@pytest.mark.parametrize("wrong", ["", "lsk_", "lsk_abc_", "lsk_none_secret", "other", "lsk_ä_ö", "x" * 10_000])
def test_what_is_no_key_is_not_known(records: Records, wrong: str) -> None:
    with pytest.raises(Unauthorized, match="not known"):
        Keys(records, HandClock()).resolve(wrong)


def test_a_key_with_the_right_prefix_and_a_wrong_secret_is_not_known(records: Records) -> None:
    keys = Keys(records, HandClock())
    text, _ = keys.create("line 1", [Scope.DATA_INGEST], by="test")
    with pytest.raises(Unauthorized, match="not known"):
        keys.resolve(f"lsk_{text.prefix}_{'0' * 64}")


def test_a_key_ends_at_its_time_even_when_it_was_believed(records: Records) -> None:
    clock = HandClock()
    keys = Keys(records, clock)
    text, _ = keys.create("guest", [Scope.DATA_READ], by="test", expires_at=to_datetime(START_US) + timedelta(hours=1))
    clock.move(3599.5)
    keys.resolve(str(text))
    assert keys.believed(str(text)) is not None
    clock.move(0.5)
    assert keys.believed(str(text)) is None
    with pytest.raises(Unauthorized, match="expired"):
        keys.resolve(str(text))


def test_a_revoked_key_is_refused_at_once_here_and_within_a_second_elsewhere(records: Records) -> None:
    clock = HandClock()
    here, elsewhere = Keys(records, clock), Keys(records, clock)
    text, _ = here.create("line 1", [Scope.DATA_INGEST], by="test")
    here.resolve(str(text))
    elsewhere.resolve(str(text))
    here.revoke(text.prefix, by="test")
    assert here.believed(str(text)) is None
    clock.move(1.01)
    assert elsewhere.believed(str(text)) is None
    with pytest.raises(Unauthorized, match="revoked"):
        elsewhere.resolve(str(text))


def noted_uses(records: Records) -> int:
    """Return how often uses of keys were written down."""
    return sum(one.count for one in records.statements.slowest(500) if one.text.startswith("UPDATE api_keys"))


def test_ten_callers_ask_the_records_once_a_second_and_each_use_is_noted(records: Records) -> None:
    clock = HandClock()
    keys = Keys(records, clock)
    texts = [str(keys.create(f"user {number}", [Scope.DATA_READ], by="test")[0]) for number in range(10)]
    for text in texts:
        keys.resolve(text)
    clock.move(61)
    for text in texts:
        keys.resolve(text)
    clock.move(1)
    before, noted = noted_uses(records), [one.last_used_at for one in keys.list()]
    asked = sum(one.count for one in records.statements.slowest(500))
    keys.resolve(texts[7])
    assert all(keys.believed(text) is not None for text in texts)
    assert sum(one.count for one in records.statements.slowest(500)) - asked <= 2
    clock.move(9)
    for _ in range(7):
        keys.resolve(texts[7])
        assert all(keys.believed(text) is not None for text in texts)
        clock.move(9)
    assert noted_uses(records) == before + 1
    assert [one.last_used_at for one in keys.list()] == [to_datetime(START_US + 125_000_000)] * len(noted)
    assert noted == [to_datetime(START_US + 61_000_000)] * len(noted)


def test_a_key_that_is_rotated_elsewhere_ends_at_its_time_for_who_is_believed(records: Records) -> None:
    clock = HandClock()
    here, elsewhere = Keys(records, clock), Keys(records, clock)
    text, _ = here.create("line 1", [Scope.DATA_INGEST], by="test")
    elsewhere.resolve(str(text))
    _, _, old = here.rotate(text.prefix, by="test")
    assert old.expires_at is not None
    clock.move(1)
    elsewhere.resolve(str(text))
    clock.move((old.expires_at - to_datetime(clock.now_us())).total_seconds() - 0.5)
    assert elsewhere.resolve(str(text)).name == f"key:{text.prefix}"
    assert elsewhere.believed(str(text)) is not None
    clock.move(0.5)
    assert elsewhere.believed(str(text)) is None
    with pytest.raises(Unauthorized, match="expired"):
        elsewhere.resolve(str(text))


def test_revoking_what_is_not_there_is_not_found_and_twice_changes_nothing(records: Records) -> None:
    clock = HandClock()
    keys = Keys(records, clock)
    with pytest.raises(NotFound, match="no key nope"):
        keys.revoke("nope", by="test")
    text, _ = keys.create("line 1", [Scope.DATA_INGEST], by="test")
    first = keys.revoke(text.prefix, by="test")
    clock.move(60)
    assert keys.revoke(text.prefix, by="test").revoked_at == first.revoked_at


def test_the_last_use_is_kept_to_the_minute(records: Records) -> None:
    clock = HandClock()
    keys = Keys(records, clock)
    text, _ = keys.create("line 1", [Scope.DATA_INGEST], by="test")
    keys.resolve(str(text))
    clock.move(30)
    keys.resolve(str(text))
    assert keys.list()[0].last_used_at == to_datetime(START_US)
    clock.move(31)
    keys.resolve(str(text))
    assert keys.list()[0].last_used_at == to_datetime(clock.now_us())


def test_every_change_of_a_key_is_in_the_audit(records: Records) -> None:
    keys = Keys(records, HandClock())
    text, _ = keys.create("line 1", [Scope.DATA_INGEST], by="anna")
    keys.revoke(text.prefix, by="bert")
    with records.reading() as session:
        entries = list_audit(session, subject=text.prefix)
    assert [(entry.actor, entry.action) for entry in entries] == [("bert", "key.revoke"), ("anna", "key.create")]


def test_a_key_survives_being_written_and_read() -> None:
    parsed = parse_key("lsk_ab12_secret_with_underscores")
    assert parsed is not None
    assert str(parsed) == "lsk_ab12_secret_with_underscores"
