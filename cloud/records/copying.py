"""Copying the records while others use them: SQLite's own backup, in one go."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cloud.errors import Malformed, Unavailable

_BUSY_S = 30.0


def copy_records(source: Path, target: Path) -> None:
    """Write what the records hold at this moment into a new file; raise Unavailable.

    In one go, as in steps it would begin anew at each commit of others; whoever writes waits for it meanwhile, which
    takes a second a gigabyte.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            copy.execute("pragma synchronous=off")  # made durable by whoever gives it its name
            live.backup(copy)
            copy.execute("pragma journal_mode=delete")
    except sqlite3.Error as error:
        raise Unavailable(f"the records cannot be copied to {target}: {error}", code="BACKUP_NOT_WRITTEN") from error


def check_records(path: Path) -> None:
    """Look through a file of records that nobody uses; raise Malformed where its pages do not fit together."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as copy:
            (found,) = copy.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise Malformed(f"{path} is damaged: {error}", code="BACKUP_DAMAGED") from error
    if found != "ok":
        raise Malformed(f"{path} is damaged: {str(found)[:200]}", code="BACKUP_DAMAGED")
