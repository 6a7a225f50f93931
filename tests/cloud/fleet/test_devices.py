"""Devices: their newest values and whether they still speak."""

import pytest

from cloud.domain.alarm import Severity
from cloud.domain.device_status import Presence
from cloud.domain.health import Band, DeviceStatus, Vitals
from cloud.errors import NotFound
from cloud.fleet.devices import Devices
from cloud.ports import Arrival
from cloud.storage.memory import MemoryStore
from protocols.reading import Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.cloud_clock import START_US, HandClock
from tests.support.readings import block, column, text_block


def _table(*tags: TagInfo, device: str = "pump-1") -> TagTable:
    return TagTable((DeviceInfo(device, type="pump"),), tags)


def _devices(
    table: TagTable, *blocks: ReadingBlock, online: tuple[str, ...] = (), gone: tuple[str, ...] = ()
) -> tuple[Devices, HandClock]:
    clock = HandClock()
    store = MemoryStore(clock)
    for one in blocks:
        with store.transaction():
            store.write([Arrival("gw-1", table, one)])
    return Devices(store, clock, lambda: Presence(online, gone)), clock


def test_a_device_shows_its_primary_series_and_every_newest_value() -> None:
    table = _table(TagInfo(0, "mode", Kind.TEXT), TagInfo(0, "flow", Kind.FLOAT, "l/min", 1.0, is_primary=True))
    devices, _ = _devices(
        table, text_block(["auto", "off"], start_us=START_US), block([1.0, 2.5], tag=1, start_us=START_US)
    )
    (seen,) = devices.list()
    assert seen.primary is not None
    assert (seen.primary.tag, seen.primary.value, seen.primary.unit) == ("flow", 2.5, "l/min")
    assert {value.tag: value.value for value in seen.latest} == {"mode": "off", "flow": 2.5}
    assert seen == devices.get("gw-1", "pump-1")


def test_a_device_is_offline_after_three_periods_and_a_minute_of_silence() -> None:
    devices, clock = _devices(_table(TagInfo(0, "flow", Kind.FLOAT, period_s=30.0)), block([1.0], start_us=START_US))
    clock.move(90)
    assert devices.list()[0].status is DeviceStatus.NORMAL
    clock.move(1)
    assert devices.list()[0].status is DeviceStatus.OFFLINE


@pytest.mark.parametrize(
    ("online", "period_s", "quality", "status"),
    [
        (("gw-1",), 0.0, Quality.GOOD, DeviceStatus.NORMAL),
        (("gw-1",), 0.0, Quality.DEVICE_LOST, DeviceStatus.OFFLINE),
        (("gw-2",), 0.0, Quality.GOOD, DeviceStatus.OFFLINE),
        (("gw-1",), 1.0, Quality.GOOD, DeviceStatus.OFFLINE),
    ],
)
def test_a_device_that_reports_on_change_is_as_alive_as_its_gateway_and_its_driver(
    online: tuple[str, ...], period_s: float, quality: Quality, status: DeviceStatus
) -> None:
    rows = ReadingBlock((column([1.0], start_us=START_US, quality=quality),))
    devices, clock = _devices(_table(TagInfo(0, "flow", Kind.FLOAT, period_s=period_s)), rows, online=online)
    clock.move(3600)
    assert devices.list()[0].status is status
    assert devices.get("gw-1", "pump-1").status is status


@pytest.mark.parametrize("period_s", [0.0, 0.1, 600.0])
def test_a_device_is_away_with_its_gateway_unless_it_speaks_by_another_way(period_s: float) -> None:
    table = _table(TagInfo(0, "flow", Kind.FLOAT, period_s=period_s))
    devices, clock = _devices(table, block([1.0], start_us=START_US), gone=("gw-1",))
    clock.move(5)
    assert devices.list()[0].status is DeviceStatus.NORMAL
    clock.move(1)
    (seen,) = devices.list()
    assert (seen.status, seen.interval_s) == (DeviceStatus.OFFLINE, period_s)


def test_a_doubtful_newest_value_is_left_to_the_health_score() -> None:
    rows = ReadingBlock((column([1.0], start_us=START_US, quality=Quality.FLAT_LINE),))
    devices, _ = _devices(_table(TagInfo(0, "on", Kind.FLOAT)), rows)
    assert devices.list()[0].status is DeviceStatus.NORMAL


def test_a_device_is_as_bad_as_the_band_of_its_health_and_silent_by_the_interval_that_was_told() -> None:
    clock = HandClock()
    store = MemoryStore(clock)
    with store.transaction():
        store.write([Arrival("gw-1", _table(TagInfo(0, "flow", Kind.FLOAT)), block([1.0], start_us=START_US))])
    vitals = Vitals(0.35, band=Band.CRITICAL, rated_interval_s=600.0)
    devices = Devices(store, clock, Presence, dict, lambda: {("gw-1", "pump-1"): vitals})
    clock.move(1800)
    assert (devices.list()[0].status, devices.list()[0].vitals.score) == (DeviceStatus.CRITICAL, 0.35)
    clock.move(1)
    assert devices.list()[0].status is DeviceStatus.OFFLINE


def test_a_device_without_a_reading_is_offline_and_shows_nothing() -> None:
    devices, _ = _devices(_table(TagInfo(0, "on", Kind.BOOL)), ReadingBlock())
    (seen,) = devices.list()
    assert (seen.status, seen.primary, seen.last_seen_us) == (DeviceStatus.OFFLINE, None, None)


def test_a_device_that_never_came_is_not_found() -> None:
    devices, _ = _devices(_table(TagInfo(0, "on", Kind.BOOL)), block([1], kind=Kind.BOOL, start_us=START_US))
    assert devices.list()[0].latest[0].value is True
    with pytest.raises(NotFound):
        devices.get("gw-1", "pump-2")


@pytest.mark.parametrize(
    ("alarms", "status"),
    [
        ({}, DeviceStatus.NORMAL),
        ({("gw-1", "pump-1"): Severity.INFO}, DeviceStatus.NORMAL),
        ({("gw-1", "pump-1"): Severity.WARNING}, DeviceStatus.WARNING),
        ({("gw-1", "pump-1"): Severity.CRITICAL}, DeviceStatus.CRITICAL),
        ({("gw-2", "pump-1"): Severity.CRITICAL}, DeviceStatus.NORMAL),
    ],
)
def test_a_device_is_as_bad_as_its_active_alarms_unless_it_is_silent(
    alarms: dict[tuple[str, str], Severity], status: DeviceStatus
) -> None:
    clock = HandClock()
    store = MemoryStore(clock)
    with store.transaction():
        store.write([Arrival("gw-1", _table(TagInfo(0, "flow", Kind.FLOAT)), block([1.0], start_us=START_US))])
    devices = Devices(store, clock, Presence, lambda: alarms)
    assert devices.list()[0].status is status is devices.get("gw-1", "pump-1").status
    clock.move(61)
    assert devices.list()[0].status is DeviceStatus.OFFLINE
