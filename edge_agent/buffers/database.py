"""The buffer's file as SQLite sees it: schema, the one connection, transactions, and what its errors mean."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_agent.errors import BufferDamaged, BufferFull, BufferUnusable

PAGE_BYTES = 4096
SqlValue = int | str | bytes | None
APPLICATION_ID = 1280524849
_WAL_LIMIT = 2 * 1024 * 1024
_CHECKPOINT_PAGES = 256
"""So that a log never holds more new pages than the ballast makes room for."""
_LOG_BYTES = (_CHECKPOINT_PAGES + 64) * (PAGE_BYTES + 24) + 32
"""What the log takes where it is brought into the file so often, with a commit of 64 pages beyond."""
_CACHE_KIB = 1024
_PAGES_BESIDE = 16
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_SCHEMA = """
BEGIN;
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    count INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    tag_table TEXT,
    frame BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS event ON batch (id) WHERE kind = 3;
CREATE INDEX IF NOT EXISTS declaration ON batch (id) WHERE kind = 2;
CREATE INDEX IF NOT EXISTS tag_table ON batch (id, tag_table) WHERE kind = 1;
CREATE TABLE IF NOT EXISTS epoch (
    epoch INTEGER PRIMARY KEY,
    first_id INTEGER NOT NULL,
    c INTEGER NOT NULL,
    sel TEXT NOT NULL,
    a INTEGER NOT NULL,
    last INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    acked_rows INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    dropped INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS standing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    day INTEGER NOT NULL,
    written INTEGER NOT NULL
);
INSERT OR IGNORE INTO standing VALUES (1, 0, 0, 0, 0, 0, 0, 0);
PRAGMA application_id = 1280524849;
PRAGMA user_version = 1;
COMMIT;
"""


class Database:
    """One connection to one file, for one thread; raises the buffer's own errors. Not for several processes."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._max_pages = max_bytes // PAGE_BYTES + _PAGES_BESIDE
        with translated(path, unknown=BufferDamaged):
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        self._path = path

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute(f"PRAGMA page_size = {PAGE_BYTES}")
        execute("PRAGMA auto_vacuum = INCREMENTAL")
        execute("PRAGMA journal_mode = WAL").fetchone()
        execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}").fetchone()
        execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}").fetchone()
        execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA temp_store = MEMORY")
        self.limit()
        if execute("PRAGMA user_version").fetchone()[0] == 0:
            self._connection.executescript(_SCHEMA)
        elif execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise BufferDamaged("the file is a database, but not a buffer")

    def limit(self) -> None:
        """Bound the file; SQLite never lowers the bound below what the file already has."""
        self.scalar(f"PRAGMA max_page_count = {self._max_pages}")

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, parameters)

    def scalar(self, sql: str, parameters: Sequence[SqlValue] = ()) -> int:
        """Return the one number that a statement gives, 0 for none."""
        row = self._connection.execute(sql, parameters).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Give SQLite's errors the buffer's names."""
        with translated(self._path):
            yield

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Commit all inside or nothing; without `durable` a power cut may undo it, though never out of order."""
        with translated(self._path):
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def shrink(self, pages: int) -> None:
        """Give free pages at the file's end back to the disk; `execute` would free one only."""
        with translated(self._path):
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    def checkpoint(self) -> None:
        """Bring the log into the file as far as there is room, so that the log can begin at its start again."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def settle_in(self, room: int) -> None:
        """Take what the log works in, and so many bytes for rows, from the disk now, as far as it gives them.

        What a log holds cannot be brought into a file that cannot grow, so a full disk must not have to give any more.
        """
        self._hold_log()
        self.checkpoint()
        short = room - self.bytes_on_disk()
        if short <= 0:
            return
        with suppress(sqlite3.Error):
            self._connection.execute("CREATE TABLE IF NOT EXISTS room (one BLOB)")
            self._connection.execute("INSERT INTO room VALUES (zeroblob(?))", (short,))
            self.checkpoint()
        with suppress(sqlite3.Error):
            self._connection.execute("DROP TABLE IF EXISTS room")

    def bytes_on_disk(self) -> int:
        """Return what the disk has given the file for rows; the log's is not counted."""
        try:
            return max(0, self._path.stat().st_size - _PAGES_BESIDE * PAGE_BYTES)
        except OSError:
            return 0

    def free_pages(self) -> int:
        """Return how many pages of the file hold nothing."""
        return self.scalar("PRAGMA freelist_count")

    def _hold_log(self) -> None:
        with suppress(OSError):
            handle = os.open(self._path.with_name(f"{self._path.name}-wal"), os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.posix_fallocate(handle, 0, _LOG_BYTES)
            finally:
                os.close(handle)

    def close(self) -> None:
        """Checkpoint as far as possible and let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()


@contextmanager
def translated(path: Path, *, unknown: type[BufferUnusable] = BufferUnusable) -> Iterator[None]:
    """Raise BufferFull, BufferDamaged or BufferUnusable for what SQLite says of this file."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise BufferFull(f"no room left for {path}: {error}") from error
        if code in _DAMAGED:
            raise BufferDamaged(f"{path} is damaged: {error}") from error
        if code == sqlite3.SQLITE_ERROR:
            raise unknown(f"cannot use {path}: {error}") from error
        raise BufferUnusable(f"cannot use {path}: {error}") from error
