"""A cloud behind a real server for each test of live feeds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.cloud import Template, running_cloud
from tests.support.live import LiveServer, live_server


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a migrated, empty data directory, made once."""
    return Template.make(tmp_path_factory.mktemp("template"))


@pytest_asyncio.fixture
async def live(template: Template, tmp_path: Path) -> AsyncIterator[LiveServer]:
    """Give a served cloud."""
    async with running_cloud(template, tmp_path) as cloud, live_server(cloud) as server:
        yield server
