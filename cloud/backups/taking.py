"""Taking a backup: a consistent copy of an installation, while it runs, into a directory that is complete or not there.

The records are copied first: what they know of readings and files is then in the readings and files copied after
them, and what follows the gateways' events takes up those since, as after any pause. The readings come last, so that
the marks of the archive reach as far as can be.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version as installed
from itertools import chain
from pathlib import Path

from cloud.backups.contents import CONFIG, DATA, READINGS, RECORDS, other_files, package_files
from cloud.backups.manifest import (
    FORMAT,
    FileEntry,
    Manifest,
    copied,
    digest_of,
    folders,
    make_folder,
    sync,
    write_manifest,
)
from cloud.config import Settings
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.fleet.package_files import PackageFiles
from cloud.ingest.archiving import Marks, Standing, read_standing, settled_marks
from cloud.ports import Clock
from cloud.records.copying import check_records, copy_records
from cloud.records.database import Records
from cloud.storage.chunks.database import Database, Space, check_copy, disk_space

_NAME = re.compile(r"lineside-[0-9]{8}T[0-9]{9}Z")
_DRAFT = re.compile(rf"\.{_NAME.pattern}\.partial")
_SPARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that is complete and verified; marks: what of each (gateway, epoch) is newly in it."""

    path: Path
    manifest: Manifest
    marks: Marks


@dataclass(frozen=True, slots=True)
class _Source:
    settings: Settings
    config: Path
    clock: Clock
    pause: Callable[[], None]


def take_backup(
    settings: Settings,
    directory: Path,
    *,
    config: Path,
    clock: Clock,
    pause: Callable[[], None],
    space: Callable[[Path], Space] = disk_space,
) -> Taken:
    """Copy the installation into a new folder of this directory, verify it, and only then give it its name.

    config: the configuration file, which is copied too; pause: called between pieces of 4 MiB of readings. Raises
    NotFound, Invalid, Conflict, Unavailable, Malformed or OSError; then there is no new backup.
    """
    if not settings.readings_path.is_file():
        raise NotFound(f"there is no installation in {settings.data}: it has no readings.db", code="NO_INSTALLATION")
    if directory.resolve().is_relative_to(settings.data):
        raise Invalid(f"{directory} lies in the data directory: choose another, best on another disk")
    make_folder(directory)
    with _alone_in(directory):
        for left in _named(directory, _DRAFT):
            shutil.rmtree(left)
        _require_room(settings, directory, space)
        name = f"lineside-{to_datetime(clock.now_us()):%Y%m%dT%H%M%S%f}"[:-3] + "Z"
        if (directory / name).exists():
            raise Conflict(f"{directory / name} is there already", code="BACKUP_EXISTS")
        draft = directory / f".{name}.partial"
        draft.mkdir(mode=0o700)
        try:
            manifest, marks = _fill(draft, _Source(settings, config, clock, pause))
            draft.rename(directory / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync(directory)
    return Taken(directory / name, manifest, marks)


def forget_old(directory: Path, *, keep: int) -> Sequence[Path]:
    """Remove the oldest complete backups but so many, and return which; raise OSError."""
    old = _named(directory, _NAME)[:-keep]
    for path in old:
        path.rename(path.with_name(f".{path.name}.partial"))  # half removed, it must not be taken for a backup
        shutil.rmtree(path.with_name(f".{path.name}.partial"))
    return old


def has_own_records(settings: Settings) -> bool:
    """Return whether the records are the SQLite file in the data directory; others are backed up by their own tools."""
    return settings.records_url == f"sqlite:///{settings.data / 'records.db'}"


def _fill(draft: Path, source: _Source) -> tuple[Manifest, Marks]:
    settings = source.settings
    entries: list[FileEntry] = []
    records = ""
    if has_own_records(settings):
        records = _copy_records(settings, draft / RECORDS)
        entries.append(_entry(draft, RECORDS))
    if source.config.is_file():
        entries.append(_renamed(copied(source.config, draft / CONFIG), CONFIG))
    with _packages_still(settings):
        entries += _copy_plain(settings, draft, package_files(settings))
    entries += _copy_plain(settings, draft, other_files(settings))
    at = to_datetime(source.clock.now_us()).isoformat()
    standing, marks = _copy_readings(settings, draft / READINGS, source.pause)
    entries.append(_entry(draft, READINGS))
    program = installed("lineside")
    manifest = Manifest(FORMAT, program, at, standing.generation, standing.parts, records, tuple(entries))
    write_manifest(draft, manifest)
    for folder in folders(draft):
        sync(folder)
    return manifest, marks


def _copy_records(settings: Settings, target: Path) -> str:
    _new_file(target)
    copy_records(settings.data / "records.db", target)
    check_records(target)
    with closing(Records(f"sqlite:///{target}")) as records:
        return records.version() or ""


def _copy_readings(settings: Settings, target: Path, pause: Callable[[], None]) -> tuple[Standing, Marks]:
    _new_file(target)
    live = Database(settings.readings_path, read_only=True)
    try:
        live.copy_to(target, pause=pause)
    finally:
        live.close()
    check_copy(target)
    copy = Database(target, read_only=True)
    try:
        return read_standing(copy), settled_marks(copy)
    finally:
        copy.close()


def _copy_plain(settings: Settings, draft: Path, paths: Iterable[str]) -> Iterator[FileEntry]:
    for path in paths:
        name = f"{DATA}/{path}"
        try:
            entry = copied(settings.data / path, draft / name)
        except FileNotFoundError:  # deleted since it was listed: the records that named it may still do
            (draft / name).unlink(missing_ok=True)
            continue
        yield _renamed(entry, name)


@contextmanager
def _packages_still(settings: Settings) -> Iterator[None]:
    packages = PackageFiles(settings.packages_path)
    with packages.locked() if settings.packages_path.is_dir() else nullcontext():
        yield


def _entry(draft: Path, name: str) -> FileEntry:
    path = draft / name
    sync(path)
    return FileEntry(name, path.stat().st_size, digest_of(path))


def _renamed(entry: FileEntry, name: str) -> FileEntry:
    return FileEntry(name, entry.size, entry.sha256)


def _new_file(path: Path) -> None:
    make_folder(path.parent)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _named(directory: Path, form: re.Pattern[str]) -> list[Path]:
    return sorted(path for path in directory.iterdir() if form.fullmatch(path.name) and path.is_dir())


def _require_room(settings: Settings, directory: Path, space: Callable[[Path], Space]) -> None:
    databases = [
        settings.readings_path,
        settings.readings_path.with_name("readings.db-wal"),
        settings.data / "records.db",
    ]
    paths = [*databases, *(settings.data / name for name in chain(package_files(settings), other_files(settings)))]
    need = sum(path.stat().st_size for path in paths if path.exists()) + _SPARE_BYTES
    free = space(directory / "any").free
    if free < need:
        raise Unavailable(
            f"{directory}: {free >> 20} MiB free, a backup needs {need >> 20} MiB",
            code="BACKUP_NO_ROOM",
            details={"free_bytes": free, "needed_bytes": need},
        )


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict(f"another backup into {directory} is under way", code="BACKUP_UNDER_WAY") from error
