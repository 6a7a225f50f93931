"""One process at a time: an exclusive lock file beside the buffer, let go of by the kernel when its holder dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from edge_agent.errors import BufferInUse, BufferUnusable


class FileLock:
    """A lock held from construction until `release`; raises BufferInUse that names the holder, or BufferUnusable."""

    def __init__(self, path: Path) -> None:
        try:
            self._handle: int | None = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BufferUnusable(f"cannot open the lock {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._handle, 20, 0).decode(errors="replace").strip() or "unknown"
            self.release()
            raise BufferInUse(f"{path} is held by process {holder}: the buffer is in use") from error
        with suppress(OSError):  # a full disk does not matter: the lock is held, only the hint is missing
            os.truncate(self._handle, 0)
            os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let go; always safe to call."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
