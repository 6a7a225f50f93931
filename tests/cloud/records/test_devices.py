"""The registry of Devices: numbers and shown ids that never change."""

from cloud.ports import StoredDevice
from cloud.records.database import Records
from cloud.records.devices import list_devices, register_devices
from protocols.tag import DeviceInfo


def register(records: Records, *told: StoredDevice) -> list[str]:
    with records.writing() as session:
        register_devices(session, told)
        return [device.shown_id for device in list_devices(session)]


def told(source: str, device: str, **facts: str) -> StoredDevice:
    return StoredDevice(source, DeviceInfo(device, **facts))


def test_the_first_source_keeps_the_plain_id_and_the_second_is_named_after_its_source(records: Records) -> None:
    register(records, told("gw-1", "pump"))
    assert register(records, told("gw-1", "pump"), told("gw-2", "pump")) == ["pump", "gw-2.pump"]
    assert register(records, told("", "pump")) == ["pump", "gw-2.pump", "direct.pump"]


def test_a_shown_id_that_somebody_else_took_gets_a_number(records: Records) -> None:
    assert register(records, told("a", "gw.pump"), told("b", "pump"), told("gw", "pump")) == [
        "gw.pump",
        "pump",
        "gw.pump.2",
    ]


def test_numbers_stay_while_names_follow_what_is_told(records: Records) -> None:
    register(records, told("gw-1", "pump", name="Old"))
    register(records, told("gw-1", "pump", name="New", type="pump", location="Hall 1"))
    with records.reading() as session:
        (device,) = list_devices(session)
    assert (device.id, device.name, device.type, device.location) == (1, "New", "pump", "Hall 1")
    assert device.criticality == 0.5
    assert device.metadata == {}
