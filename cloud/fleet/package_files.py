"""Package files: signed metadata and packages by the names that gateways ask for; each is written whole or not at all.

metadata/  1.root.json 2.root.json 7.snapshot.json 5.models.json timestamp.json
targets/   NAME/SHA256.VERSION.lsp
keys/      the keys that this server signs with
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from cloud.errors import NotFound, Unavailable

TIMESTAMP_LIFE = timedelta(days=3)
"""How long the signature holds that is renewed most often, and with every other."""
_METADATA = re.compile(r"(?:[1-9][0-9]{0,9}\.(?:root|targets|models|snapshot)|timestamp)\.json")
_NAME = r"[a-z0-9][a-z0-9_.-]{0,99}"
_TARGET = re.compile(rf"({_NAME})/([0-9a-f]{{64}})\.([1-9][0-9]{{0,9}})\.lsp")
_PATH = re.compile(rf"({_NAME})/([1-9][0-9]{{0,9}})\.lsp")
_ROOT = re.compile(r"([1-9][0-9]*)\.root\.json")
_VERSIONS_KEPT = 16
"""Old metadata that a client which is fetching right now may still ask for."""


def package_path(name: str, version: int) -> str:
    """Return the path by which a package is known in the repository."""
    return f"{name}/{version}.lsp"


def is_package_path(path: str) -> bool:
    """Return whether a package may have this path."""
    return _PATH.fullmatch(path) is not None


class PackageFiles:
    """One directory; any process may read, who writes holds the lock."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._metadata = place / "metadata"
        self._targets = place / "targets"
        self._keys = place / "keys"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one that writes, among all processes; raise Unavailable where the directory cannot be used."""
        try:
            for directory in (self._place, self._metadata, self._targets, self._keys):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(f"packages cannot be written: {error}", code="PACKAGES_UNAVAILABLE") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def metadata(self, name: str) -> bytes:
        """Return a file of metadata; raise NotFound, also for names that no metadata has."""
        if not _METADATA.fullmatch(name):
            raise NotFound(f"there is no metadata {name[:80]!r}", code="METADATA_NOT_FOUND")
        return _read(self._metadata / name, f"there is no metadata {name}", "METADATA_NOT_FOUND")

    def target(self, path: str) -> Path:
        """Return where a package lies, asked for as `NAME/SHA256.VERSION.lsp`; raise NotFound."""
        found = self._targets / path
        if not _TARGET.fullmatch(path) or not found.is_file():
            raise NotFound(f"there is no package {path[:200]!r}", code="PACKAGE_NOT_FOUND")
        return found

    def newest_root(self) -> int:
        """Return the number of the newest root, 0 where there is no repository yet."""
        names = (_ROOT.fullmatch(one.name) for one in self._listed(self._metadata))
        return max((int(found[1]) for found in names if found), default=0)

    def put_metadata(self, name: str, data: bytes) -> None:
        """Write a file of metadata, in the place of one of this name; raise Unavailable."""
        _write(self._metadata / name, data, mode=0o600)

    def put_target(self, path: str, sha256: str, data: bytes) -> None:
        """Write a package under its path and its sha256; raise Unavailable."""
        name, _, file = path.partition("/")
        _write(self._targets / name / f"{sha256}.{file}", data, mode=0o600)

    def forget_before(self, role: str, version: int) -> None:
        """Remove metadata of a role that is older than anybody who is fetching now may ask for."""
        form = re.compile(rf"([1-9][0-9]*)\.{role}\.json")
        for one in self._listed(self._metadata):
            found = form.fullmatch(one.name)
            if found and int(found[1]) <= version - _VERSIONS_KEPT:
                with suppress(OSError):
                    one.unlink()

    def keys(self) -> Sequence[bytes]:
        """Return every key that this server signs with, as PEM; raise Unavailable where one cannot be read."""
        return read_keys(self._keys)

    def put_key(self, name: str, pem: bytes) -> Path:
        """Keep a key for its owner only; raise Unavailable."""
        return write_key(self._keys, name, pem)

    def keep_only_keys(self, names: Sequence[str]) -> None:
        """Remove every key that has another name."""
        for one in self._listed(self._keys):
            if one.suffix == ".pem" and one.name not in names:
                one.unlink(missing_ok=True)

    def _listed(self, directory: Path) -> Sequence[Path]:
        try:
            return sorted(directory.iterdir())
        except FileNotFoundError:
            return ()


def read_keys(directory: Path) -> Sequence[bytes]:
    """Return every key in a directory as PEM; raise Unavailable."""
    try:
        return [one.read_bytes() for one in sorted(directory.glob("*.pem"))]
    except OSError as error:
        raise Unavailable(f"the keys in {directory} cannot be read: {error}", code="NO_SIGNING_KEYS") from error


def write_key(directory: Path, name: str, pem: bytes) -> Path:
    """Write a key for its owner only into a directory of its own; raise Unavailable."""
    path = directory / name
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be made: {error}", code="PACKAGES_UNAVAILABLE") from error
    _write(path, pem, mode=0o600)
    return path


def _read(path: Path, missing: str, code: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(missing, code=code) from error
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be read: {error}", code="PACKAGES_UNAVAILABLE") from error


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Let the file be there whole or not at all, whatever ends this process or the power."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        _sync(path.parent)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error}", code="PACKAGES_UNAVAILABLE") from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
