"""A file that is given up when the disk is full, so that the buffer can still write; made again when there is room."""

import os
from contextlib import suppress
from pathlib import Path

BALLAST_BYTES = 2 * 1024 * 1024
_ROOM_FACTOR = 3


class Ballast:
    """One file of `size` bytes beside the buffer."""

    def __init__(self, path: Path, *, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    @property
    def is_there(self) -> bool:
        """Return whether there is something to give up."""
        return self._path.exists()

    def give_up(self) -> bool:
        """Free the space; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def lay(self) -> bool:
        """Take the space if it is not taken and the disk has plenty; return whether the file is there now."""
        if self.is_there:
            return True
        try:
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < _ROOM_FACTOR * self._size:
                return False
            self._write()
        except OSError:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return False
        return True

    def _write(self) -> None:
        handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)
        finally:
            os.close(handle)
