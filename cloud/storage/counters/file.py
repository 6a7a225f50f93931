"""FileCounters: counts for all processes of one host, in a small SQLite file that need not survive a power cut."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from cloud.errors import Unavailable
from cloud.ports import Hit

_BUSY_S = 2.0
_TIDIES_EVERY_US = 60_000_000
_TABLE = "create table if not exists hits (key text primary key, count integer not null, ends_us integer not null)"
_HIT = """
insert into hits values (:key, 1, :ends) on conflict (key) do update set
  count = case when ends_us <= :now then 1 else count + 1 end,
  ends_us = case when ends_us <= :now then :ends else ends_us end
returning count, ends_us
"""


class FileCounters:
    """One connection in a thread of its own; a file that a power cut damaged is made anew."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counters")
        self._connection: sqlite3.Connection | None = None
        self._tidied_us = 0

    async def hit(self, key: str, *, window_s: int, now_us: int) -> Hit:
        """Count one and return the window's state; raise Unavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hit, key, window_s, now_us)

    async def facts(self) -> None:
        """Return nothing: it is no server of its own."""

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _hit(self, key: str, window_s: int, now_us: int) -> Hit:
        facts = {"key": key, "now": now_us, "ends": now_us + window_s * 1_000_000}
        try:
            connection = self._opened()
            with closing(connection.execute(_HIT, facts)) as found:
                count, ends_us = found.fetchone()
            self._tidy(connection, now_us)
        except sqlite3.DatabaseError as error:
            self._close()
            if not isinstance(error, sqlite3.OperationalError):
                self._path.unlink(missing_ok=True)  # not a database any more: what it counted is worth a window at most
            raise Unavailable(f"{self._path} cannot be used: {error}") from error
        return Hit(count, ends_us)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            for pragma in ("journal_mode=TRUNCATE", "synchronous=OFF"):
                self._connection.execute(f"pragma {pragma}")
            self._connection.execute(_TABLE)
        return self._connection

    def _tidy(self, connection: sqlite3.Connection, now_us: int) -> None:
        if now_us - self._tidied_us < _TIDIES_EVERY_US:
            return
        self._tidied_us = now_us
        connection.execute("delete from hits where ends_us <= ?", (now_us,))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
