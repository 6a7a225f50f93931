"""Taking a backup: all of an installation at one moment, verified, and complete or not there."""

import fcntl
import stat
from pathlib import Path

import pytest

from cloud.backups.manifest import digest_of, read_manifest
from cloud.backups.taking import forget_old, take_backup
from cloud.errors import CloudError, Conflict, Invalid, Malformed, NotFound, Unavailable
from cloud.ingest.archiving import read_standing
from cloud.storage.chunks.database import Database
from tests.support.cloud import settings_in
from tests.support.ingest import EPOCH, GATEWAY, data, tags
from tests.support.installation import Installation, no_pause, no_room

PAGES_A_PIECE = 1024


class Cut(Exception):
    """The process ends here."""


def cut() -> None:
    raise Cut


def test_a_backup_holds_everything_that_must_come_back_and_says_so(here: Installation) -> None:
    here.store(tags(1), data(2))
    taken = here.take()
    names = {one.name for one in taken.manifest.files}
    kept = {"data/readings.db", "data/records.db", "data/links.key", f"data/files/{here.file.name}"}
    assert kept | {"lineside-cloud.yaml", "data/token-keys.json", "data/packages/keys/models-1.pem"} <= names
    assert read_manifest(taken.path) == taken.manifest
    assert all(digest_of(taken.path / one.name) == one.sha256 for one in taken.manifest.files)
    assert (taken.manifest.generation, taken.manifest.records) == (here.generation(), "0014")
    assert taken.marks == {(GATEWAY, EPOCH): 2}


def test_what_is_of_one_run_or_must_not_spread_stays_out(here: Installation) -> None:
    for name in ("counters.db", "instances/wanted.json", "files/datasets/.draft-1", "before-restore-1/readings.db"):
        (here.data / name).parent.mkdir(exist_ok=True)
        (here.data / name).write_bytes(b"x")
    (here.data / "elsewhere").symlink_to("/etc/hostname")
    names = " ".join(one.name for one in here.take().manifest.files)
    for left_out in ("counters", "instances", ".draft", "before-restore", "elsewhere", "offline-keys", ".lock"):
        assert left_out not in names


def test_only_its_owner_may_read_a_backup(here: Installation) -> None:
    taken = here.take()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (taken.path, *taken.path.rglob("*"))}
    assert modes == {0o600, 0o700}


def test_a_backup_is_of_one_moment_though_others_write_between_its_pieces(here: Installation) -> None:
    here.store(tags(1), data(2))
    with here.opened() as (books, _):
        books.database.execute("create table ballast (data blob) strict")
        books.database.execute("insert into ballast values (zeroblob(?))", (3 * PAGES_A_PIECE * 4096,))
        pieces = 0

        def write_more() -> None:
            nonlocal pieces
            pieces += 1
            books.database.execute("insert into ballast values (zeroblob(9000))")

        taken = take_backup(here.settings, here.backups, config=here.config, clock=here.clock, pause=write_more)
        assert next(books.database.execute("select count(*) from ballast")) == (1 + pieces,)
    assert 3 <= pieces < 9
    copy = Database(taken.path / "data/readings.db", read_only=True)
    assert next(copy.execute("select count(*) from ballast")) == (1,)
    assert read_standing(copy).epochs == 1
    copy.close()


def test_a_backup_cut_short_is_none_and_is_swept_by_the_next(here: Installation) -> None:
    with pytest.raises(Cut):
        take_backup(here.settings, here.backups, config=here.config, clock=here.clock, pause=cut)
    assert [path.name for path in here.backups.iterdir()] == [".lock"]
    left = here.backups / ".lineside-20260101T000000000Z.partial"
    left.mkdir()
    with pytest.raises(NotFound, match="no complete backup"):
        read_manifest(left)
    taken = here.take()
    assert sorted(here.backups.iterdir()) == [here.backups / ".lock", taken.path]


def test_readings_whose_pages_do_not_fit_together_are_no_backup(here: Installation) -> None:
    here.store(tags(1), *(data(seq, readings=100) for seq in range(2, 60)))
    with here.settings.readings_path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(CloudError, match=r"damaged|malformed") as refused:
        here.take()
    assert isinstance(refused.value, Malformed | Unavailable)
    assert [path.name for path in here.backups.iterdir()] == [".lock"]


def test_where_there_is_no_installation_nothing_is_made(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path)
    with pytest.raises(NotFound, match="no installation in"):
        nowhere.take()
    assert not nowhere.backups.exists()


def test_a_backup_into_the_data_it_saves_is_refused(here: Installation) -> None:
    with pytest.raises(Invalid, match="lies in the data directory"):
        take_backup(here.settings, here.data / "backups", config=here.config, clock=here.clock, pause=no_pause)


def test_a_second_backup_into_the_same_directory_is_refused_meanwhile(here: Installation) -> None:
    here.take()
    with (here.backups / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="another backup"):
            here.take()
    here.take()


def test_a_disk_without_room_for_it_is_said_before_anything_is_written(here: Installation) -> None:
    with pytest.raises(Unavailable, match="MiB free, a backup needs") as refused:
        take_backup(here.settings, here.backups, config=here.config, clock=here.clock, pause=no_pause, space=no_room)
    assert refused.value.code == "BACKUP_NO_ROOM"
    assert [path.name for path in here.backups.iterdir()] == [".lock"]


def test_only_the_oldest_go_where_so_many_are_kept(here: Installation) -> None:
    taken = [here.take().path for _ in range(3)]
    (here.backups / "notes").mkdir()
    assert forget_old(here.backups, keep=2) == [taken[0]]
    assert sorted(path.name for path in here.backups.iterdir()) == [".lock", taken[1].name, taken[2].name, "notes"]


def test_records_in_another_database_are_not_in_it(here: Installation, tmp_path: Path) -> None:
    elsewhere = settings_in(tmp_path, data="data", records="postgresql+psycopg://localhost/lineside")
    taken = take_backup(elsewhere, here.backups, config=here.config, clock=here.clock, pause=no_pause)
    assert taken.manifest.records == ""
    assert "data/records.db" not in {one.name for one in taken.manifest.files}
