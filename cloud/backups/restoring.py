"""Restoring: a backup in the place of an installation's data, which goes aside; nothing is ever deleted.

Everything is copied beside the data first, verified there, brought to this program's version and given its generation.
Only then are entries exchanged, while a marker keeps `serve` away; what is cut short there is run again.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cloud.backups.contents import ASIDE, DATA, READINGS, STAGING, is_exchanged
from cloud.backups.manifest import FileEntry, Manifest, copied, folders, make_folder, read_manifest, sync
from cloud.backups.taking import has_own_records
from cloud.config import Settings
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Malformed, NotFound, Unavailable
from cloud.fleet.repository import PackageRepository
from cloud.ingest.archiving import read_standing, settled_marks
from cloud.ingest.books import Books
from cloud.ports import Clock
from cloud.records.database import WANTED_VERSION, Records
from cloud.storage.chunks.database import Database, Space, disk_space, take_lock
from cloud.storage.chunks.store import ChunkStore

_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back; generation: of the store from now on; aside: where the data that was there before lies now."""

    manifest: Manifest
    generation: int
    aside: Path | None


def restore_backup(
    settings: Settings, backup: Path, *, clock: Clock, force: bool, space: Callable[[Path], Space] = disk_space
) -> Restored:
    """Put a backup in the place of the data; force: where there is some, which is kept aside.

    Raises NotFound, Malformed, Conflict, Unavailable or OSError; then the data are as they were.
    """
    manifest = read_manifest(backup)
    _check_fits(settings, manifest)
    make_folder(settings.data)
    with _writing_alone(settings):
        there = sorted(path.name for path in settings.data.iterdir() if is_exchanged(path.name))
        if there and not force:
            found = f"{settings.data} holds data already ({', '.join(there[:5])}): --force puts them aside"
            raise Conflict(found, code="DATA_THERE")
        staging = settings.data / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _require_room(settings, manifest, space(settings.readings_path).free)
            _copy(backup, manifest, staging)
            generation = _prepare(settings, staging, manifest, clock)
            for folder in folders(staging):
                sync(folder)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        aside = _make_aside(settings, clock) if there else None
        _exchange(settings, there, staging, aside)
    return Restored(manifest, generation, aside)


def _check_fits(settings: Settings, manifest: Manifest) -> None:
    if READINGS not in {one.name for one in manifest.files}:
        raise Malformed("the backup holds no readings.db", code="BACKUP_DAMAGED")
    if manifest.records > WANTED_VERSION:
        newer = f"the backup's records are at version {manifest.records}, this program knows {WANTED_VERSION}"
        raise Conflict(f"{newer}: install {manifest.program} or later", code="BACKUP_IS_NEWER")
    if manifest.records and not has_own_records(settings):
        elsewhere = "the backup holds records of the data directory, but `records` names another database"
        raise Conflict(elsewhere, code="RECORDS_ELSEWHERE")
    if not manifest.records and has_own_records(settings):
        missing = "the backup holds no records: they were in another database, which `records` must name again"
        raise Conflict(missing, code="RECORDS_ELSEWHERE")


def _copy(backup: Path, manifest: Manifest, staging: Path) -> None:
    for one in manifest.files:
        if one.name.startswith(f"{DATA}/"):
            _copy_one(backup / one.name, staging / one.name.removeprefix(f"{DATA}/"), one)
        else:
            _check_one(backup / one.name, one)


def _copy_one(source: Path, target: Path, wanted: FileEntry) -> None:
    _check_one(source, wanted)
    found = copied(source, target)
    if found.sha256 != wanted.sha256:
        raise Malformed(f"{source} is damaged: its sha256 is another than the manifest's", code="BACKUP_DAMAGED")


def _check_one(source: Path, wanted: FileEntry) -> None:
    if source.is_symlink() or not source.is_file():
        raise NotFound(f"the backup is not complete: {source} is missing", code="BACKUP_INCOMPLETE")
    size = source.stat().st_size
    if size != wanted.size:
        raise Malformed(f"{source} has {size} bytes, the manifest says {wanted.size}", code="BACKUP_DAMAGED")


def _prepare(settings: Settings, staging: Path, manifest: Manifest, clock: Clock) -> int:
    """Bring the copy to this program's version and return its generation, which no store of this name ever had."""
    now_us = clock.now_us()
    database = Database(staging / "readings.db", minimum_free=0.0)
    try:
        ChunkStore(database, clock).close()
        ledger = Books.open(database, now_s=now_us // 1_000_000).ledger
        with database.transaction(when_low=True):
            ledger.archive(settled_marks(database))  # all of it is in a backup: this one
            generation = ledger.restored(now_s=now_us // 1_000_000, above=_generation_before(settings))
    finally:
        database.close()
    (staging / "readings.db.lock").unlink()
    if manifest.records:
        with closing(Records(f"sqlite:///{staging / 'records.db'}")) as records:
            records.migrate()
    # Gateways refuse metadata whose numbers went back.
    PackageRepository(staging / settings.packages_path.name, clock).refresh(above=now_us // 1_000_000)
    return generation


def _generation_before(settings: Settings) -> int:
    """Return the generation of the store that is replaced, 0 where it cannot be read."""
    with suppress(Unavailable):
        database = Database(settings.readings_path, read_only=True)
        try:
            return read_standing(database).generation
        finally:
            database.close()
    return 0


def _make_aside(settings: Settings, clock: Clock) -> Path:
    name = f"{ASIDE}{to_datetime(clock.now_us()):%Y%m%dT%H%M%SZ}"
    taken = sum(path.name.startswith(name) for path in settings.data.iterdir())
    aside = settings.data / (f"{name}-{taken + 1}" if taken else name)
    aside.mkdir(mode=0o700)
    return aside


def _exchange(settings: Settings, there: list[str], staging: Path, aside: Path | None) -> None:
    marker = settings.restore_marker_path
    marker.write_text("A restore exchanges the data now. Is none running any more? Then run it again, with --force.\n")
    sync(marker)
    sync(settings.data)
    if aside is not None:
        for name in there:
            (settings.data / name).rename(aside / name)
        sync(aside)
    for path in sorted(staging.iterdir()):
        path.rename(settings.data / path.name)
    staging.rmdir()
    sync(settings.data)
    marker.unlink()
    sync(settings.data)


def _require_room(settings: Settings, manifest: Manifest, free: int) -> None:
    need = manifest.size + _SPARE_BYTES
    if free < need:
        raise Unavailable(
            f"{settings.data}: {free >> 20} MiB free, the backup needs {need >> 20} MiB",
            code="BACKUP_NO_ROOM",
            details={"free_bytes": free, "needed_bytes": need},
        )


@contextmanager
def _writing_alone(settings: Settings) -> Iterator[None]:
    try:
        lock = take_lock(settings.readings_path)
    except Unavailable as error:
        running = f"{settings.data} is in use: stop lineside-cloud serve first"
        raise Unavailable(running, code="STORE_LOCKED") from error
    with lock:
        yield
