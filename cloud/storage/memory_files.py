"""MemoryFiles: the model of a file store, which the real one must behave as."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO

from cloud.domain.file_name import check_kind, name_of, sha256_of
from cloud.errors import NotFound, TooLarge
from cloud.ports import FileRef


class MemoryFiles:
    """Files in a dictionary; nothing of them can be damaged."""

    def __init__(self, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw gives that many random bytes in hex."""
        self._draw = draw
        self._files: dict[str, bytes] = {}

    def put(self, kind: str, data: bytes) -> FileRef:
        """Keep these bytes and return where; raise Invalid."""
        digest = sha256(data).hexdigest()
        name = name_of(check_kind(kind), self._draw(8), digest)
        self._files[name] = data
        return FileRef(name, digest, len(data))

    def put_stream(self, kind: str, chunks: Iterable[bytes], *, limit: int) -> FileRef:
        """Keep what comes and return where; raise TooLarge over `limit` bytes, Invalid."""
        check_kind(kind)
        data = b""
        for chunk in chunks:
            data += chunk
            if len(data) > limit:
                raise TooLarge(f"the file is over {limit} bytes", code="FILE_TOO_LARGE", details={"limit": limit})
        return self.put(kind, data)

    def read(self, ref: FileRef | str) -> bytes:
        """Return the whole content; raise NotFound."""
        name = ref.name if isinstance(ref, FileRef) else ref
        sha256_of(name)
        try:
            return self._files[name]
        except KeyError as error:
            raise NotFound(f"there is no file {name}", code="FILE_NOT_FOUND") from error

    @contextmanager
    def open(self, ref: FileRef | str) -> Iterator[BinaryIO]:
        """Give the content at its beginning; raise NotFound."""
        yield BytesIO(self.read(ref))

    def delete(self, ref: FileRef | str) -> bool:
        """Forget a file and return whether it was there; raise NotFound for a name that is none of ours."""
        name = ref.name if isinstance(ref, FileRef) else ref
        sha256_of(name)
        return self._files.pop(name, None) is not None

    def names(self, kind: str) -> Iterable[str]:
        """Return the names of all files of a kind, in no order."""
        return [name for name in self._files if name.startswith(f"{check_kind(kind)}/")]
