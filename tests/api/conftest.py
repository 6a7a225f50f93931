"""A cloud inside the event loop for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.seeded import SeededPlant


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a migrated, empty data directory, made once."""
    return Template.make(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of a plant that is set up with the documented models, made once, to be copied."""
    return SeededPlant(tmp_path_factory.mktemp("prepared")).prepare().directory


@pytest_asyncio.fixture
async def cloud(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    """Give a cloud of its own to each test."""
    async with running_cloud(template, tmp_path) as running:
        yield running
