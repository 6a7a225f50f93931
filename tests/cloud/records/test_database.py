"""The records' database: journal mode, migrations, and what happens when it is away."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from cloud.errors import Conflict, InvalidConfig, Unavailable
from cloud.records.database import WANTED_VERSION, Records
from cloud.records.devices import DeviceRow, list_devices
from cloud.records.tables import METADATA, TABLES
from cloud.records.upgrade import MIGRATIONS


def url(directory: Path) -> str:
    return f"sqlite:///{directory / 'records.db'}"


def test_the_migrations_make_exactly_the_tables_of_the_mapping(tmp_path: Path) -> None:
    Records(url(tmp_path)).migrate()
    engine = create_engine(url(tmp_path))
    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), METADATA)
        tables = set(inspect(connection).get_table_names())
    engine.dispose()
    assert difference == []
    assert {table.__tablename__ for table in TABLES} <= tables


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    records = Records(url(tmp_path))
    assert records.version() is None
    with pytest.raises(Unavailable, match="lineside-cloud migrate"):
        records.require_current()
    for _ in range(2):
        records.migrate()
        records.require_current()
    assert records.version() == WANTED_VERSION
    records.close()


def test_the_wanted_version_is_the_newest_step() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == WANTED_VERSION


def test_the_journal_is_write_ahead_only_where_the_library_is_free_of_the_bug(tmp_path: Path) -> None:
    records = Records(url(tmp_path))
    records.migrate()
    records.close()
    with sqlite3.connect(tmp_path / "records.db") as connection:
        mode = connection.execute("pragma journal_mode").fetchone()[0]
    connection.close()
    assert (mode == "wal") == (sqlite3.sqlite_version_info >= (3, 51, 3))


def test_a_missing_directory_is_unavailable_and_says_so(tmp_path: Path) -> None:
    records = Records(url(tmp_path / "nowhere"))
    with pytest.raises(Unavailable, match="unable to open"):
        records.ping()
    records.close()


def test_an_unknown_engine_is_a_finding_of_the_configuration() -> None:
    with pytest.raises(InvalidConfig, match="records"):
        Records("no-such-engine://somewhere")


def test_a_ping_takes_a_little_time(tmp_path: Path) -> None:
    records = Records(url(tmp_path))
    assert records.ping() > 0
    assert records.engine_name == "sqlite"
    assert records.pool_in_use()[0] == 0
    records.close()


def test_a_broken_rule_of_the_tables_is_a_conflict_and_changes_nothing(tmp_path: Path) -> None:
    records = Records(url(tmp_path))
    records.migrate()
    twice = [DeviceRow(source="", device_id="a", shown_id="a", metadata_={}) for _ in range(2)]
    with pytest.raises(Conflict), records.writing() as session:
        session.add_all(twice)
    with records.reading() as session:
        assert list_devices(session) == []
    records.close()
