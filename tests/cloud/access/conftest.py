"""A migrated records database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.records.database import Records


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Give a migrated records database in a directory of its own."""
    made = Records(f"sqlite:///{tmp_path / 'records.db'}")
    made.migrate()
    yield made
    made.close()
