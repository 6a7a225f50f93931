"""Manifest: what a backup holds, when it was taken and of which versions; written last, so that a torn one has none."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from cloud.errors import Conflict, Malformed, NotFound

FORMAT = 1
NAME = "manifest.json"
_MAX_BYTES = 256 * 1024 * 1024
_PIECE = 1 << 20


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup; name: its path inside, with `/`; sha256: in hex."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup says of itself.

    at: when the readings were copied, ISO 8601 in UTC; generation: of the store then; parts: the version of each part
    of the readings' file; records: the version of the records' tables, empty where they are not in the backup.
    """

    format: int
    program: str
    at: str
    generation: int
    parts: dict[str, int]
    records: str
    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(one.size for one in self.files)


def write_manifest(backup: Path, manifest: Manifest) -> None:
    """Write it durably, for its owner only; raise OSError."""
    descriptor = os.open(backup / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())


def read_manifest(backup: Path) -> Manifest:
    """Return what a backup holds; raise NotFound, Malformed, or Conflict where a newer program wrote it."""
    path = backup / NAME
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
        form = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("format")
        if form is not None and bytes(form) != str(FORMAT).encode():
            other = f"{backup} is of format {bytes(form)[:20].decode(errors='replace')}, this program knows {FORMAT}"
            raise Conflict(other, code="BACKUP_OF_ANOTHER_FORMAT")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{backup} is no complete backup: it has no {NAME}", code="BACKUP_NOT_FOUND") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"{path} is damaged: {error}", code="BACKUP_DAMAGED") from error
    for one in manifest.files:
        _check_name(path, one.name)
    return manifest


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, in hex; raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copied(source: Path, target: Path) -> FileEntry:
    """Copy a file durably, for its owner only, and return what was copied, without a name; raise OSError."""
    digest, size = hashlib.sha256(), 0
    make_folder(target.parent)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
        while piece := read.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            write.write(piece)
        write.flush()
        os.fsync(write.fileno())
    return FileEntry("", size, digest.hexdigest())


def make_folder(path: Path) -> None:
    """Make a directory and those above it, each for its owner only; raise OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700)


def sync(path: Path) -> None:
    """Make a file, or the names in a directory, durable; raise OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def folders(root: Path) -> Iterator[Path]:
    """Yield every directory below and the root itself, the deepest first."""
    for here, _, _ in os.walk(root, topdown=False):
        yield Path(here)


def _check_name(manifest: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name or str(PurePosixPath(*parts)) != name:
        raise Malformed(f"{manifest} names a file {name[:120]!r} that no backup has", code="BACKUP_DAMAGED")
