"""A bus of its own for each test: the records, the webhooks, who enqueues and who sends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bus import Bus, open_bus
from tests.support.cloud import Template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a migrated, empty data directory, made once."""
    return Template.make(tmp_path_factory.mktemp("template"))


@pytest.fixture
def bus(template: Template, tmp_path: Path) -> Iterator[Bus]:
    """Give a bus that may reach loopback."""
    with open_bus(template, tmp_path, webhooks={"allow_private": True}) as opened:
        yield opened
