"""One line and one browser for all journeys; each visitor's page must have been quiet to the end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.console.browser import USUAL, Visit, chromium, visit
from tests.console.stage import OPERATOR, PASSWORD, Stage

Enter = Callable[..., Visit]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give the running line."""
    with Stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def enter(stage: Stage, browser: Browser) -> Iterator[Enter]:
    """Give the way in: `enter(name, size=...)` is a visitor who is logged in, None one who is not."""
    seen: list[Visit] = []
    with ExitStack() as stack:

        def come(name: str | None = OPERATOR, *, size: str = USUAL) -> Visit:
            person = None if name is None else (name, PASSWORD)
            seen.append(stack.enter_context(visit(browser, stage.url, person=person, size=size)))
            return seen[-1]

        yield come
        findings = [finding for one in seen for finding in one.eyes.findings()]
    if findings:
        raise AssertionError("\n".join(dict.fromkeys(findings)))
