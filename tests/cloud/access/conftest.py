"""A migrated records database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.records.database import Records
from tests.support.records import new_records


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Give a migrated records database in a directory of its own."""
    made = new_records(tmp_path)
    yield made
    made.close()
