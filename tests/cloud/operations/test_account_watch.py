"""An epoch whose readings do not add up for longer than they can be on their way is an alarm, until they do."""

from collections.abc import Iterator

import pytest

from cloud.domain.alarm import Alarm, AlarmState
from cloud.fleet.gateways import Gateways
from cloud.operations.account_watch import IN_FLIGHT_S, AccountWatch
from cloud.operations.alarms import Alarms
from cloud.records.alarms import AlarmFilter
from cloud.records.database import Records
from cloud.storage.chunks.database import Database
from protocols.delivery import EpochAccount, State
from tests.support.ingest import EPOCH, GATEWAY, Desk, data, tags


@pytest.fixture
def gateways(desk: Desk) -> Iterator[Gateways]:
    database = Database(desk.database.path, read_only=True)
    yield Gateways(database)
    database.close()


@pytest.fixture
def watch(desk: Desk, records: Records, gateways: Gateways) -> AccountWatch:
    return AccountWatch(records, gateways.uneven, desk.clock)


@pytest.fixture
def alarms(records: Records, desk: Desk) -> Alarms:
    return Alarms(records, desk.clock)


def all_of(alarms: Alarms) -> list[Alarm]:
    return list(alarms.list(AlarmFilter(), limit=100)[0])


def says(desk: Desk, *accounts: EpochAccount, running: int = EPOCH, is_retained: bool = False) -> None:
    desk.state(State(online=True, epoch=running, version="1", accounts=accounts), is_retained=is_retained)


def count(*, sealed: int, waiting: int = 0, dropped: int = 0, epoch: int = EPOCH) -> EpochAccount:
    return EpochAccount(epoch, sealed, sealed - waiting - dropped, waiting, dropped)


def look_for_long(desk: Desk, watch: AccountWatch) -> None:
    watch.look()
    desk.clock.move(IN_FLIGHT_S)
    watch.look()


def test_readings_that_are_nowhere_for_long_are_an_alarm_that_names_them(
    desk: Desk, watch: AccountWatch, alarms: Alarms
) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10, waiting=2))
    watch.look()
    desk.clock.move(IN_FLIGHT_S - 1)
    watch.look()
    assert all_of(alarms) == []
    desk.clock.move(1)
    for _ in range(3):
        watch.look()
    (alarm,) = all_of(alarms)
    assert alarm.condition == (GATEWAY, "", "account_gap", f"{EPOCH:016x}")
    assert alarm.finding.message == (
        "5 readings are nowhere: gw-1 sealed 10 readings in epoch 0000000000000007, of which 3 are stored or accounted "
        "for and 2 wait there (told at 2025-06-15 15:06:40+00:00)"
    )
    assert (alarm.finding.severity.value, alarm.occurrences, alarm.finding.value) == ("critical", 1, 5.0)


def test_the_alarm_is_over_when_the_sum_comes_out(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=7))
    look_for_long(desk, watch)
    desk.marks(data(3, readings=4))
    watch.look()
    assert [one.state for one in all_of(alarms)] == [AlarmState.UNACK_CLEARED]


def test_what_waits_at_the_gateway_is_no_gap_however_long(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10, waiting=7))
    look_for_long(desk, watch)
    assert all_of(alarms) == []


def test_a_gap_that_closed_meanwhile_waits_anew(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10))
    watch.look()
    says(desk, count(sealed=10, waiting=7))
    watch.look()
    says(desk, count(sealed=10))
    desk.clock.move(IN_FLIGHT_S)
    watch.look()
    assert all_of(alarms) == []


def test_what_waited_in_a_buffer_that_is_another_one_now_is_a_gap(
    desk: Desk, watch: AccountWatch, alarms: Alarms
) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10, waiting=7))
    desk.batches(tags(1, epoch=EPOCH + 1))
    says(desk, running=EPOCH + 1)
    look_for_long(desk, watch)
    assert [one.finding.value for one in all_of(alarms)] == [7.0]


def test_what_an_old_copy_of_a_buffer_lacks_is_a_gap(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10, waiting=7))
    says(desk, count(sealed=5, waiting=2), running=EPOCH + 1)
    look_for_long(desk, watch)
    assert [one.finding.value for one in all_of(alarms)] == [5.0]


def test_an_old_word_about_the_run_that_goes_on_changes_nothing(
    desk: Desk, watch: AccountWatch, alarms: Alarms
) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10, waiting=7))
    says(desk, count(sealed=3, waiting=0))
    says(desk, count(sealed=3, waiting=0), running=EPOCH + 1, is_retained=True)
    look_for_long(desk, watch)
    assert all_of(alarms) == []


def test_more_than_the_gateway_ever_sealed_is_a_warning(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=1))
    look_for_long(desk, watch)
    (alarm,) = all_of(alarms)
    assert (alarm.finding.severity.value, alarm.finding.value) == ("warning", 2.0)
    assert alarm.finding.message.startswith("2 readings too many: gw-1 sealed 1 readings")


def test_what_came_since_the_gateway_told_is_not_too_much(desk: Desk, watch: AccountWatch, alarms: Alarms) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=3))
    desk.marks(data(3, readings=4))
    look_for_long(desk, watch)
    assert all_of(alarms) == []


def test_what_an_operator_cleared_stays_so_until_it_is_out_by_more(
    desk: Desk, watch: AccountWatch, alarms: Alarms
) -> None:
    desk.marks(tags(1), data(2, readings=3))
    says(desk, count(sealed=10))
    look_for_long(desk, watch)
    alarms.clear(all_of(alarms)[0].id, by="ann")
    look_for_long(desk, watch)
    assert [one.state for one in all_of(alarms)] == [AlarmState.NORMAL]
    says(desk, count(sealed=11))
    watch.look()
    assert [one.finding.value for one in all_of(alarms) if one.is_active] == [8.0]


def test_the_total_of_all_gateways_is_the_sum_of_each(desk: Desk, gateways: Gateways) -> None:
    desk.marks(tags(1), data(2, readings=3))
    desk.batches(tags(1, epoch=8), data(2, readings=4, epoch=8))
    says(desk, count(sealed=10, waiting=2), count(sealed=6, waiting=2, epoch=8))
    assert gateways.total() == gateways.get(GATEWAY).total
    assert (gateways.total().made, gateways.total().lost, gateways.total().buffered) == (16, 5, 4)
