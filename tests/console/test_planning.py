"""What people plan: a decision is put off, an event announced and taken back, instances set by hand."""

import re

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Enter
from tests.console.stage import ADMIN, OPERATOR, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]


def test_a_decision_is_put_off_with_a_reason_until_a_time_of_the_plant(stage: Stage, enter: Enter) -> None:
    with stage.client() as client:
        wish = {"kind": "maintenance", "title": "Oil the chain of the oven", "device_id": "oven-1"}
        request = client.post("/decisions", json=wish).raise_for_status().json()["id"]
    visitor = enter(OPERATOR)
    page = visitor.page
    visitor.open(f"/decisions?request={request}")
    page.get_by_role("button", name=re.compile("^Defer")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("The oven is needed until tomorrow.")
    dialog.locator("select").select_option("own")
    until = dialog.get_by_role("textbox").last
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", until.input_value()), "24 hours, on the plant's clock"
    visitor.look("actions-defer")
    dialog.get_by_role("button", name="Defer").click()
    expect(dialog).to_have_count(0)
    wait_until(lambda: stage.get(f"/decisions/{request}")["state"] == "deferred")


def test_an_event_is_announced_and_taken_back(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open("/forecast")
    page.get_by_role("button", name="Announce an event").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Second shift begins")
    visitor.look("actions-event")
    dialog.get_by_role("button", name="Announce an event").click()
    expect(dialog).to_have_count(0)
    wait_until(lambda: announced(stage) == ["Second shift begins"])
    planned = page.get_by_role("region", name="Planned events")
    planned.get_by_role("button", name=re.compile("Second shift begins")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    wait_until(lambda: announced(stage) == [])


def announced(stage: Stage) -> list[str]:
    """Return the names of the events that are to come."""
    return [one["name"] for one in stage.get("/events/active")["events"] if one["name"].startswith("Second")]


def test_instances_are_set_by_hand_with_a_reason(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open("/forecast")
    page.get_by_role("row").filter(has_text="Jobs").get_by_role("button", name="Set").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Instances").fill("2")
    dialog.get_by_label("Reason").fill("Two trainings are due.")
    visitor.look("actions-scale")
    dialog.get_by_role("button", name="Set").click()
    expect(dialog).to_have_count(0)
    wait_until(lambda: "manual" in triggers(stage))


def triggers(stage: Stage) -> list[str]:
    """Return what the latest changes of instances came from."""
    return [one["triggered_by"]["trigger"] for one in stage.get("/scaling/decisions")["decisions"]]
