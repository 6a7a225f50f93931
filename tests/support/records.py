"""Records on empty tables: the migrations run once a process, each test gets a copy of their file."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cloud.records.database import Records


def new_records(directory: Path) -> Records:
    """Return records in `records.db` of this directory, at this program's version and empty; the caller closes."""
    path = directory / "records.db"
    path.write_bytes(_empty())
    return Records(f"sqlite:///{path}")


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "records.db"
        records = Records(f"sqlite:///{path}")
        records.migrate()
        records.close()
        return path.read_bytes()
