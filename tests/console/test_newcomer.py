"""An empty system: the first administrator, what to do on the screen, and the first device without a reload."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from cloud.config import load_settings
from tests.console.browser import visit
from tests.support.cloud import CloudServer

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
PASSWORD = "correct-horse-battery-7"  # noqa: S105 - of a user that lives as long as a test


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[CloudServer]:
    """Give a cloud that nobody has used yet."""
    server = CloudServer(tmp_path)
    server.run("init", "--key-file", str(tmp_path / "key"))
    with server:
        yield server


def test_a_newcomer_is_led_from_an_empty_system_to_the_first_device(empty: CloudServer, browser: Browser) -> None:
    token = load_settings(empty.config).setup_token_path.read_text().strip()
    with visit(browser, empty.url) as visitor:
        page = visitor.page
        visitor.open("/")
        page.get_by_role("link", name=re.compile("First administrator")).click()
        page.get_by_label("Set-up token").fill(token)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("E-mail").fill("ada@plant.example")
        page.get_by_label("Password").fill(PASSWORD)
        visitor.look("newcomer-setup")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("That worked. Log in now.")).to_be_visible()
        page.get_by_role("link", name="Back to the login").click()
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("Connect the first machine")).to_be_visible()
        visitor.look("newcomer-empty")
        page.evaluate("() => { document.documentElement.dataset.visit = 'the first'; }")
        send_a_reading(empty)
        expect(page.get_by_role("link", name=re.compile("press-1")).first).to_be_visible(timeout=60_000)
        assert page.evaluate("() => document.documentElement.dataset.visit") == "the first"
        visitor.look("newcomer-first-device")
        assert visitor.eyes.findings() == []


def send_a_reading(server: CloudServer) -> None:
    """Send one by HTTP, as the page tells."""
    key = (server.directory / "key").read_text().strip()
    body = {"sensor_id": "press-1", "value": 21.5, "sensor_type": "temperature", "unit": "celsius"}
    answer = httpx.post(f"{server.url}/api/v1/data/ingest", json=body, headers={"X-API-Key": key}, timeout=30)
    answer.raise_for_status()
