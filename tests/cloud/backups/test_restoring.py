"""Restoring: all or nothing, nothing deleted, and a generation that no store of this name ever had."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.backups.restoring import restore_backup
from cloud.errors import CloudError, Conflict, Malformed, NotFound, Unavailable
from cloud.fleet.repository import PackageRepository
from cloud.setup import make_directory
from cloud.storage.chunks.database import Database
from cloud.storage.files import DirectoryFiles
from tests.support.cloud import settings_in
from tests.support.ingest import data, tags
from tests.support.installation import Installation, contents, no_room
from tests.support.package_client import PackageClient

Damage = Callable[[Path], None]


@pytest.fixture
def backup(here: Installation) -> Path:
    """Give a backup of three batches; a fourth is stored after it."""
    here.store(tags(1), data(2), data(3))
    path = here.take().path
    here.store(data(4))
    return path


def restore(here: Installation, backup: Path, *, force: bool = True) -> int:
    return restore_backup(here.settings, backup, clock=here.clock, force=force).generation


def test_on_a_new_machine_everything_is_back_under_a_higher_generation(
    here: Installation, backup: Path, tmp_path: Path
) -> None:
    new = Installation(tmp_path / "new", clock=here.clock)
    generation = restore(new, backup, force=False)
    assert (new.readings(), new.generation()) == (6, generation)
    assert generation == 1_900_000_001 > here.generation()
    assert DirectoryFiles(new.settings.files_path).read(here.file) == b"1,2,3\n"
    assert (new.data / "links.key").read_bytes() == b"secret"
    assert not new.settings.restore_marker_path.exists()


def test_what_came_back_is_known_to_be_in_a_backup(here: Installation, backup: Path) -> None:
    restore(here, backup)
    assert here.archived() == 3


def test_each_restore_has_a_generation_of_its_own_even_within_a_second(here: Installation, backup: Path) -> None:
    generations = [restore(here, backup), restore(here, backup)]
    here.clock.move(-100_000)
    generations.append(restore(here, backup))
    assert sorted(set(generations)) == generations
    assert here.generation() == generations[-1]


def test_data_that_are_there_stay_unless_forced_and_then_go_aside_whole(here: Installation, backup: Path) -> None:
    before = contents(here.data)
    with pytest.raises(Conflict, match=r"holds data already .*--force"):
        restore(here, backup, force=False)
    assert contents(here.data) == before
    aside = restore_backup(here.settings, backup, clock=here.clock, force=True).aside
    assert aside is not None
    stayed = {name for name in before if name.startswith("offline-keys")}
    assert {name: digest for name, digest in before.items() if name not in stayed} == {
        name: digest for name, digest in contents(aside).items() if not name.endswith(("-wal", "-shm"))
    }
    assert (here.readings(), (here.settings.offline_keys_path / "root-1.pem").exists()) == (6, True)


def test_an_installation_that_runs_is_left_alone(here: Installation, backup: Path) -> None:
    with here.opened(), pytest.raises(Unavailable, match="is in use: stop lineside-cloud serve first"):
        restore(here, backup)
    assert here.readings() == 9


def change_manifest(backup: Path, **changes: object) -> None:
    path = backup / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def lose_a_file(backup: Path) -> None:
    (backup / "data/links.key").unlink()


def tear_the_readings(backup: Path) -> None:
    path = backup / "data/readings.db"
    path.write_bytes(path.read_bytes()[:-4096])


def flip_a_bit(backup: Path) -> None:
    path = backup / "data/readings.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def tear_the_manifest(backup: Path) -> None:
    path = backup / "manifest.json"
    path.write_bytes(path.read_bytes()[:100])


def put_a_link_in(backup: Path) -> None:
    (backup / "data/links.key").unlink()
    (backup / "data/links.key").symlink_to("/etc/hostname")


def name_a_file_outside(backup: Path) -> None:
    change_manifest(backup, files=[{"name": "data/../../evil", "size": 1, "sha256": "0" * 64}])


def hold_no_readings(backup: Path) -> None:
    change_manifest(backup, files=[])


def be_of_a_newer_program(backup: Path) -> None:
    database = Database(backup / "data/readings.db", minimum_free=0.0)
    database.execute("update part set version = 900 where name = 'ledger'")
    database.close()
    (backup / "data/readings.db.lock").unlink()
    content = (backup / "data/readings.db").read_bytes()
    listed = json.loads((backup / "manifest.json").read_text())["files"]
    for one in listed:
        if one["name"] == "data/readings.db":
            one.update(size=len(content), sha256=contents(backup)[one["name"]])
    change_manifest(backup, files=listed)


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (lose_a_file, NotFound, "links.key is missing"),
        (put_a_link_in, NotFound, "links.key is missing"),
        (tear_the_readings, Malformed, "the manifest says"),
        (flip_a_bit, Malformed, "sha256 is another"),
        (tear_the_manifest, Malformed, "manifest.json is damaged"),
        (name_a_file_outside, Malformed, "that no backup has"),
        (hold_no_readings, Malformed, "holds no readings.db"),
        (lambda backup: (backup / "manifest.json").unlink(), NotFound, "no complete backup"),
        (lambda backup: change_manifest(backup, format=2), Conflict, "is of format 2, this program knows 1"),
        (lambda backup: change_manifest(backup, records="9999"), Conflict, "install .* or later"),
        (lambda backup: change_manifest(backup, records=""), Conflict, "holds no records"),
        (be_of_a_newer_program, Unavailable, "'ledger' is of version 900"),
    ],
)
def test_a_backup_that_is_not_sound_is_refused_and_changes_nothing(
    here: Installation, backup: Path, damage: Damage, kind: type[CloudError], words: str
) -> None:
    damage(backup)
    before = contents(here.data)
    with pytest.raises(kind, match=words):
        restore(here, backup)
    assert contents(here.data) == before


def test_a_path_that_is_no_backup_is_said_to_be_none(here: Installation, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", here.config):
        with pytest.raises(NotFound, match="is no complete backup"):
            restore(here, path)


def test_a_disk_without_room_is_said_before_anything_is_changed(here: Installation, backup: Path) -> None:
    before = contents(here.data)
    with pytest.raises(Unavailable, match="MiB free, the backup needs"):
        restore_backup(here.settings, backup, clock=here.clock, force=True, space=no_room)
    assert contents(here.data) == before


def test_records_of_another_database_must_be_named_again(here: Installation, backup: Path, tmp_path: Path) -> None:
    elsewhere = settings_in(tmp_path, data="data", records="postgresql+psycopg://localhost/lineside")
    with pytest.raises(Conflict, match="names another database"):
        restore_backup(elsewhere, backup, clock=here.clock, force=True)


def test_a_restore_cut_short_keeps_the_cloud_from_starting_until_it_is_run_again(
    here: Installation, backup: Path
) -> None:
    aside = here.data / "before-restore-20300101T000000000000Z"
    aside.mkdir()
    (here.data / "readings.db").rename(aside / "readings.db")
    here.settings.restore_marker_path.touch()
    (here.data / ".restoring").mkdir()
    with pytest.raises(Conflict, match="cut short: run it again"):
        make_directory(here.settings)
    restore(here, backup)
    make_directory(here.settings)
    assert (here.readings(), (aside / "readings.db").exists()) == (6, True)


def test_gateways_take_packages_from_a_repository_that_went_back(here: Installation, tmp_path: Path) -> None:
    repository = PackageRepository(here.settings.packages_path, here.clock)
    repository.publish("pump/1.lsp", b"one")
    backup = here.take().path
    repository.publish("pump/2.lsp", b"two")
    client = PackageClient(here.settings.packages_path, tmp_path / "client", repository.root())
    assert client.fetch("pump/2.lsp") == b"two"
    restore(here, backup)
    assert (client.fetch("pump/1.lsp"), client.fetch("pump/2.lsp")) == (b"one", None)
    PackageRepository(here.settings.packages_path, here.clock).publish("pump/3.lsp", b"three")
    assert client.fetch("pump/3.lsp") == b"three"
