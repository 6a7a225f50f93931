"""DirectoryFiles: the default file store, a directory under the data, one folder a kind.

A name holds the sha256 of the content, so that a name alone is enough to check what is read. A file is written beside
its place, made durable, and only then gets its name; what a killed process left half-written is swept away later.
"""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, assert_never

from cloud.domain.file_name import check_kind, name_of, sha256_of
from cloud.errors import NotFound, TooLarge, Unavailable
from cloud.ports import FileRef

MAX_FILE_BYTES = 4 * 1024**3
_PIECE = 1 << 20
_DRAFT = ".draft-"
_DRAFTS_LIVE_S = 24 * 3600.0


class DirectoryFiles:
    """Files under one directory, for their owner only; safe to use from several threads and processes."""

    def __init__(self, directory: Path, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw gives that many random bytes in hex."""
        self._directory = directory
        self._draw = draw

    def put(self, kind: str, data: bytes) -> FileRef:
        """Keep these bytes and return where; raise Invalid, Unavailable."""
        return self.put_stream(kind, [data], limit=max(len(data), 1))

    def put_stream(self, kind: str, chunks: Iterable[bytes], *, limit: int = MAX_FILE_BYTES) -> FileRef:
        """Keep what comes and return where; raise TooLarge over `limit` bytes, Invalid, Unavailable: nothing stays."""
        folder = self._directory / check_kind(kind)
        draft = folder / f"{_DRAFT}{self._draw(8)}"
        with _disk("written"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                digest, size = _write(draft, chunks, limit)
                name = name_of(kind, self._draw(8), digest)
                draft.replace(self._directory / name)
                _sync_directory(folder)
            finally:
                draft.unlink(missing_ok=True)
        return FileRef(name, digest, size)

    def read(self, ref: FileRef | str) -> bytes:
        """Return the whole content, checked; raise NotFound, or Unavailable where it is damaged."""
        name, digest = _told(ref)
        with _disk("read"), _found(name):
            data = (self._directory / name).read_bytes()
        if sha256(data).hexdigest() != digest:
            raise _damaged(name)
        return data

    @contextmanager
    def open(self, ref: FileRef | str) -> Iterator[BinaryIO]:
        """Give the content, checked from end to end first, at its beginning; raise NotFound, Unavailable."""
        name, digest = _told(ref)
        with _disk("read"), _found(name):
            file = (self._directory / name).open("rb")
        with file:
            with _disk("read"):
                found = sha256()
                while piece := file.read(_PIECE):
                    found.update(piece)
                file.seek(0)
            if found.hexdigest() != digest:
                raise _damaged(name)
            yield file

    def delete(self, ref: FileRef | str) -> bool:
        """Forget a file and return whether it was there; raise Unavailable."""
        name, _ = _told(ref)
        with _disk("deleted"):
            try:
                (self._directory / name).unlink()
            except FileNotFoundError:
                return False
        return True

    def names(self, kind: str) -> Iterable[str]:
        """Return the names of all files of a kind, in no order; raise Unavailable."""
        folder = self._directory / check_kind(kind)
        with _disk("listed"), suppress(FileNotFoundError):
            return [f"{kind}/{path.name}" for path in folder.iterdir() if not path.name.startswith(".")]
        return []

    def sweep(self, *, now_us: int) -> int:
        """Remove drafts that nobody finished within a day and return how many; raise Unavailable."""
        oldest_s = now_us / 1e6 - _DRAFTS_LIVE_S
        with _disk("swept"):
            return sum(_removed_if_old(draft, oldest_s) for draft in self._directory.glob(f"*/{_DRAFT}*"))


def _removed_if_old(draft: Path, oldest_s: float) -> bool:
    try:
        is_old = draft.stat().st_mtime < oldest_s
        if is_old:
            draft.unlink()
    except FileNotFoundError:
        return False
    return is_old


def _write(draft: Path, chunks: Iterable[bytes], limit: int) -> tuple[str, int]:
    digest, size = sha256(), 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"the file is over {limit} bytes", code="FILE_TOO_LARGE", details={"limit": limit})
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(ref: FileRef | str) -> tuple[str, str]:
    match ref:
        case str():
            return ref, sha256_of(ref)
        case FileRef():
            sha256_of(ref.name)
            return ref.name, ref.sha256
        case _:
            assert_never(ref)


def _damaged(name: str) -> Unavailable:
    return Unavailable(f"the file {name} is damaged: its sha256 is another", code="FILE_DAMAGED")


@contextmanager
def _disk(done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"a file cannot be {done}: {error}", code="FILES_UNAVAILABLE") from error


@contextmanager
def _found(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {name}", code="FILE_NOT_FOUND") from error
