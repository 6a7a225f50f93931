"""Database: the one SQLite file of readings and ledger, one writing process, any number that read.

The only module that imports apsw. Every error that the disk or another process causes is `Unavailable`; a
transaction that did not end well has changed nothing, and `undone` tells caches that it did.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import apsw

from cloud.errors import Malformed, Unavailable

SQLValue = int | float | str | bytes | None
Row = tuple[Any, ...]
"""What a column holds is known by the statement, not by its type."""

_TROUBLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ProtocolError,
)


class Space(NamedTuple):
    """Room on the disk of a file, in bytes."""

    total: int
    free: int


def disk_space(path: Path) -> Space:
    """Return the room on the disk that holds this file."""
    usage = shutil.disk_usage(path.parent)
    return Space(usage.total, usage.free)


class Database:
    """A connection for one thread. Writing takes `PATH.lock` for as long as it is open.

    minimum_free: the share of the disk below which no transaction begins; max_bytes: a cap on the file (not its WAL).
    Raises Unavailable where another process writes, or where a reader finds no file.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        minimum_free: float = 0.05,
        max_bytes: int | None = None,
        space: Callable[[Path], Space] = disk_space,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.undone = 0
        """How many transactions or parts of one were rolled back."""
        self._minimum_free = minimum_free
        self._space = space
        self._depth = 0
        with ExitStack() as stack:
            if not read_only:
                stack.enter_context(take_lock(path))
            with self._translated("open"):
                self._connection = _connect(path, read_only=read_only)
                self._page_bytes: int = self._connection.pragma("page_size")
                self.limit(max_bytes)
            self._held = stack.pop_all()

    def execute(self, sql: str, parameters: Sequence[SQLValue] = ()) -> Iterator[Row]:
        """Run the statement to its end and return its rows; raise Unavailable."""
        with self._translated(sql):
            return iter(self._connection.execute(sql, parameters).fetchall())

    def executemany(self, sql: str, rows: Iterable[Sequence[SQLValue]]) -> None:
        """Run the statement once for each row of parameters; raise Unavailable."""
        with self._translated(sql):
            for _ in self._connection.executemany(sql, rows):
                pass

    @contextmanager
    def transaction(self, *, when_low: bool = False) -> Iterator[None]:
        """Make everything inside durable together, or nothing; raise Unavailable where the disk is full or away.

        Inside another transaction it joins it: durable when the outer one ends, undone alone when only this one fails.
        when_low: also begin with little room left, for work that frees some.
        """
        if not self._depth and not when_low:
            self._refuse_when_low()
        begin, commit, undo = _LEVELS[min(self._depth, 1)]
        self.execute(begin)
        self._depth += 1
        done = False
        try:
            yield
            self.execute(commit)
            done = True
        finally:
            self._depth -= 1
            if not done:
                self._undo(undo)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything read inside be of one moment, whatever is written meanwhile; raise Unavailable."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("begin")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def migrate(self, name: str, steps: Sequence[str]) -> None:
        """Bring the tables of one part up to its last step; steps are only ever added to the end.

        Raises Unavailable where a newer program wrote the file, or where a reader finds it not yet migrated.
        """
        done = self._migrated(name)
        if done > len(steps):
            raise Unavailable(f"{self.path}: {name!r} is of version {done}, this program knows {len(steps)}")
        if done == len(steps):
            return
        if self.read_only:
            raise Unavailable(f"{self.path}: part {name!r} is of version {done}, not {len(steps)}: migrate it first")
        with self.transaction(when_low=True):
            self.execute("create table if not exists part (name text primary key, version integer not null) strict")
            for step in steps[done:]:
                self.execute(step)
            self.execute("insert or replace into part values (?, ?)", (name, len(steps)))

    def copy_to(self, path: Path, *, pause: Callable[[], None]) -> None:
        """Write what the file holds at this moment into a new file; raise Unavailable.

        Others write on meanwhile: one snapshot is held from the first page to the last, without which SQLite begins the
        copy anew after each of their commits. pause: called between pieces of 4 MiB. Its source is
        https://www.sqlite.org/c3ref/backup_finish.html.
        """
        with self.snapshot():
            self.execute("select count(*) from sqlite_schema")  # the snapshot begins with the first read
            try:
                _copy(self._connection, path, pause)
            except _TROUBLE as error:
                raise Unavailable(f"{path} cannot be written: {error}", code="BACKUP_NOT_WRITTEN") from error

    def limit(self, max_bytes: int | None) -> None:
        """Let the file grow to no more than this; None lifts the cap."""
        pages = 0xFFFFFFFE if max_bytes is None else max(1, max_bytes // self._page_bytes)
        self._connection.pragma("max_page_count", pages)

    def used_bytes(self) -> int:
        """Return the size of what is kept, without the file's own free pages."""
        with self._translated("page_count"):
            return self._page_bytes * (
                int(self._connection.pragma("page_count")) - int(self._connection.pragma("freelist_count"))
            )

    def room(self) -> Space:
        """Return the room there is for more: on the disk and in the file's own free pages."""
        space = self._space(self.path)
        with self._translated("freelist_count"):
            spare = self._page_bytes * int(self._connection.pragma("freelist_count"))
        return Space(space.total, space.free + spare)

    def is_low(self) -> bool:
        """Return whether there is too little room to begin a transaction."""
        total, free = self._space(self.path)
        least = self._minimum_free * total
        return free < least and self.room().free < least

    def close(self) -> None:
        """Close the file and let go of the lock; always safe to call."""
        self._connection.close()
        self._held.close()

    def _refuse_when_low(self) -> None:
        if not self.read_only and self.is_low():
            total, free = self.room()
            least = self._minimum_free * total
            raise Unavailable(
                f"{self.path}: {free >> 20} MiB free, less than the {least / (1 << 20):.0f} MiB to be kept",
                code="STORE_FULL",
                details={"free_bytes": free, "total_bytes": total},
            )

    def _undo(self, statement: str) -> None:
        self.undone += 1
        if self._connection.in_transaction:  # SQLite itself rolls back on some errors
            self.execute(statement)

    def _migrated(self, name: str) -> int:
        if not next(self.execute("select count(*) from sqlite_schema where name = 'part'"))[0]:
            return 0
        row = next(self.execute("select version from part where name = ?", (name,)), (0,))
        return int(row[0])

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except _TROUBLE as error:
            code = "STORE_FULL" if isinstance(error, apsw.FullError) else "STORE_UNAVAILABLE"
            raise Unavailable(f"{self.path}: {error} ({' '.join(doing.split())[:60]})", code=code) from error


_COPIED_PAGES = 1024
_IMMUTABLE = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def _copy(source: apsw.Connection, path: Path, pause: Callable[[], None]) -> None:
    with closing(apsw.Connection(str(path))) as target:
        target.pragma("synchronous", "off")  # the whole file is made durable at once, by whoever gives it its name
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(_COPIED_PAGES)
                pause()
        target.pragma("journal_mode", "delete")  # so that it is one file


_LEVELS = (
    ("begin immediate", "commit", "rollback"),
    ("savepoint inner_part", "release inner_part", "rollback to inner_part; release inner_part"),
)


def check_copy(path: Path) -> None:
    """Look through a file that nobody writes; raise Malformed where its pages do not fit together, Unavailable."""
    try:
        connection = apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=_IMMUTABLE)
        with closing(connection):
            rows = connection.execute("pragma quick_check(1)").fetchall()
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Malformed(f"{path} is damaged: {error}", code="BACKUP_DAMAGED") from error
    except _TROUBLE as error:
        raise Unavailable(f"{path} cannot be read: {error}", code="BACKUP_UNREADABLE") from error
    if rows != [("ok",)]:
        raise Malformed(f"{path} is damaged: {str(rows)[:200]}", code="BACKUP_DAMAGED")


def take_lock(path: Path) -> TextIO:
    """Be the one process that writes to this file until the lock is closed; raise Unavailable."""
    lock = Path(f"{path}.lock").open("a")  # noqa: SIM115 held open for as long as the database is
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Unavailable(f"{path}: another process writes to it", code="STORE_LOCKED") from error
    return lock


def _connect(path: Path, *, read_only: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(5000)
    connection.pragma("cache_size", -16384)
    if not read_only:
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.pragma("journal_size_limit", 64 << 20)
    return connection
