"""What the cloud notices of gateways by itself: offline, cloned, readings given up, devices back."""

from collections.abc import Iterator

import pytest

from cloud.domain.alarm import Alarm, AlarmState
from cloud.operations.alarm_follower import AlarmFollower
from cloud.operations.alarms import Alarms
from cloud.operations.gateway_events import GatewayEvents
from cloud.operations.gateway_watch import GatewayWatch
from cloud.records.alarms import AlarmFilter
from cloud.records.database import Records
from cloud.storage.chunks.database import Database
from protocols.delivery import State
from protocols.reading import Quality
from tests.support.alarms import happened
from tests.support.cloud import arrival
from tests.support.cloud_clock import START_US
from tests.support.ingest import EPOCH, GATEWAY, Desk, drop, hello


@pytest.fixture
def events(desk: Desk) -> Iterator[GatewayEvents]:
    made = GatewayEvents(Database(desk.database.path, read_only=True))
    yield made
    made.close()


@pytest.fixture
def alarms(records: Records, desk: Desk) -> Alarms:
    return Alarms(records, desk.clock)


@pytest.fixture
def watch(desk: Desk, records: Records, events: GatewayEvents) -> GatewayWatch:
    return GatewayWatch(records, events, desk.store, desk.clock)


def all_of(alarms: Alarms) -> list[Alarm]:
    return list(alarms.list(AlarmFilter(), limit=100)[0])


def says(desk: Desk, *, online: bool) -> None:
    desk.state(State(online=online, epoch=EPOCH, version="1"))


def test_a_gateway_that_is_offline_for_a_minute_is_an_alarm_until_it_is_back(
    desk: Desk, watch: GatewayWatch, alarms: Alarms
) -> None:
    says(desk, online=True)
    says(desk, online=False)
    desk.clock.move(60)
    watch.look()
    assert all_of(alarms) == []
    desk.clock.move(1)
    for _ in range(2):
        watch.look()
    (alarm,) = all_of(alarms)
    assert (alarm.state, alarm.finding.message) == (
        AlarmState.UNACK_ACTIVE,
        "gw-1 is offline; its readings wait there",
    )
    assert (alarm.occurrences, alarm.onset_us) == (1, START_US)
    says(desk, online=True)
    watch.look()
    assert all_of(alarms)[0].state is AlarmState.UNACK_CLEARED


def test_what_an_operator_cleared_of_an_offline_gateway_stays_so_until_it_spoke(
    desk: Desk, watch: GatewayWatch, alarms: Alarms
) -> None:
    says(desk, online=True)
    says(desk, online=False)
    desk.clock.move(61)
    watch.look()
    alarms.clear(all_of(alarms)[0].id, by="ann")
    desk.clock.move(600)
    watch.look()
    assert [one.state for one in all_of(alarms)] == [AlarmState.NORMAL]


def test_a_clone_is_a_critical_alarm_until_an_operator_clears_it(
    desk: Desk, watch: GatewayWatch, alarms: Alarms
) -> None:
    for nonce, epoch in enumerate((7, 8, 7)):
        desk.hello(hello(nonce + 1, epoch=epoch))
        desk.clock.move(1)
    for _ in range(3):
        watch.look()
    (alarm,) = all_of(alarms)
    assert (alarm.condition.kind, alarm.finding.severity.value) == ("identity_cloned", "critical")
    assert (alarm.state, alarm.occurrences) == (AlarmState.UNACK_ACTIVE, 1)
    alarms.clear(alarm.id, by="ann")
    watch.look()
    assert [one.state for one in all_of(alarms)] == [AlarmState.NORMAL]


def test_readings_that_a_gateway_gave_up_are_told_once_each_time(
    desk: Desk, watch: GatewayWatch, alarms: Alarms
) -> None:
    desk.batches(drop(1, 2, 3, 40))
    for _ in range(2):
        watch.look()
    (alarm,) = all_of(alarms)
    assert alarm.finding.message == "gw-1 gave up 40 readings for room, 40 in all"
    assert (alarm.state, alarm.occurrences) == (AlarmState.UNACK_CLEARED, 1)
    desk.batches(drop(4, 5, 6, 2))
    watch.look()
    (alarm,) = all_of(alarms)
    assert (alarm.occurrences, alarm.finding.message[-9:]) == (2, "42 in all")


@pytest.mark.parametrize(
    ("after_s", "quality", "is_back"),
    [(1, Quality.GOOD, True), (-1, Quality.GOOD, False), (1, Quality.DEVICE_LOST, False)],
)
def test_a_lost_device_is_back_once_it_sends_a_reading(  # noqa: PLR0913 the parts of a plant
    desk: Desk,
    watch: GatewayWatch,
    alarms: Alarms,
    events: GatewayEvents,
    records: Records,
    *,
    after_s: int,
    quality: Quality,
    is_back: bool,
) -> None:
    desk.batches(happened(1, "device_lost", device="pump-1"))
    AlarmFollower(records, events).follow()
    reading = arrival(source=GATEWAY, time_us=[START_US + after_s * 1_000_000], value=[1.0], quality=[int(quality)])
    with desk.store.transaction():
        desk.store.write([reading])
    watch.look()
    assert all_of(alarms)[0].is_active is not is_back
