"""The catalogue: what it remembers of devices and series is what the file says, whoever wrote, whatever was undone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.ports import Arrival
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from protocols.tag import DeviceInfo, TagTable
from tests.support.cloud import arrival


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[ChunkStore]:
    """Give the store of the one who writes."""
    with closing(Database(tmp_path / "readings.db")) as database:
        yield ChunkStore(database, SystemClock())


@pytest.fixture
def reader(writer: ChunkStore, tmp_path: Path) -> Iterator[ChunkStore]:
    """Give the store of one who reads the same file."""
    del writer
    with closing(Database(tmp_path / "readings.db", read_only=True)) as database:
        yield ChunkStore(database, SystemClock())


def named(name: str, unit: str) -> Arrival:
    """Return a reading of pump-1 whose tag table calls it so."""
    one = arrival(time_us=[1], value=[1.0], unit=unit)
    table = TagTable((DeviceInfo("pump-1", "pump", name, "Hall 1"),), one.table.tags)
    return Arrival(one.source, table, one.block)


def told(store: ChunkStore) -> list[tuple[str, str]]:
    """Return name and unit of each device's series, as a store says."""
    units = {one.key.device: one.unit for one in store.series()}
    return [(one.info.name, units[one.info.id]) for one in store.devices()]


def test_a_reader_sees_what_is_new_and_what_is_called_anew_at_once(writer: ChunkStore, reader: ChunkStore) -> None:
    assert told(reader) == []
    for name, unit in (("Pump", "l/min"), ("Feed pump", "m3/h")):
        with writer.transaction():
            writer.write([named(name, unit)])
        assert told(reader) == told(writer) == [(name, unit)]
    with writer.transaction():
        writer.write([arrival(device="pump-2", time_us=[1], value=[1.0])])
    assert [one.key.device for one in reader.series(source="gw-1")] == ["pump-1", "pump-2"]
    assert len(reader.series(device="pump-2")) == 1


def cut_off(writer: ChunkStore) -> None:
    """Write, look, and fail before the commit."""
    with writer.transaction():
        writer.write([named("Wrong", "bar")])
        assert told(writer) == [("Wrong", "bar")]
        raise RuntimeError("power")


def test_what_was_undone_is_not_remembered_even_where_the_next_change_has_its_number(writer: ChunkStore) -> None:
    with writer.transaction():
        writer.write([named("Pump", "l/min")])
    with pytest.raises(RuntimeError, match="power"):
        cut_off(writer)
    with writer.transaction():
        writer.write([named("Feed pump", "m3/h")])
        assert told(writer) == [("Feed pump", "m3/h")]


def test_a_list_is_the_same_one_until_something_changes(writer: ChunkStore) -> None:
    with writer.transaction():
        writer.write([named("Pump", "l/min")])
    devices, series = writer.devices(), writer.series()
    assert writer.devices() is devices
    assert writer.series() is series
    with writer.transaction():
        writer.write([arrival(device="pump-2", time_us=[1], value=[1.0])])
    assert (len(devices), len(writer.devices())) == (1, 2)
