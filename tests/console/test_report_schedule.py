"""What is done with reports: one is written each week from a day and an hour on that people choose."""

import re

import pytest
from playwright.sync_api import expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import ADMIN, Stage

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]


def test_reports_are_written_each_week_from_now_on(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    visitor.open("/reports")
    schedule(visitor, "Monday", "06:00")
    visitor.look("actions-schedule")
    told = stage.get("/settings")["reports"]
    assert (told["weeklyDay"], told["weeklyHour"]) == ("monday", 6)
    expect(visitor.page.get_by_role("region", name="Report of the week")).to_contain_text("06:00")
    schedule(visitor, re.compile("^(Never|Off|No)"), "06:00")
    assert stage.get("/settings")["reports"]["weeklyDay"] == "off"


def schedule(visitor: Visit, day: str | re.Pattern[str], hour: str) -> None:
    """Choose the day and the hour of the weekly report."""
    page = visitor.page
    page.get_by_role("region", name="Report of the week").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    days = dialog.get_by_label("Day")
    text = days.locator("option").filter(has_text=day).first.inner_text()
    days.select_option(label=text)
    dialog.get_by_label("Hour").select_option(label=hour)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
