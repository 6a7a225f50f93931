"""A shop of jobs for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.jobs.queue import Jobs
from tests.support.cloud import settings_in
from tests.support.jobs import Shop
from tests.support.records import new_records


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give an empty queue."""
    settings = settings_in(tmp_path)
    records = new_records(settings.data)
    yield Shop(settings, records, Jobs(records, SystemClock()))
    records.close()
