"""What is done with alarms in the list: many acknowledged at once, shelved, brought back, assigned, cleared."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import OPERATOR, VIEWER, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
MACHINE = "oven-1"
TAGS = ("temperature", "power", "humidity")
LIMIT = -12345
"""Every reading is above it: the alarms stay for as long as the rules do."""


@pytest.fixture
def alarms(stage: Stage) -> Iterator[dict[str, str]]:
    """Give active alarms nobody has seen, the ids by tag, by rules of their own."""
    with stage.client() as client:
        rules = [client.post("/alarm-rules", json=rule(tag)).raise_for_status().json()["id"] for tag in TAGS]
        try:
            wait_until(lambda: set(found(stage)) == set(TAGS), every_s=0.2)
            yield {tag: one["id"] for tag, one in found(stage).items()}
        finally:
            for number in rules:
                client.delete(f"/alarm-rules/{number}")


def rule(tag: str) -> dict[str, object]:
    """Return the rule that raises an alarm of a tag."""
    return {"name": f"{tag} too high", "kind": "limit", "device_id": MACHINE, "tag": tag, "high": LIMIT}


def found(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the active alarms of the rules by their tags."""
    told = stage.get("/alerts", device_id=MACHINE, limit=200)
    return {one["channel"]: one for one in told if str(LIMIT) in one["message"] and not one["resolved"]}


def row(visitor: Visit, tag: str) -> Locator:
    """Return the row of an alarm."""
    return visitor.page.get_by_role("row").filter(has_text=str(LIMIT)).filter(has_text=tag).first


def choose(visitor: Visit, *tags: str) -> Locator:
    """Tick rows; return what can be done with them."""
    for tag in tags:
        row(visitor, tag).get_by_role("checkbox").check()
    return visitor.page.get_by_role("toolbar", name="Actions")


def confirm(visitor: Visit, name: str) -> Locator:
    """Press the button of the dialog and wait until it is closed."""
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_have_count(0)
    return dialog


def test_many_are_acknowledged_at_once_then_assigned_shelved_brought_back_and_cleared(
    stage: Stage, enter: Enter, alarms: dict[str, str]
) -> None:
    visitor = enter(OPERATOR)
    page = visitor.page
    visitor.open("/alarms")
    choose(visitor, *TAGS).get_by_role("button", name="Acknowledge").click()
    page.get_by_role("dialog").get_by_label(re.compile("^Comment")).fill("Seen all three.")
    visitor.look("actions-acknowledge-many")
    confirm(visitor, "Acknowledge")
    wait_until(lambda: all(one["state"] == "ack_active" for one in found(stage).values()))
    assert all(found(stage)[tag]["acknowledged_by"] == f"user:{OPERATOR}" for tag in TAGS)
    if page.get_by_role("button", name="Choose none").count():
        page.get_by_role("button", name="Choose none").click()

    choose(visitor, "power").get_by_role("button", name="Assign").click()
    page.get_by_role("dialog").get_by_label("Into whose hands").fill("night shift")
    confirm(visitor, "Assign")
    wait_until(lambda: found(stage)["power"]["assigned_to"] == "night shift")
    expect(row(visitor, "power")).to_contain_text("night shift")

    row(visitor, "humidity").get_by_text(str(LIMIT)).click()
    detail = page.get_by_role("complementary", name="Details")
    detail.get_by_role("button", name="Shelve").click()
    page.get_by_role("dialog").get_by_label("15 min").check()
    visitor.look("actions-shelve")
    confirm(visitor, "Shelve")
    wait_until(lambda: stage.get(f"/alerts/{alarms['humidity']}")["state"] == "shelved")
    page.get_by_role("tab", name=re.compile("^Shelved")).click()
    expect(row(visitor, "humidity")).to_be_visible()
    row(visitor, "humidity").get_by_text(str(LIMIT)).click()
    detail.get_by_role("button", name="Unshelve").click()
    if page.get_by_role("dialog").count():
        confirm(visitor, "Unshelve")
    wait_until(lambda: stage.get(f"/alerts/{alarms['humidity']}")["state"] == "ack_active")

    visitor.open(f"/alarms?alarm={alarms['temperature']}")
    detail.get_by_role("button", name="Clear").click()
    confirm(visitor, "Clear")
    wait_until(lambda: stage.get(f"/alerts/{alarms['temperature']}")["cleared_at"] is not None)


def test_a_viewer_is_offered_nothing_to_do_with_an_alarm(enter: Enter, alarms: dict[str, str]) -> None:
    visitor = enter(VIEWER)
    visitor.open(f"/alarms?alarm={alarms['power']}")
    detail = visitor.page.get_by_role("complementary", name="Details")
    expect(detail.get_by_text(str(LIMIT)).first).to_be_visible()
    expect(detail.get_by_role("button", name=re.compile("Acknowledge|Shelve|Clear|Assign"))).to_have_count(0)
