"""A shop of jobs for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.jobs.queue import Jobs
from cloud.records.database import Records
from tests.support.cloud import settings_in
from tests.support.jobs import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give an empty queue."""
    settings = settings_in(tmp_path)
    records = Records(settings.records_url)
    records.migrate()
    yield Shop(settings, records, Jobs(records, SystemClock()))
    records.close()
