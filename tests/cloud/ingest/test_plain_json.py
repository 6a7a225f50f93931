"""JSON telemetry: any device becomes known by sending, and what is wrong with one value touches no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.tag import DeviceInfo
from tests.support.ingest import Desk

TS = 1_700_000_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "readings.db")
    yield made
    made.database.close()


def _errors(desk: Desk) -> list[tuple[str, str, int]]:
    rows = desk.database.execute("select device, field, count from telemetry_error order by field")
    return [(device, field, count) for device, field, count in rows]


def test_a_device_becomes_known_by_sending(desk: Desk) -> None:
    desk.telemetry("meter-9", b'{"ts": %d, "values": {"power": 25, "mode": "auto", "on": true}}' % TS)
    assert [(one.source, one.info) for one in desk.store.devices()] == [("", DeviceInfo("meter-9"))]
    assert desk.values("meter-9", "power", source="") == [25.0]
    assert len(desk.store.series(source="", device="meter-9")) == 3


def test_a_repeated_message_is_stored_once(desk: Desk) -> None:
    for _ in range(2):
        desk.telemetry("meter-9", b'{"ts": %d, "values": {"power": 25}}' % TS)
    assert desk.values("meter-9", "power", source="") == [25.0]
    assert desk.counted("duplicate", "lineside_ingest_readings") == 1


def test_a_value_of_a_wrong_type_is_counted_with_its_device_and_field(desk: Desk) -> None:
    desk.telemetry("meter-9", b'{"ts": %d, "values": {"power": {"watts": 3}}}' % TS)
    desk.telemetry("meter-9", b'{"ts": "yesterday", "values": {"power": 1}}')
    desk.telemetry("meter-9", b"\xff not JSON")
    assert [row[:2] for row in _errors(desk)] == [
        ("meter-9", "payload"),
        ("meter-9", "ts"),
        ("meter-9", "values.power"),
    ]
    assert desk.counted("invalid_telemetry", "lineside_ingest_messages") == 3
    assert not desk.store.devices()


def test_a_wrong_message_of_a_list_does_not_touch_the_others(desk: Desk) -> None:
    desk.telemetry("meter-9", b'[{"ts": %d, "values": {"power": 1}}, {"ts": %d, "values": 7}]' % (TS, TS))
    assert desk.values("meter-9", "power", source="") == [1.0]
    assert _errors(desk) == [("meter-9", "values", 1)]


def test_a_series_keeps_the_kind_of_its_first_value(desk: Desk, tmp_path: Path) -> None:
    desk.telemetry("meter-9", b'{"ts": %d, "values": {"power": 1.5, "mode": "auto"}}' % TS)
    after = desk.reopen(tmp_path / "readings.db")
    after.telemetry("meter-9", b'{"ts": %d, "values": {"power": "much", "mode": 3}}' % (TS + 1))
    after.telemetry("meter-9", b'{"ts": %d, "values": {"power": 2.5, "mode": 3}}' % (TS + 2))
    assert after.values("meter-9", "power", source="") == [1.5, 2.5]
    assert _errors(after) == [("meter-9", "values.mode", 2), ("meter-9", "values.power", 1)]
    after.database.close()


def test_numbers_become_what_their_series_is_where_nothing_is_lost(desk: Desk) -> None:
    big = (1 << 53) + 1
    desk.telemetry("meter-9", b'{"ts": %d, "values": {"energy": %d}}' % (TS, big))
    desk.telemetry("meter-9", b'[{"ts": %d, "values": {"energy": 7}}]' % (TS + 1))
    desk.telemetry("meter-9", b'[{"ts": %d, "values": {"energy": 7.5}}]' % (TS + 2))
    (series,) = desk.store.series(source="", device="meter-9")
    points = desk.store.points(series, start_us=0, end_us=1 << 62, limit=9)
    assert points.value.tolist() == [big, 7]
    assert _errors(desk) == [("meter-9", "values.energy", 1)]


def test_a_value_that_could_not_be_read_takes_the_kind_of_its_series(desk: Desk) -> None:
    lost = (
        b'{"ts": %d, "values": {"mode": null, "power": null}, "quality": {"mode": "read error", "power": "read error"}}'
    )
    desk.telemetry("meter-9", lost % TS)
    assert not desk.store.devices()
    desk.telemetry("meter-9", b'{"ts": %d, "values": {"mode": "auto", "power": 1}}' % (TS + 1))
    desk.telemetry("meter-9", lost % (TS + 2))
    assert [len(desk.values("meter-9", tag, source="")) for tag in ("power",)] == [2]
    assert sorted(one.key.tag for one in desk.store.series()) == ["mode", "power"]


def test_the_list_of_errors_is_bounded(desk: Desk) -> None:
    for number in range(1010):
        desk.books.quarantine.note_telemetry("meter-9", f"f{number}", "wrong", b"{}", now_us=number)
    assert len(_errors(desk)) == 1000
