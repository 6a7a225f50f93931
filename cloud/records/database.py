"""Records: the connection to the records' database, on SQLite or PostgreSQL, and its migrations.

SQLite runs in WAL only where the linked library is free of the WAL-reset bug (3.51.3 and later), else in TRUNCATE;
writing transactions take the lock at their beginning, so that two processes wait for each other and never deadlock.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import perf_counter
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from cloud.errors import Conflict, InvalidConfig, Unavailable
from cloud.records.statements import Statements
from cloud.records.upgrade import upgrade

_FIRST_WITHOUT_WAL_BUG = (3, 51, 3)
_BUSY_S = 10
WANTED_VERSION = "0014"
"""The version of the tables that this program knows: the newest step in `migrations`."""


class Records:
    """A pool of connections to one database; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Open nothing yet; raise InvalidConfig where the URL names no engine that is installed."""
        try:
            self._engine = _engine(url)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise InvalidConfig([f"records: {error}"]) from error
        self._writing = self._engine.execution_options(writes=True)
        self.statements = Statements(self._engine)
        self._lock = Lock()
        self.changes = 0
        """How many transactions this process has committed, but for those that only count something."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session for reading; raise Unavailable where the database is away."""
        with translated(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self, *, is_change: bool = True) -> Iterator[Session]:
        """Give a session whose changes are durable together at the end; raise Conflict, or Unavailable.

        is_change: whether answers that callers share for a moment may show it, and are made anew.
        """
        with translated(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session
        with self._lock:
            self.changes += is_change

    def migrate(self) -> None:
        """Bring the tables to this program's version; raise Unavailable."""
        if self.version() == WANTED_VERSION:
            return
        with translated(), self._writing.begin() as connection:
            upgrade(connection)

    def version(self) -> str | None:
        """Return the version of the tables, None for an empty database; raise Unavailable."""
        with translated(), self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("select version_num from alembic_version"))
            return found

    def require_current(self) -> None:
        """Raise Unavailable that says what to do where the tables are of another version."""
        found = self.version()
        if found != WANTED_VERSION:
            known = f"the records are at version {found or 'none'}, this program needs {WANTED_VERSION}"
            raise Unavailable(f"{known}: lineside-cloud migrate", code="RECORDS_NOT_MIGRATED")

    def ping(self) -> float:
        """Return how many seconds one query takes; raise Unavailable."""
        begun = perf_counter()
        with translated(), self._engine.connect() as connection:
            connection.execute(text("select 1"))
        return perf_counter() - begun

    def pool_in_use(self) -> tuple[int, int]:
        """Return how many connections are in use, and how many there may be."""
        pool: Any = self._engine.pool
        return pool.checkedout(), pool.size()

    @property
    def engine_name(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a database may raise into Unavailable, and a broken rule of the tables into Conflict."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(f"it contradicts what is there: {error.orig}", code="RECORDS_CONFLICT") from error
    except DBAPIError as error:
        raise Unavailable(f"the records cannot be used: {error.orig}", code="RECORDS_UNAVAILABLE") from error
    except SQLAlchemyError as error:
        raise Unavailable(f"the records cannot be used: {error}", code="RECORDS_UNAVAILABLE") from error


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    engine = create_engine(parsed, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does, and says which kind.
    connection.isolation_level = None
    mode = "WAL" if sqlite3.sqlite_version_info >= _FIRST_WITHOUT_WAL_BUG else "TRUNCATE"
    connection.execute(f"pragma journal_mode={mode}")
    connection.execute("pragma synchronous=FULL")
    connection.execute("pragma foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("begin immediate")
    else:
        # Takes no lock yet and so cannot fail; past the engine's own way, which takes longer than many a query.
        cast("sqlite3.Connection", connection.connection.driver_connection).execute("begin")
