"""Opening a buffer's file: one process at a time, a full disk, a damaged file set aside and what it holds saved."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_agent.buffers.ballast import Ballast
from edge_agent.buffers.database import Database
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.place import BufferPlace, draw_epoch
from edge_agent.buffers.salvage import frames, refill
from edge_agent.buffers.shelf import Shelf
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.errors import BufferDamaged, BufferFull, BufferUnusable
from edge_agent.ports import Buffer
from protocols.batch import GatewayEvent
from protocols.codec import seal_event

_SIDE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Opened:
    """A buffer, and the lock that keeps other processes out until it is released."""

    buffer: Buffer
    lock: FileLock


class BufferFile:
    """Opens the buffer that the settings name; now_us: the wall clock, for what it has to tell of a damaged file."""

    def __init__(
        self, settings: BufferPlace, *, now_us: Callable[[], int], draw: Callable[[], int] = draw_epoch
    ) -> None:
        self._settings = settings
        self._now_us = now_us
        self._draw = draw
        self._ballast = Ballast(settings.path.with_name(settings.path.name + ".ballast"))

    def open(self, damage: BufferDamaged | None = None) -> Opened:
        """Open or begin the buffer; a damaged file, or one known as such, is set aside, saved and told of in an event.

        Raises BufferUnusable where another process holds it or the disk lets nothing be written at all.
        """
        try:
            self._settings.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BufferUnusable(f"cannot make {self._settings.path.parent}: {error.strerror}") from error
        lock = self._locked()
        try:
            return Opened(self._begin_anew(damage) if damage else self._opened(), lock)
        except BaseException:
            lock.release()
            raise

    def _locked(self) -> FileLock:
        path = lock_path(self._settings.path)
        try:
            return FileLock(path)
        except BufferUnusable:
            if path.exists() or not self._ballast.give_up():
                raise
        return FileLock(path)

    def _opened(self) -> SqliteBuffer:
        if being_saved(self._settings.path).exists():
            return self._begin_anew(BufferDamaged("saving what it held was cut short"))
        try:
            return self._buffer()
        except BufferDamaged as damage:
            return self._begin_anew(damage)
        except BufferUnusable:
            if not self._ballast.give_up():
                raise
        return self._buffer()

    def _buffer(self) -> SqliteBuffer:
        return SqliteBuffer(self._settings, ballast=self._ballast, draw=self._draw)

    def _begin_anew(self, damage: BufferDamaged) -> SqliteBuffer:
        try:
            saving = set_aside(self._settings.path)
            return self._begin_from(saving, str(damage.__cause__ or damage)[:200])
        except OSError as error:
            raise BufferUnusable(f"cannot set {self._settings.path} aside: {error.strerror}") from error

    def _begin_from(self, saving: Path, reason: str) -> SqliteBuffer:
        kept = damaged_name(saving, self._settings.path)
        saved = self._save_from(saving)
        detail: dict[str, str | int | float | bool] = {"file": kept.name, "reason": reason, "batches_saved": saved}
        event = GatewayEvent(at_us=self._now_us(), name="buffer_damaged", detail=detail)
        buffer = self._buffer()
        try:
            buffer.append([seal_event(event, segment=0)], at_us=max(self._now_us(), buffer.last_at_us))
            keep(saving, kept)
        except BaseException:
            buffer.close()
            raise
        return buffer

    def _save_from(self, aside: Path) -> int:
        saved = frames(aside, gateway=self._settings.gateway)
        database = Database(self._settings.path, max_bytes=self._settings.max_bytes)
        try:
            shelf = Shelf(database)
            with suppress(BufferFull):
                return refill(shelf, saved, at_us=self._now_us())
            return sum(book.rows for book in shelf.in_order())
        finally:
            saved.close()
            database.close()


def lock_path(path: Path) -> Path:
    """Return where the lock of the buffer at `path` lies."""
    return path.with_name(path.name + ".lock")


def being_saved(path: Path) -> Path:
    """Return where a damaged file lies until all that it still gives is in the buffer at `path` again."""
    return path.with_name(f"{path.name}.damaged")


def set_aside(path: Path) -> Path:
    """Move a damaged file and its log to where it is saved from; return that path.

    A file that lies there already was being saved when the process or the disk failed. Whatever is at `path` since
    then came out of it, and goes: saving begins again.
    """
    saving = being_saved(path)
    if saving.exists() and path.exists():
        for suffix in reversed(_SIDE_FILES):  # the file itself last, lest its log be taken for that of the other
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    else:
        _rename(path, saving)
    return saving


def damaged_name(saving: Path, path: Path) -> Path:
    """Return where a damaged file is kept for people once it was saved."""
    written = time.gmtime(saving.stat().st_mtime)
    return path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S', written)}")


def keep(saving: Path, kept: Path) -> None:
    """Put a damaged file that was saved to the side; only the newest such file is kept."""
    for old in saving.parent.glob(f"{saving.name}-*"):
        old.unlink(missing_ok=True)
    _rename(saving, kept)


def _rename(old: Path, new: Path) -> None:
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            old.with_name(old.name + suffix).rename(new.with_name(new.name + suffix))
