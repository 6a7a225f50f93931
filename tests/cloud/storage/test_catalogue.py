"""The catalogue: what it remembers of devices and series is what the file says, whoever wrote, whatever was undone."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.clock import SystemClock
from cloud.ports import Arrival
from cloud.storage.chunks.database import Database, Row, SQLValue
from cloud.storage.chunks.lists import Lists
from cloud.storage.chunks.schema import STEPS
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


class Counted(Database):
    """Counts the rows that were read."""

    rows = 0

    def execute(self, sql: str, parameters: Sequence[SQLValue] = ()) -> Iterator[Row]:
        """Run the statement."""
        found = list(super().execute(sql, parameters))
        self.rows += len(found)
        return iter(found)


def test_a_new_device_costs_readers_its_own_rows_and_only_the_first_who_looks(
    writer: ChunkStore, tmp_path: Path
) -> None:
    with writer.transaction():
        writer.write([arrival(device=f"pump-{number}", time_us=[1], value=[1.0]) for number in range(200)])
    path, lists = tmp_path / "readings.db", Lists()
    with closing(Counted(path, read_only=True)) as one, closing(Counted(path, read_only=True)) as two:
        first, second = (ChunkStore(database, SystemClock(), lists=lists) for database in (one, two))
        assert len(first.devices()) == len(first.series()) == 200
        with writer.transaction():
            writer.write([arrival(device="pump-new", time_us=[1], value=[1.0])])
        one.rows = two.rows = 0
        assert first.devices()[-1].info.id == "pump-new"
        assert first.series()[-1].key.device == "pump-new"
        assert second.devices() is first.devices()
        assert second.series() is first.series()
        assert one.rows + two.rows <= 8


def test_a_table_that_tells_nothing_new_changes_no_list(writer: ChunkStore, reader: ChunkStore) -> None:
    with writer.transaction():
        writer.write([named("Pump", "l/min"), arrival(device="pump-2", time_us=[1], value=[1.0])])
    devices, series = reader.devices(), reader.series()
    with writer.transaction():
        one, two = named("Pump", "l/min"), arrival(device="pump-2", time_us=[1], value=[1.0])
        again = TagTable((*one.table.devices, *two.table.devices), one.table.tags)
        writer.write([Arrival(one.source, again, one.block)])
    assert reader.devices() is devices
    assert reader.series() is series


def test_a_file_from_before_rows_had_numbers_is_read_whole_and_then_by_its_changes(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    with closing(Database(path)) as database:
        database.migrate("chunks", STEPS[:-4])
        database.execute("insert into chunk_count values ('catalogue', 7)")
        database.execute("insert into chunk_source (name) values ('gw-1')")
        database.execute(
            "insert into chunk_device (source, device, type, name, location) values (1, 'pump-1', 'pump', 'Old', '')"
        )
    with closing(Database(path)) as database:
        writer = ChunkStore(database, SystemClock())
        with closing(Database(path, read_only=True)) as other:
            reader = ChunkStore(other, SystemClock())
            assert [one.info.name for one in reader.devices()] == ["Old"]
            with writer.transaction():
                writer.write([named("New", "bar"), arrival(device="pump-2", time_us=[1], value=[1.0])])
            assert [one.info.name for one in reader.devices()] == ["New", "Pump"]


STEP = st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"]), st.sampled_from(["l", "m3"]), st.booleans())


@settings(max_examples=25)
@given(st.lists(STEP, max_size=12))
def test_lists_are_what_the_file_says_after_whatever_was_told_and_undone(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str, bool]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "readings.db"
    with closing(Database(path)) as database, closing(Database(path, read_only=True)) as other:
        writer = ChunkStore(database, SystemClock())
        reader = ChunkStore(other, SystemClock())
        for device, name, unit, is_undone in steps:
            tell(writer, device, name, unit, is_undone=is_undone)
            fresh = ChunkStore(other, SystemClock())
            for store in (writer, reader):
                assert store.devices() == fresh.devices()
                assert store.series() == fresh.series()
                assert store.series(source="gw-1", device="a") == fresh.series(source="gw-1", device="a")
                assert store.series(source="gw-1") == store.series()
                assert store.series(source="gw-1", device="a") == store.series(device="a")


def tell(writer: ChunkStore, device: str, name: str, unit: str, *, is_undone: bool) -> None:
    """Write a reading of a device with this name and unit, or fail before the commit."""
    one = arrival(device=device, time_us=[1], value=[1.0], unit=unit)
    table = TagTable((DeviceInfo(device, "pump", name, ""),), one.table.tags)
    with suppress(InterruptedError), writer.transaction():
        writer.write([Arrival(one.source, table, one.block)])
        if is_undone:
            raise InterruptedError
