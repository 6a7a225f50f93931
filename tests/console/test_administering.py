"""What administrators do: make users, try webhooks, send dead letters again, take a support bundle, explore the API."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import ADMIN, PASSWORD, Stage
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
NEWCOMER = "nora"
RULE = {"name": "never", "kind": "limit", "device_id": "oven-1", "tag": "power", "high": -54321}


def test_a_user_is_made_and_may_log_in(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open("/settings?tab=users")
    page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(NEWCOMER)
    dialog.get_by_label(re.compile("mail")).fill(f"{NEWCOMER}@plant.example")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_label("Role").select_option("operator")
    visitor.look("actions-user")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=NEWCOMER)).to_be_visible()
    body = {"username": NEWCOMER, "password": PASSWORD}
    assert httpx.post(f"{stage.line.url}/api/v1/auth/login", json=body, timeout=30).status_code == 200


def test_a_webhook_is_tried_and_what_it_refused_is_sent_again(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    status = 200
    with stage.client() as client, Receiver(lambda: status) as receiver:
        client.put("/settings", json={"webhooks": {"allowPrivate": True}}).raise_for_status()
        hook = {"name": "line office", "url": receiver.url, "format": "json"}
        made = client.post("/webhooks", json=hook).raise_for_status().json()["id"]
        visitor.open("/settings?tab=webhooks")
        page.get_by_role("row").filter(has_text="line office").get_by_role("button", name="Test").click()
        receiver.wait_for(1)
        expect(page.get_by_text(re.compile("^It arrived")).first).to_be_visible()
        status = 500
        rule = client.post("/alarm-rules", json=RULE).raise_for_status().json()["id"]
        wait_until(lambda: bool(stage.get("/admin/dlq")), deadline_s=60, every_s=0.3)
        client.delete(f"/alarm-rules/{rule}")
        status = 200
        replay_all(visitor)
        wait_until(lambda: not stage.get("/admin/dlq"), deadline_s=60, every_s=0.3)
        client.delete(f"/webhooks/{made}").raise_for_status()
    assert any("54321" in json.dumps(one.json) for one in receiver.requests)


def replay_all(visitor: Visit) -> None:
    """Send all dead letters again."""
    page = visitor.page
    visitor.open("/system?tab=letters")
    page.get_by_label("Choose all").or_(page.get_by_label("Select all")).first.check()
    visitor.look("actions-letters")
    page.get_by_role("button", name=re.compile("^(Send again|Replay)")).click()


def test_a_support_bundle_holds_health_and_gateways_and_no_secret(stage: Stage, enter: Enter, tmp_path: Path) -> None:
    visitor = enter(ADMIN)
    visitor.open("/system")
    with visitor.page.expect_download() as coming:
        visitor.page.get_by_role("button", name="Download the bundle").click()
    kept = tmp_path / "bundle.json"
    coming.value.save_as(kept)
    text = kept.read_text()
    assert stage.line.key not in text
    assert stage.get("/gateways")[0]["gateway_id"] in text
    assert json.loads(text)


def test_the_explorer_sends_a_get_at_once_and_asks_before_a_post(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open("/explorer?q=algorithms")
    page.get_by_role("navigation", name="Operations").get_by_role("button").filter(has_text="GET").first.click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("200")
    visitor.open("/explorer?q=POST /api/v1/labels")
    operations = page.get_by_role("navigation", name="Operations").get_by_role("button")
    operations.filter(has=page.get_by_text("POST", exact=True)).first.click()
    before = len(stage.get("/labels", device_id="motor-1"))
    fill = {"device_id": "motor-1", "from": "2026-01-15T10:00:00Z", "to": "2026-01-15T10:05:00Z"}
    for name, text in fill.items():
        page.get_by_label(re.compile(f"^{name}\\b")).first.fill(text)
    page.get_by_label(re.compile(r"^verdict\b")).first.select_option("false_alarm")
    page.get_by_role("button", name="Send").click()
    visitor.look("actions-explorer")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("false_alarm")
    wait_until(lambda: len(stage.get("/labels", device_id="motor-1")) == before + 1)
