"""The writer and its inbox: groups, full disks, and ways that cannot shut each other out."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud.errors import Unavailable
from cloud.ingest.inbox import MAX_DIRECT, MAX_MESSAGES, Inbox
from cloud.ingest.maintenance import Maintenance
from cloud.ingest.parcels import BatchParcel, DirectParcel, Outcome, TelemetryParcel
from cloud.ingest.writer import Writer
from cloud.ports import Arrival, Written
from protocols.delivery import Ack
from tests.support.ingest import GATEWAY, TABLE, Desk, data, tags
from tests.support.readings import block
from tests.support.waiting import wait_until


class Bench:
    """A writer in its thread; acks and outcomes in the order in which they came."""

    def __init__(self, desk: Desk, committed: Callable[[], None] = lambda: None) -> None:
        self.desk = desk
        self.inbox = Inbox()
        self.acks: list[Ack] = []
        self.outcomes: list[Outcome] = []
        maintenance = Maintenance(desk.store, desk.books.ledger, desk.intake, clock=desk.clock, figures=desk.figures)
        self.writer = Writer(
            desk.intake,
            maintenance,
            self.inbox,
            publish=lambda acks: self.acks.extend(ack for _, ack in acks),
            clock=desk.clock,
            figures=desk.figures,
            committed=committed,
        )

    def send(self, payload: bytes) -> bool:
        """Offer a frame."""
        return self.inbox.offer(BatchParcel(GATEWAY, payload), self.outcomes.append)

    def send_direct(self, value: float) -> bool:
        """Offer direct readings."""
        arrival = Arrival("", TABLE, block([value], start_us=1_700_000_000_000_000 + int(value)))
        return self.inbox.offer(DirectParcel(arrival), self.outcomes.append)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the writer's thread run until the end of the block, then let it finish."""
        thread = threading.Thread(target=self.writer.run)
        thread.start()
        try:
            yield
        finally:
            self.inbox.close()
            thread.join(timeout=10)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    desk = Desk(tmp_path / "readings.db")
    yield Bench(desk)
    desk.database.close()


def test_everything_that_waits_becomes_one_group(bench: Bench) -> None:
    for payload in (tags(1), data(2), data(3)):
        assert bench.send(payload)
    bench.send_direct(1.0)
    with bench.running():
        wait_until(lambda: len(bench.outcomes) == 4)
    assert bench.desk.figures.counted("lineside_ingest_groups", "committed") == 1
    assert [ack.epochs[0].c for ack in bench.acks] == [3]
    assert Written(stored=1) in bench.outcomes


def test_what_was_taken_in_is_written_before_the_end(bench: Bench) -> None:
    bench.send(tags(1))
    bench.send(data(2))
    with bench.running():
        bench.inbox.close()
    assert len(bench.desk.values()) == 3
    assert not bench.send(data(3))


def test_a_full_disk_stops_acks_refuses_direct_readings_and_recovers_without_loss(bench: Bench) -> None:
    bench.desk.free_bytes = 0
    with bench.running():
        bench.send(tags(1))
        bench.send(data(2))
        wait_until(lambda: bench.writer.trouble is not None)
        bench.send_direct(1.0)
        wait_until(lambda: len(bench.outcomes) == 1)
        assert isinstance(bench.outcomes[0], Unavailable)
        assert bench.desk.figures.gauge("lineside_ingest_store_available") == 0
        assert bench.acks == []
        bench.desk.free_bytes = None
        wait_until(lambda: len(bench.acks) > 0)
    assert bench.acks[-1].epochs[0].c == 2
    assert len(bench.desk.values()) == 3
    assert bench.writer.trouble is None
    assert bench.desk.figures.gauge("lineside_ingest_store_available") == 1


def test_trouble_is_found_to_be_over_even_when_nothing_comes(bench: Bench) -> None:
    bench.desk.free_bytes = 0
    with bench.running():
        bench.send_direct(1.0)
        wait_until(lambda: bench.writer.trouble is not None)
        bench.desk.free_bytes = None
        wait_until(lambda: bench.writer.trouble is None)


def test_what_was_not_committed_at_the_end_was_never_acknowledged(bench: Bench) -> None:
    bench.desk.free_bytes = 0
    with bench.running():
        bench.send(tags(1))
        wait_until(lambda: bench.writer.trouble is not None)
    assert bench.acks == []
    assert bench.outcomes == []


def test_no_way_in_can_shut_the_other_out(bench: Bench) -> None:
    assert all(bench.send(b"x") for _ in range(MAX_MESSAGES))
    assert not bench.send(b"x")
    assert all(bench.send_direct(1.0) for _ in range(MAX_DIRECT))
    assert not bench.send_direct(1.0)


def test_gateways_are_asked_for_less_while_much_waits(bench: Bench) -> None:
    for seq in range(1, 900):
        bench.send(data(seq, readings=1))
    with bench.running():
        wait_until(lambda: len(bench.outcomes) == 899)
    assert bench.acks[0].slow
    assert not bench.acks[-1].slow


def test_a_group_is_bounded_in_number_and_work() -> None:
    inbox = Inbox()
    for _ in range(300):
        inbox.offer(TelemetryParcel("meter-9", b"{}"), lambda _: None)
    assert len(inbox.take(timeout_s=0)) == 256
    assert len(inbox.take(timeout_s=0)) == 44
    for size in (1, 1 << 17):
        for _ in range(70):
            inbox.offer(BatchParcel(GATEWAY, bytes(size)), lambda _: None)
    assert [len(inbox.take(timeout_s=0)) for _ in range(5)] == [32, 32, 8, 2, 2]
