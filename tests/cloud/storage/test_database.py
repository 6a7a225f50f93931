"""The readings file: one writer, all or nothing, and Unavailable for whatever the disk does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.errors import Malformed, Unavailable
from cloud.storage.chunks.database import Database, Space, check_copy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, minimum_free=0)
    database.migrate("things", ["create table thing (name text) strict"])
    yield database
    database.close()


def names(database: Database) -> list[str]:
    return [row[0] for row in database.execute("select name from thing order by rowid")]


def add(database: Database, name: str) -> None:
    database.execute("insert into thing values (?)", (name,))


def test_a_second_writer_is_refused_until_the_first_has_closed(path: Path, database: Database) -> None:
    with pytest.raises(Unavailable, match="another process writes") as refused:
        Database(path)
    assert refused.value.code == "STORE_LOCKED"
    database.close()
    Database(path, minimum_free=0).close()


def test_a_reader_needs_a_file(path: Path) -> None:
    with pytest.raises(Unavailable, match=r"readings\.db: unable to open"):
        Database(path, read_only=True)


def test_a_reader_sees_one_moment_while_the_writer_goes_on(path: Path, database: Database) -> None:
    reader = Database(path, read_only=True)
    add(database, "first")
    with reader.snapshot():
        assert names(reader) == ["first"]
        add(database, "second")
        with reader.snapshot():
            assert names(reader) == ["first"]
    assert names(reader) == ["first", "second"]
    with pytest.raises(Unavailable, match="readonly"):
        add(reader, "third")
    reader.close()


def test_a_transaction_that_fails_has_changed_nothing_and_says_so(database: Database) -> None:
    with pytest.raises(KeyError):
        fail_after(database, "lost")
    assert (names(database), database.undone) == ([], 1)


def test_a_part_that_fails_is_undone_alone(database: Database) -> None:
    with database.transaction():
        add(database, "kept")
        with pytest.raises(KeyError):
            fail_after(database, "lost")
        add(database, "kept too")
    assert (names(database), database.undone) == (["kept", "kept too"], 1)


def fail_after(database: Database, name: str) -> None:
    with database.transaction():
        add(database, name)
        raise KeyError(name)


def test_migration_steps_are_done_once_and_added_to_the_end(path: Path, database: Database) -> None:
    steps = ["create table thing (name text) strict", "insert into thing values ('by step 2')"]
    reader = Database(path, read_only=True)
    with pytest.raises(Unavailable, match="version 1, not 2: migrate it first"):
        reader.migrate("things", steps)
    reader.close()
    for _ in range(2):
        database.migrate("things", steps)
    assert names(database) == ["by step 2"]
    with pytest.raises(Unavailable, match="'things' is of version 2, this program knows 1"):
        database.migrate("things", steps[:1])


def test_a_step_that_fails_leaves_the_version_before(database: Database) -> None:
    with pytest.raises(Exception, match="syntax"):
        database.migrate("others", ["create table other (a)", "creat table"])
    assert not list(database.execute("select 1 from sqlite_schema where name = 'other'"))


def test_no_transaction_begins_with_little_room_and_all_is_well_when_there_is_more(path: Path) -> None:
    free = [100]
    database = Database(path, minimum_free=0.05, space=lambda _: Space(1000, free[0]))
    database.execute("create table thing (name text)")
    free[0] = 49
    with pytest.raises(Unavailable, match="MiB free") as refused, database.transaction():
        add(database, "no room")
    assert refused.value.code == "STORE_FULL"
    with database.transaction(when_low=True):
        add(database, "frees some")
    free[0] = 50
    with database.transaction():
        add(database, "room again")
    assert names(database) == ["frees some", "room again"]
    database.close()


def test_free_pages_of_the_file_count_as_room(path: Path) -> None:
    database = Database(path, minimum_free=0.05, space=lambda _: Space(1_000_000, 100))
    with database.transaction(when_low=True):
        database.execute("create table thing (name blob)")
        database.execute("insert into thing values (zeroblob(500000))")
    assert database.is_low()
    with database.transaction(when_low=True):
        database.execute("delete from thing")
    assert not database.is_low()
    with database.transaction():
        add(database, "fits")
    database.close()


def add_for_ever(database: Database) -> None:
    while True:
        with database.transaction():
            database.execute("insert into number values (1)")
            add(database, "x" * 3000)
            database.execute("insert into number values (2)")


@pytest.mark.parametrize("pages", range(1, 12))
def test_a_file_that_may_not_grow_refuses_whole_transactions(path: Path, pages: int) -> None:
    database = Database(path, minimum_free=0)
    database.migrate("things", ["create table thing (name text) strict", "create table number (n integer)"])
    database.limit(database.used_bytes() + pages * 4096)
    with pytest.raises(Unavailable) as full:
        add_for_ever(database)
    assert full.value.code == "STORE_FULL"
    stored = len(names(database))
    assert next(database.execute("select count(*) from number"))[0] == 2 * stored
    database.limit(None)
    with database.transaction():
        add(database, "room")
    assert len(names(database)) == stored + 1
    database.close()


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable, match="not a database"):
        Database(path)
    with pytest.raises(Unavailable, match="not a database"):  # the lock was let go of
        Database(path)


def test_a_copy_is_of_the_moment_it_began_and_is_one_file(tmp_path: Path, path: Path, database: Database) -> None:
    add(database, "first")
    add(database, "x" * (9 << 20))
    reader = Database(path, read_only=True)
    reader.copy_to(tmp_path / "copy.db", pause=lambda: add(database, "later"))
    reader.close()
    check_copy(tmp_path / "copy.db")
    copy = Database(tmp_path / "copy.db", read_only=True)
    assert [name[:5] for name in names(copy)] == ["first", "xxxxx"]
    copy.close()
    assert len(names(database)) >= 2 + 3
    assert sorted(one.name for one in tmp_path.glob("copy.db*")) == ["copy.db"]


def test_a_copy_that_cannot_be_written_is_unavailable(tmp_path: Path, database: Database) -> None:
    with pytest.raises(Unavailable, match=r"nowhere/copy\.db cannot be written") as refused:
        database.copy_to(tmp_path / "nowhere" / "copy.db", pause=lambda: None)
    assert refused.value.code == "BACKUP_NOT_WRITTEN"


def test_pages_that_do_not_fit_together_are_found(path: Path, database: Database) -> None:
    for number in range(2000):
        add(database, f"name {number}" * 10)
    database.close()
    check_copy(path)
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(bytes(4096))
    with pytest.raises(Malformed, match="is damaged"):
        check_copy(path)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(Malformed, match="is damaged"):
        check_copy(path)
    with pytest.raises(Unavailable, match="cannot be read"):
        check_copy(path.with_name("nothing"))
