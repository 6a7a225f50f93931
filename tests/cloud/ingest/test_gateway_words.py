"""Hello and state: what a gateway says of itself, the generation, and the accounts that follow from it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cloud.domain.device_status import Presence
from cloud.errors import Unavailable
from cloud.fleet.gateways import Gateways
from cloud.ingest.parcels import ArchiveParcel, HelloParcel, StateParcel
from cloud.ingest.roster import is_cloned
from protocols.delivery import EpochAccount, EpochRange, State, encode
from tests.support.ingest import EPOCH, GATEWAY, Desk, data, drop, hello, tags


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "readings.db")
    yield made
    made.database.close()


def _state(*, sealed: int, acked: int, waiting: int, dropped: int = 0, online: bool = True) -> State:
    return State(online, EPOCH, "1.2.3", accounts=(EpochAccount(EPOCH, sealed, acked, waiting, dropped),))


def test_a_hello_is_answered_with_its_nonce_and_what_the_store_has(desk: Desk) -> None:
    desk.marks(tags(1), data(2), data(4))
    ack = desk.hello(hello(nonce=42))
    assert ack.nonce == 42
    assert [(one.epoch, one.c, one.sel) for one in ack.epochs] == [(EPOCH, 2, ((4, 4),))]


def test_a_hello_names_rejected_batches_and_missing_tables(desk: Desk) -> None:
    desk.marks(data(2))
    ack = desk.hello(hello())
    assert len(ack.need) == 1


def test_a_new_store_begins_with_a_generation_that_no_earlier_one_had(desk: Desk) -> None:
    assert desk.hello(hello()).generation == 1_750_000_000


def test_a_hello_that_believes_more_raises_the_store_before_the_answer(desk: Desk, tmp_path: Path) -> None:
    assert desk.hello(hello(generation=1_800_000_000)).generation == 1_800_000_001
    assert desk.hello(hello(generation=5)).generation == 1_800_000_001
    after = desk.reopen(tmp_path / "readings.db")
    assert after.books.ledger.generation == 1_800_000_001
    after.database.close()


def test_a_generation_that_was_not_committed_is_not_told(desk: Desk) -> None:
    desk.free_bytes = 0
    with pytest.raises(Unavailable):
        desk.hello(hello(generation=1_800_000_000))
    desk.free_bytes = None
    assert desk.hello(hello()).generation == 1_750_000_000


def test_a_mark_of_the_backup_is_told_and_never_falls(desk: Desk) -> None:
    desk.marks(tags(1), data(2), data(3))
    desk.books.ledger.archive({(GATEWAY, EPOCH): 2})
    desk.books.ledger.archive({(GATEWAY, EPOCH): 1})
    assert desk.marks(data(4)).a == 2


def test_a_backup_is_told_at_once_to_the_gateways_that_are_in_it(desk: Desk) -> None:
    desk.marks(tags(1), data(2), data(3))
    marks = {(GATEWAY, EPOCH): 2, (GATEWAY, 99): 4, ("nobody", EPOCH): 7}
    ((gateway, ack),) = desk.intake.settle([ArchiveParcel(marks)]).acks
    assert (gateway, ack.nonce, [(one.epoch, one.c, one.a) for one in ack.epochs]) == (GATEWAY, None, [(EPOCH, 3, 2)])
    assert desk.intake.settle([ArchiveParcel(marks)]).acks == ()


def test_a_mark_of_a_backup_is_durable_and_never_above_what_is_settled(desk: Desk, tmp_path: Path) -> None:
    desk.marks(tags(1), data(3))
    ((_, ack),) = desk.intake.settle([ArchiveParcel({(GATEWAY, EPOCH): 3})]).acks
    assert [(one.c, one.a) for one in ack.epochs] == [(1, 1)]
    after = desk.reopen(tmp_path / "readings.db")
    assert after.books.ledger.entry(GATEWAY, EPOCH, now_us=0).account.archived == 3
    after.database.close()


def test_of_many_epochs_in_a_backup_the_newest_are_told(desk: Desk) -> None:
    for epoch in range(1, 300):
        desk.batches(tags(1, epoch=epoch))
    ((_, ack),) = desk.intake.settle([ArchiveParcel({(GATEWAY, epoch): 1 for epoch in range(1, 300)})]).acks
    assert {one.epoch for one in ack.epochs} == set(range(44, 300))


def test_who_was_online_when_the_cloud_came_back_hears_its_generation(desk: Desk) -> None:
    said = encode(_state(sealed=0, acked=0, waiting=0))
    ((gateway, ack),) = desk.intake.settle([StateParcel(GATEWAY, said, is_retained=True)]).acks
    assert (gateway, ack.generation, ack.epochs) == (GATEWAY, 1_750_000_000, ())
    assert desk.intake.settle([StateParcel(GATEWAY, said)]).acks == ()
    gone = encode(_state(sealed=0, acked=0, waiting=0, online=False))
    assert desk.intake.settle([StateParcel(GATEWAY, gone, is_retained=True)]).acks == ()


def test_words_that_make_no_sense_are_counted_and_change_nothing(desk: Desk) -> None:
    assert desk.intake.settle([HelloParcel(GATEWAY, b"{}"), StateParcel(GATEWAY, b"[]")]).acks == ()
    assert desk.counted("invalid_hello", "lineside_ingest_messages") == 1
    assert desk.counted("invalid_state", "lineside_ingest_messages") == 1
    assert Gateways(desk.database).list() == []


def test_a_gateway_is_known_by_its_last_words(desk: Desk) -> None:
    desk.hello(hello(wall_us=desk.clock.now_us() - 2_000_000))
    assert Gateways(desk.database).presence() == Presence(frozenset({GATEWAY}), frozenset())
    desk.clock.move(3)
    desk.state(_state(sealed=0, acked=0, waiting=0, online=False))
    seen = Gateways(desk.database).get(GATEWAY)
    assert (seen.version, seen.is_online, seen.clock_skew_us) == ("1.2.3", False, 2_000_000)
    assert Gateways(desk.database).presence() == Presence(frozenset(), frozenset({GATEWAY}))
    assert seen.last_seen_us == desk.clock.now_us() - 3_000_000


def test_a_retained_state_is_no_sign_of_life(desk: Desk) -> None:
    desk.hello(hello())
    seen_us = desk.clock.now_us()
    desk.clock.move(60)
    desk.state(_state(sealed=0, acked=0, waiting=0), is_retained=True)
    assert Gateways(desk.database).get(GATEWAY).last_seen_us == seen_us


def test_accounts_add_up_to_what_the_gateway_made(desk: Desk) -> None:
    desk.marks(tags(1), data(2, readings=5), data(3, readings=5), drop(9, 4, 5, 8))
    desk.marks(data(2, readings=5))
    desk.state(_state(sealed=30, acked=10, waiting=12, dropped=8))
    total = Gateways(desk.database).get(GATEWAY).total
    assert (total.made, total.stored, total.dropped, total.buffered) == (30, 10, 8, 12)
    assert (total.lost, total.resent) == (0, 5)


def test_readings_that_nobody_has_are_shown_as_lost(desk: Desk) -> None:
    desk.marks(tags(1), data(2, readings=5))
    desk.state(_state(sealed=30, acked=20, waiting=10))
    assert Gateways(desk.database).get(GATEWAY).total.lost == 15


def test_an_older_state_does_not_turn_the_account_back(desk: Desk) -> None:
    desk.state(_state(sealed=30, acked=0, waiting=30))
    desk.state(_state(sealed=10, acked=0, waiting=10), is_retained=True)
    assert Gateways(desk.database).get(GATEWAY).total.made == 30


def test_epochs_that_alternate_betray_a_clone(desk: Desk) -> None:
    for epoch in (1, 2, 1):
        desk.clock.move(5)
        desk.hello(hello(epoch=epoch))
    assert Gateways(desk.database).get(GATEWAY).cloned_us == desk.clock.now_us()
    assert desk.counted("identity_cloned", "lineside_ingest_messages") == 1


def test_an_agent_that_starts_anew_is_no_clone() -> None:
    assert not is_cloned(now=3, last=2, one_before=1, since_last_us=1)
    assert not is_cloned(now=1, last=1, one_before=1, since_last_us=1)
    assert not is_cloned(now=1, last=2, one_before=1, since_last_us=3600 * 10**6)


def test_numbers_beyond_reason_do_not_stop_the_store(desk: Desk) -> None:
    huge = (1 << 63) - 1
    desk.hello(msgspec.structs.replace(hello(generation=huge), wall_us=-(1 << 62), buffered_readings=huge))
    desk.hello(msgspec.structs.replace(hello(), epochs=(EpochRange(huge, huge, huge, closed=True),)))
    desk.state(_state(sealed=huge, acked=huge, waiting=huge, dropped=huge))
    desk.marks(drop(1, 1, huge, huge))
    assert desk.marks(tags(2), data(3)).covers(3)
    assert desk.books.ledger.generation == 1_750_000_000
