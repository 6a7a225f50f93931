"""Setup: makes an installation out of nothing, and brings the files of an older one up to date."""

import os
from contextlib import closing
from pathlib import Path

from cloud.access.keys import Keys
from cloud.access.opening import open_access, open_token_keys
from cloud.config import Settings
from cloud.domain.role import Role
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.errors import Conflict
from cloud.ingest.books import Books
from cloud.ports import Clock
from cloud.processes.ingest import open_readings
from cloud.records.database import WANTED_VERSION, Records
from cloud.storage.chunks.store import ChunkStore

TEMPLATE = """\
# Lineside cloud. Unknown keys are errors; secrets are written env:NAME or file:PATH, never as they are.
data: {data}
api:
  host: 127.0.0.1
  port: 8000
mqtt:
  host: 127.0.0.1
  port: 1883
"""


def write_config(path: Path, data: str) -> bool:
    """Write a first configuration file; return False, and leave it alone, where there is one already."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(data=data))
    except FileExistsError:
        return False
    return True


def make_directory(settings: Settings) -> None:
    """Make the data directory, for its owner only; raise OSError, or Conflict in the middle of a restore."""
    if settings.restore_marker_path.exists():
        cut = f"{settings.restore_marker_path}: a restore was cut short: run it again, with --force"
        raise Conflict(cut, code="RESTORE_UNFINISHED")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)


def migrate(settings: Settings, clock: Clock) -> str:
    """Bring both databases up to date and return the records' version; raise Unavailable where ingest is running."""
    database = open_readings(settings)
    try:
        ChunkStore(database, clock).close()
        Books.open(database, now_s=clock.now_us() // 1_000_000)
    finally:
        database.close()
    with closing(Records(settings.records_url)) as records:
        records.migrate()
    open_token_keys(settings, clock).create()
    return WANTED_VERSION


def make_signing_keys(settings: Settings, clock: Clock) -> bool:
    """Make the repository of packages and its keys; return False where it is there already. Raise Unavailable."""
    from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 a quarter of a second that few commands need

    return PackageRepository(settings.packages_path, clock).create(settings.offline_keys_path)


def write_setup_token(settings: Settings, clock: Clock) -> bool:
    """Write the token by which the first administrator registers; return False where that is not needed any more.

    A token that can still be used stays as it is. Raise OSError, Unavailable.
    """
    with closing(Records(settings.records_url)) as records:
        users = open_access(settings, records, clock).users
        if users.count():
            return False
        now, path = to_datetime(clock.now_us()), settings.setup_token_path
        waiting = [one for one in users.invites() if one.is_setup and one.is_open(now)]
        if waiting and path.exists():
            return True
        for one in waiting:
            users.revoke_invite(one.id, by="init")
        token, _ = users.invite(Role.ADMIN, by="init", is_setup=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
    return True


def write_first_key(settings: Settings, clock: Clock, path: Path) -> str:
    """Make an admin key, write it to a new file for its owner only, and return its prefix; raise OSError."""
    records = Records(settings.records_url)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            text, key = Keys(records, clock).create("first key", [Scope.ADMIN], by="init")
            file.write(f"{text}\n")
        return key.prefix
    finally:
        records.close()
