"""A template of databases that is migrated once, and an installation on a copy of it."""

from pathlib import Path

import pytest

from tests.support.cloud import Template
from tests.support.installation import Installation


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give databases that are migrated and empty."""
    return Template.make(tmp_path_factory.mktemp("template"))


@pytest.fixture
def here(template: Template, tmp_path: Path) -> Installation:
    """Give an installation with a bit of everything."""
    return Installation(tmp_path).make(template)
