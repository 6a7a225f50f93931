"""Disk: a small file system of its own, which can be filled up, and whose power can be cut.

It is ext4 in a file, mounted over a loop device. A power cut is the kernel's own order to shut the file system down
without writing its log (the one that xfstests gives as `godown -f`): what the kernel had not handed to the device is
gone, and the next mount replays the journal. What a drive's own write cache would lose besides is not simulated.
"""

import fcntl
import os
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.faults.missing import NotPlayable
from tests.support.waiting import wait_until

_GOING_DOWN = 0x8004587D
_WITHOUT_LOG = 2
_MIB = 1 << 20


class NoDisk(NotPlayable):
    """This machine lets nobody mount a file system."""


class Disk:
    """A file system of so many MiB at `place`, made and mounted; raise NoDisk where that is not allowed."""

    def __init__(self, image: Path, place: Path, mib: int) -> None:
        self.place = place
        self._image = image
        self._other = place / "somebody-elses"
        place.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(mib * _MIB)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self.mount()

    def mount(self) -> None:
        """Mount it; after a power cut this replays the journal."""
        _run("mount", "-o", "loop", str(self._image), str(self.place))

    def unmount(self) -> None:
        """Take it away as soon as nobody uses it; raise AssertionError where somebody does for long."""
        wait_until(self._unmounted, deadline_s=20.0, every_s=0.05)

    def leave(self) -> None:
        """Take it away whoever uses it."""
        with suppress(NoDisk):
            _run("umount", "--lazy", str(self.place))

    def fill(self, *, but: int = 0) -> None:
        """Let somebody else's file take all the room but so many bytes."""
        handle = os.open(self._other, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            for size in (1 << 16, 1 << 12, 1 << 9):
                with suppress(OSError):
                    while self._free() >= but + size:
                        os.write(handle, bytes(size))
                        os.fsync(handle)
        finally:
            os.close(handle)

    def free(self) -> None:
        """Take somebody else's file away."""
        self._other.unlink(missing_ok=True)

    def cut_power(self) -> None:
        """Lose all that was not flushed, at once; from now on every access fails until it was mounted again."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _GOING_DOWN, struct.pack("I", _WITHOUT_LOG))
        finally:
            os.close(handle)

    def _free(self) -> int:
        told = os.statvfs(self.place)
        return told.f_bavail * told.f_frsize

    def _unmounted(self) -> bool:
        try:
            _run("umount", str(self.place))
        except NoDisk:
            return False
        return True


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoDisk(f"{' '.join(command[:2])}: {getattr(error, 'stderr', '') or error}".strip()) from error
