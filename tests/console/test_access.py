"""Journey 4: who may do what; a session that ends leads to the login and back to the same place."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import ADMIN, OPERATOR, PASSWORD, VIEWER, Stage

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]


def log_in(visitor: Visit, name: str, password: str = PASSWORD) -> None:
    """Fill in the login and send it."""
    visitor.page.get_by_label("User name").fill(name)
    visitor.page.get_by_label("Password").fill(password)
    visitor.page.get_by_role("button", name="Log in").click()


def end_sessions(stage: Stage, name: str) -> None:
    """End somebody's sessions as an administrator does who gives another password."""
    with stage.client() as client:
        users = client.get("/users").raise_for_status().json()
        number = next(one["id"] for one in users if one["username"] == name)
        client.put(f"/users/{number}/password", json={"password": PASSWORD}).raise_for_status()


def test_a_wrong_password_is_said_beside_the_form_and_the_right_one_leads_to_the_fleet(enter: Enter) -> None:
    visitor = enter(None)
    visitor.open("/")
    log_in(visitor, OPERATOR, "not-the-password")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    visitor.look("login-refused")
    log_in(visitor, OPERATOR)
    expect(visitor.page.get_by_role("heading", level=1, name="Fleet")).to_be_visible()


def test_who_comes_by_a_deep_link_is_there_after_the_login(enter: Enter) -> None:
    visitor = enter(None)
    visitor.open("/devices/pump-1?from=-1h")
    log_in(visitor, OPERATOR)
    expect(visitor.page.get_by_role("navigation", name="Pages")).to_be_visible()
    assert visitor.page.url.endswith("/ui/devices/pump-1?from=-1h")


def test_a_session_that_ended_asks_for_the_password_and_goes_on_at_the_same_place(stage: Stage, enter: Enter) -> None:
    visitor = enter(OPERATOR)
    visitor.eyes.expected.append("^401 ")
    visitor.open("/alarms")
    end_sessions(stage, OPERATOR)
    expect(visitor.page.get_by_text("Your session has ended")).to_be_visible(timeout=75_000)
    visitor.look("session-ended")
    log_in(visitor, OPERATOR)
    expect(visitor.page.get_by_role("heading", level=1, name="Alarms")).to_be_visible()
    assert visitor.page.url.endswith("/ui/alarms")


def test_logging_out_in_one_tab_logs_out_the_other(enter: Enter) -> None:
    visitor = enter(OPERATOR)
    visitor.open("/")
    other = visitor.page.context.new_page()
    other.goto(f"{visitor.url}/ui/alarms")
    expect(other.get_by_role("heading", level=1, name="Alarms")).to_be_visible()
    visitor.page.get_by_role("button", name=re.compile(f"You: {OPERATOR}")).click()
    visitor.page.get_by_role("button", name="Log out").click()
    expect(visitor.page.get_by_role("button", name="Log in")).to_be_visible()
    expect(other.get_by_role("button", name="Log in")).to_be_visible()


def test_a_viewer_reads_and_is_refused_by_the_api(enter: Enter) -> None:
    visitor = enter(VIEWER)
    visitor.open("/alarms")
    expect(visitor.page.get_by_role("heading", level=1, name="Alarms")).to_be_visible()
    expect(visitor.page.get_by_role("button", name=re.compile("^Acknowledge"))).to_have_count(0)
    expect(visitor.page.get_by_role("checkbox")).to_have_count(0)
    cookies = {str(one.get("name")): str(one.get("value")) for one in visitor.page.context.cookies()}
    refused = visitor.page.context.request.post(
        f"{visitor.url}/api/v1/alerts/acknowledge",
        data={"alert_ids": ["1"]},
        headers={"X-CSRF-TOKEN": cookies["csrf_access_token"]},
    )
    assert refused.status == 403, refused.text()


def test_a_rotated_key_keeps_the_old_one_for_a_day(stage: Stage, enter: Enter) -> None:
    with stage.client() as client:
        made = client.post("/keys", json={"name": "line 7", "scopes": ["data:read"]}).raise_for_status().json()
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open("/settings?tab=keys")
    visitor.look("journey-4-keys")
    page.get_by_role("row").filter(has_text="line 7").get_by_role("button", name="Rotate").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    shown = page.get_by_role("dialog").filter(has_text="The old key holds until")
    expect(shown).to_be_visible()
    visitor.look("journey-4-rotated")
    new = re.search(r"lsk?_\w+_\w+", shown.inner_text() + " ".join(values(shown)))
    assert new is not None, shown.inner_text()
    for key in (made["key"], new.group()):
        answer = httpx.get(f"{stage.line.url}/api/v1/devices", headers={"X-API-Key": key}, timeout=30)
        assert answer.status_code == 200, answer.text
    old = stage.get(f"/keys/{made['id']}")
    left = datetime.fromisoformat(old["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def values(shown: Locator) -> list[str]:
    """Return what stands in the fields of something."""
    return [one.input_value() for one in shown.get_by_role("textbox").all()]
