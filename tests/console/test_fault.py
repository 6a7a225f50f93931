"""Journey 1: a machine fails, the badge says so, the alarm leads to its moment, people act, the audit has it all."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import OPERATOR, Stage

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
MACHINE = "pump-1"
UNLIKE = "unlike its normal behaviour"
SOON_MS = 60_000
"""How long the alarm may take here; `make bench-console` measures how long it does take."""


def test_a_fault_becomes_a_decision_and_the_audit_has_every_step(
    stage: Stage, enter: Enter, record_property: Callable[[str, object], None]
) -> None:
    visitor = enter(OPERATOR)
    visitor.open("/")
    begun = time.monotonic()
    stage.fault(MACHINE, "imbalance")
    see_it(visitor, MACHINE)
    record_property("fault_to_page_s", round(time.monotonic() - begun, 1))
    acknowledge_it(visitor, MACHINE)
    look_at_its_moment(visitor, MACHINE)
    title = f"Balance the coupling of {MACHINE}"
    ask_for_maintenance(visitor, title)
    approve_it(visitor, title)
    told = told_by(stage, OPERATOR)
    for subject, step in (("Alarm", "acknowledge"), ("Decision", "request"), ("Decision", "approve")):
        assert any(one.startswith(subject) and one.endswith(step) for one in told), f"{subject}: {step} not in {told}"


def see_it(visitor: Visit, machine: str) -> None:
    """Wait until the fleet and the badge show the fault."""
    page = visitor.page
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention.get_by_role("link", name=machine, exact=True)).to_be_visible(timeout=SOON_MS)
    badge = page.get_by_role("banner").get_by_role("link", name=re.compile("not acknowledged"))
    expect(badge).not_to_have_attribute("aria-label", re.compile("^0 critical and 0 warning"))
    visitor.look("journey-1-fleet")
    badge.click()
    visitor.settle()
    expect(alarm_of(visitor, machine)).to_be_visible(timeout=SOON_MS)


def alarm_of(visitor: Visit, machine: str) -> Locator:
    """Return the row of the alarm that says so."""
    return visitor.page.get_by_role("row").filter(has_text=UNLIKE).filter(has_text=machine).first


def acknowledge_it(visitor: Visit, machine: str) -> None:
    """Open the alarm in the list and acknowledge it with a comment."""
    page, said = visitor.page, "Heard it from the hall, going there."
    alarm_of(visitor, machine).get_by_text(UNLIKE).click()
    detail = page.get_by_role("complementary", name="Details")
    expect(detail.get_by_text(UNLIKE).first).to_be_visible()
    visitor.look("journey-1-alarm")
    detail.get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Comment")).fill(said)
    visitor.look("journey-1-acknowledge")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    expect(detail.get_by_text(said).first).to_be_visible()


def look_at_its_moment(visitor: Visit, machine: str) -> None:
    """Follow the alarm to the device, where its time is marked."""
    page = visitor.page
    page.get_by_role("link", name=re.compile(f"Show the time on {machine}")).click()
    visitor.settle()
    assert f"/ui/devices/{machine}" in page.url
    expect(page.get_by_role("heading", level=1)).to_contain_text(machine)
    expect(page.get_by_role("button", name=re.compile(UNLIKE)).first).to_be_visible()
    visitor.look("journey-1-device")


def ask_for_maintenance(visitor: Visit, title: str) -> None:
    """Ask for it on the device's page."""
    visitor.page.get_by_role("button", name="Request maintenance").first.click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("What is to be done").fill(title)
    dialog.get_by_role("button", name="Request maintenance").click()
    expect(dialog).to_have_count(0)


def approve_it(visitor: Visit, title: str) -> None:
    """Approve it in the inbox, with a reason."""
    page = visitor.page
    visitor.open("/decisions")
    page.get_by_role("list", name="Requests").get_by_role("button").filter(has_text=title).click()
    visitor.look("journey-1-request")
    page.get_by_role("button", name="Approve").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Reason")).fill("The next shift has an hour.")
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Approved.").first).to_be_visible()
    visitor.look("journey-1-approved")


def told_by(stage: Stage, name: str) -> list[str]:
    """Return what the audit says of somebody's deeds."""
    entries = stage.get("/activity", limit=200)["activities"]
    return [str(one["message"]) for one in entries if one["user"] == name]
