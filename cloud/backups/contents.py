"""Contents: which files of a data directory come back after a restore, and which are of one run or one machine only."""

from collections.abc import Iterator
from pathlib import Path

from cloud.config import Settings

DATA = "data"
"""The folder of a backup in which the data directory's files lie."""
READINGS = f"{DATA}/readings.db"
RECORDS = f"{DATA}/records.db"
CONFIG = "lineside-cloud.yaml"
ASIDE = "before-restore-"
STAGING = ".restoring"
_DATABASES = ("readings.db", "records.db", "counters.db")
_OF_ONE_RUN = frozenset({"instances", "intake.sock", "log-level", "restore-unfinished"})
_OFFLINE = "offline-keys"
"""The keys that are to leave the server must not spread with its backups."""


def package_files(settings: Settings) -> Iterator[str]:
    """Yield, seen from the data directory, the path of each file of the repository of packages, keys included."""
    if settings.packages_path.is_dir():
        yield from _below(settings.data, settings.packages_path)


def other_files(settings: Settings) -> Iterator[str]:
    """Yield the path of each other file that is copied as it is: datasets, models, keys, and what people put there.

    Hidden files are drafts and locks; links and sockets are nobody's data.
    """
    left_out = {*_OF_ONE_RUN, _OFFLINE, settings.packages_path.name}
    for path in sorted(settings.data.iterdir()):
        if path.name not in left_out and not path.name.startswith((*_DATABASES, ASIDE, ".")):
            yield from _below(settings.data, path)


def is_exchanged(name: str) -> bool:
    """Return whether an entry of a data directory goes aside when a backup takes its place."""
    stays = name in {_OFFLINE, STAGING, "restore-unfinished"} or name.endswith(".lock") or name.startswith(ASIDE)
    return not stays


def _below(data: Path, path: Path) -> Iterator[str]:
    if path.is_symlink():
        return
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            if not inner.name.startswith("."):
                yield from _below(data, inner)
    elif path.is_file():
        yield path.relative_to(data).as_posix()
