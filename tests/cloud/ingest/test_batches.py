"""Frames of gateways: what is stored, what is kept aside, and what each gets for an answer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from cloud.errors import Unavailable
from cloud.fleet.gateways import Gateways
from cloud.ports import Arrival, Written
from cloud.storage.memory import MemoryStore
from protocols.batch import BatchKind, SealedBatch
from protocols.codec import seal_data, seal_tags
from protocols.reading import Kind, Quality, ReadingBlock
from tests.support.cloud_clock import HandClock
from tests.support.ingest import EPOCH, GATEWAY, TABLE, Desk, data, drop, event, frame, hello, tags
from tests.support.readings import block, column, table


class Picky(MemoryStore):
    """A store that refuses one reading of each batch."""

    def write(self, arrivals: Sequence[Arrival]) -> Sequence[Written]:
        return [Written(stored=len(arrival.block) - 1, rejected=1) for arrival in arrivals]


class Fragile(MemoryStore):
    """A store with a bug that batch 3 brings out."""

    def write(self, arrivals: Sequence[Arrival]) -> Sequence[Written]:
        if any(arrival.key is not None and arrival.key.seq == 3 for arrival in arrivals):
            raise ZeroDivisionError("a bug in the store")
        return super().write(arrivals)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "readings.db")
    yield made
    made.database.close()


def test_batches_are_stored_and_acknowledged_up_to_the_last(desk: Desk) -> None:
    said = desk.marks(tags(1), data(2), data(3))
    assert (said.c, said.sel) == (3, ())
    assert len(desk.values()) == 6


def test_a_batch_that_overtook_another_is_named_as_a_range(desk: Desk) -> None:
    said = desk.marks(tags(1), data(3))
    assert (said.c, said.sel) == (1, ((3, 3),))


def test_a_repeated_batch_is_acknowledged_again_and_stored_once(desk: Desk) -> None:
    desk.marks(tags(1), data(2))
    assert desk.marks(data(2)).c == 2
    assert desk.marks(data(3), data(3)).c == 3
    assert len(desk.values()) == 6
    assert desk.counted("duplicate") == 2


def test_another_content_under_a_known_key_is_kept_aside_and_the_first_stays(desk: Desk) -> None:
    desk.marks(tags(1), data(2, value=1.5))
    assert desk.marks(data(2, value=99.0)).c == 2
    assert desk.values() == [1.5, 2.5, 3.5]
    assert desk.counted("conflict") == 1
    assert Gateways(desk.database).get(GATEWAY).conflict_us == desk.clock.now_us()
    assert next(desk.database.execute("select code, frame from quarantine")) == (
        "identity_conflict",
        data(2, value=99.0),
    )


def test_a_key_whose_content_is_forgotten_is_still_a_duplicate(desk: Desk) -> None:
    desk.marks(tags(1), data(2, value=1.5))
    assert desk.books.ledger.prune(before_us=desk.clock.now_us() + 1)
    assert not desk.books.ledger.prune(before_us=desk.clock.now_us() + 1)
    assert desk.marks(data(2, value=99.0)).c == 2
    assert desk.values() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        (data(2)[:-9], "checksum_mismatch"),
        (data(2)[:3], "truncated"),
        (b"LB\x01" + bytes(1 << 21), "oversized"),
        (data(2)[:-1] + b"\x00", "checksum_mismatch"),
        (b"LB\x63" + data(2)[3:], "unknown_version"),
        (b"not a frame at all", "malformed_frame"),
        (data(2, gateway="gw-2"), "foreign"),
    ],
)
def test_what_cannot_be_believed_is_counted_and_not_answered(desk: Desk, payload: bytes, outcome: str) -> None:
    assert desk.batches(payload) == ()
    assert desk.counted(outcome) == 1
    assert desk.marks(tags(1), payload, data(2)).c == 2


def test_the_own_gateway_never_speaks_for_the_one_in_the_header(desk: Desk) -> None:
    desk.marks(tags(1), data(2))
    assert desk.batches(data(3, gateway="gw-2")) == ()
    assert [gateway.name for gateway in Gateways(desk.database).list()] == [GATEWAY]


def _dropped(desk: Desk) -> int:
    return Gateways(desk.database).get(GATEWAY).total.dropped


def _lying() -> dict[str, SealedBatch]:
    good = seal_data(block([1.0]), segment=0, table=TABLE.hash)
    return {
        "no zstd": SealedBatch(BatchKind.DATA, 0, TABLE.hash, 1, b"junk"),
        "another count": SealedBatch(BatchKind.DATA, 0, TABLE.hash, 9, good.body),
        "empty": seal_data(ReadingBlock(), segment=0, table=TABLE.hash),
        "tag out of the table": seal_data(block([1.0], tag=2), segment=0, table=TABLE.hash),
        "another kind": seal_data(block([1], kind=Kind.INT), segment=0, table=TABLE.hash),
        "time before 1970": seal_data(block([1.0], start_us=-5), segment=0, table=TABLE.hash),
        "time after 2200": seal_data(block([1.0], start_us=1 << 61), segment=0, table=TABLE.hash),
        "drop that is none": SealedBatch(BatchKind.DROP, 0, "", 1, good.body),
    }


@pytest.mark.parametrize("what", _lying())
def test_poison_is_kept_raw_rejected_and_blocks_nobody(desk: Desk, what: str) -> None:
    poison = frame(_lying()[what], 2)
    said = desk.marks(tags(1), poison, data(3))
    assert said.c == 3
    assert [(one.lo, one.hi, one.code) for one in said.rej] == [(2, 2, "invalid_content")]
    assert [row[0] for row in desk.database.execute("select frame from quarantine")] == [poison]
    assert desk.marks(poison).rej == said.rej
    assert desk.counted("quarantined") == 1


def test_readings_that_the_store_refuses_are_kept_raw(tmp_path: Path) -> None:
    picky = Desk(tmp_path / "picky.db", store=Picky(HandClock()))
    picky.marks(tags(1), data(2))
    total = Gateways(picky.database).get(GATEWAY).total
    assert (total.stored, total.quarantined) == (2, 1)
    assert next(picky.database.execute("select code, count from quarantine")) == ("refused_readings", 1)
    picky.database.close()


def test_dropped_ranges_are_settled_and_counted(desk: Desk) -> None:
    said = desk.marks(tags(1), data(5), drop(6, 2, 4, 90))
    assert said.c == 6
    assert Gateways(desk.database).get(GATEWAY).total.dropped == 90


def test_a_stored_batch_beats_a_dropped_one_whichever_comes_first(desk: Desk) -> None:
    desk.marks(tags(1), data(2, readings=4), drop(9, 2, 3, 10))
    assert Gateways(desk.database).get(GATEWAY).total.dropped == 6
    desk.marks(data(3, readings=6))
    total = Gateways(desk.database).get(GATEWAY).total
    assert (total.stored, total.dropped) == (10, 0)


def test_what_is_declared_dropped_twice_counts_once_batch_by_batch(desk: Desk) -> None:
    desk.marks(tags(1), data(4, readings=3), drop(90, 2, 6, 50, counts=((2, 10), (1, 3), (1, 20), (1, 7))))
    assert _dropped(desk) == 47
    desk.marks(drop(91, 5, 8, 29, counts=((1, 20), (1, 7), (2, 1))))
    assert _dropped(desk) == 49
    desk.marks(drop(92, 2, 8, 52, counts=((2, 10), (1, 3), (1, 20), (1, 7), (2, 1))), data(5, readings=20))
    assert _dropped(desk) == 29


def test_the_sums_of_older_agents_are_never_counted_beyond_what_was_dropped(desk: Desk) -> None:
    desk.marks(tags(1), data(3, readings=3), drop(90, 2, 5, 33))
    assert _dropped(desk) == 30
    desk.marks(drop(91, 4, 7, 40))
    assert _dropped(desk) == 40
    desk.marks(drop(92, 4, 5, 20), drop(93, 2, 7, 53))
    assert _dropped(desk) == 50
    desk.marks(drop(94, 8, 8, 10), data(9, readings=1))
    assert _dropped(desk) == 60


def test_a_sum_is_not_counted_where_it_is_forgotten_what_of_it_is_stored(desk: Desk) -> None:
    desk.marks(tags(1), data(3, readings=3))
    desk.books.ledger.prune(before_us=desk.clock.now_us() + 1)
    desk.marks(drop(90, 2, 4, 23))
    assert _dropped(desk) == 0


def test_a_drop_of_another_epoch_is_answered_for_both(desk: Desk) -> None:
    ((_, ack),) = desk.batches(drop(1, 1, 8, 20, epoch=EPOCH + 1))
    assert {one.epoch: one.c for one in ack.epochs} == {EPOCH: 1, EPOCH + 1: 8}


def test_a_batch_without_its_table_is_kept_and_the_table_asked_for(desk: Desk) -> None:
    ((_, ack),) = desk.batches(data(2))
    assert ack.need == (TABLE.hash,)
    assert ack.epochs[0].covers(2)
    total = Gateways(desk.database).get(GATEWAY).total
    assert (total.made, total.undecoded, total.stored) == (3, 3, 0)


def test_batches_are_decoded_when_their_table_comes(desk: Desk) -> None:
    desk.batches(data(2), frame(seal_data(block([1.0], tag=5), segment=0, table=TABLE.hash), 3))
    ((_, ack),) = desk.batches(tags(1))
    assert ack.need == ()
    desk.decode_waiting()
    assert desk.values() == [1.5, 2.5, 3.5]
    total = Gateways(desk.database).get(GATEWAY).total
    assert (total.undecoded, total.stored, total.quarantined) == (0, 3, 1)


def test_a_long_queue_for_one_table_is_decoded_in_steps(desk: Desk) -> None:
    desk.batches(*(data(seq, readings=1) for seq in range(2, 152)))
    desk.batches(tags(1))
    assert len(desk.values()) < 150
    desk.decode_waiting()
    assert len(desk.values()) == 150
    assert Gateways(desk.database).get(GATEWAY).total.undecoded == 0


def test_each_gateway_needs_its_own_table(desk: Desk) -> None:
    desk.batches(tags(1))
    ((_, ack),) = desk.batches(data(1, gateway="gw-2"), gateway="gw-2")
    assert ack.need == (TABLE.hash,)


def test_a_table_that_is_none_is_kept_aside_and_its_batches_wait(desk: Desk) -> None:
    other = table("flow")
    wrong = SealedBatch(BatchKind.TAGS, 0, TABLE.hash, 0, seal_tags(other, segment=0).body)
    ((_, ack),) = desk.batches(data(2), frame(wrong, 1))
    assert ack.need == (TABLE.hash,)
    assert [one.lo for one in ack.epochs[0].rej] == [1]


def test_events_are_kept(desk: Desk) -> None:
    desk.marks(event(1), event(2, "device_lost"))
    rows = desk.database.execute("select name from gateway_event order by seq")
    assert [row[0] for row in rows] == ["clock_stepped", "device_lost"]


def test_readings_of_a_clock_that_was_not_set_are_moved_by_what_the_hello_told(desk: Desk) -> None:
    behind_us = 400_000_000_000
    unset = hello(wall_us=desk.clock.now_us() - behind_us)
    desk.hello(msgspec.structs.replace(unset, clock_is_set=False))
    start_us = desk.clock.now_us() - behind_us
    rows = column([1.0, 2.0], start_us=start_us, quality=[Quality.CLOCK_UNSET, Quality.GOOD])
    desk.marks(tags(1), frame(seal_data(ReadingBlock((rows,)), segment=0, table=TABLE.hash), 2))
    (series,) = [one for one in desk.store.series() if one.key.tag == "flow"]
    times = desk.store.points(series, start_us=0, end_us=1 << 62, limit=9).time_us.tolist()
    assert times == [start_us + 1_000_000, start_us + behind_us]


def test_readings_from_the_future_are_stored_and_counted(desk: Desk) -> None:
    late = block([1.0, 2.0], start_us=desk.clock.now_us() + 90_000_000_000)
    desk.marks(tags(1), frame(seal_data(late, segment=0, table=TABLE.hash), 2))
    assert desk.values() == [1.0, 2.0]
    assert desk.counted("future", "lineside_ingest_readings") == 2


def test_nothing_is_half_done_when_the_disk_is_full(desk: Desk) -> None:
    desk.marks(tags(1))
    desk.free_bytes = 0
    with pytest.raises(Unavailable):
        desk.batches(data(2))
    assert desk.values() == []
    desk.free_bytes = None
    assert desk.marks(data(2)).c == 2
    assert len(desk.values()) == 3
    assert desk.counted("stored") == 1


def test_what_is_settled_outlives_the_process(desk: Desk, tmp_path: Path) -> None:
    desk.marks(tags(1), data(2), drop(9, 4, 8, 7))
    after = desk.reopen(tmp_path / "readings.db")
    said = after.marks(data(2))
    assert (said.c, said.sel) == (2, ((4, 9),))
    assert after.counted("duplicate") == 1
    after.database.close()


def test_a_batch_that_makes_the_store_fail_is_set_aside_and_the_others_are_written(tmp_path: Path) -> None:
    broken = Desk(tmp_path / "broken.db", store=Fragile(HandClock()))
    acks = broken.batches(tags(1), data(2), data(3), data(4))
    assert max(one.c for _, ack in acks for one in ack.epochs) == 4
    assert len(broken.values()) == 6
    assert next(broken.database.execute("select seq, code from quarantine")) == (3, "internal_error")
    total = Gateways(broken.database).get(GATEWAY).total
    assert (total.stored, total.quarantined) == (6, 3)
    broken.database.close()


def test_a_waiting_batch_that_makes_the_store_fail_is_set_aside_and_its_table_and_the_others_stay(
    tmp_path: Path,
) -> None:
    broken = Desk(tmp_path / "broken.db", store=Fragile(HandClock()))
    broken.batches(data(2), data(3), data(4))
    said = broken.marks(tags(1))
    broken.decode_waiting()
    assert (said.c, said.rej) == (4, ())
    assert len(broken.values()) == 6
    assert list(broken.database.execute("select seq, code from quarantine")) == [(3, "internal_error")]
    total = Gateways(broken.database).get(GATEWAY).total
    assert (total.stored, total.quarantined, total.undecoded) == (6, 3, 0)
    broken.database.close()


def test_a_waiting_batch_that_the_disk_damaged_is_set_aside_and_the_others_are_written(desk: Desk) -> None:
    desk.batches(data(2), data(3))
    desk.database.execute("update undecoded set frame = x'00ff' where seq = 2")
    desk.marks(tags(1))
    desk.decode_waiting()
    assert len(desk.values()) == 3
    assert list(desk.database.execute("select seq, code, frame from quarantine")) == [
        (2, "internal_error", b"\x00\xff")
    ]
    total = Gateways(desk.database).get(GATEWAY).total
    assert (total.stored, total.quarantined, total.undecoded) == (3, 3, 0)
