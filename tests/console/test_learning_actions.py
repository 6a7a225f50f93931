"""What is done with datasets, jobs and reports: drawn, cancelled, asked for again, deleted, written each week."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from deploy.line import GATEWAY
from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import ADMIN, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
NAME = "last hour of the pump"
JOB_MS = 120_000


def test_a_dataset_is_drawn_asked_for_again_and_deleted(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    draw(visitor)
    wait_until(lambda: len(datasets(stage)) == 1, deadline_s=JOB_MS / 1000, every_s=0.3)
    page = visitor.page
    visitor.open(f"/jobs?job={newest(stage, 'draw_dataset')['id']}")
    page.get_by_role("button", name="Ask for the same again").click()
    wait_until(lambda: len(datasets(stage)) == 2, deadline_s=JOB_MS / 1000, every_s=0.3)
    visitor.look("actions-job")
    for one in datasets(stage):
        visitor.open(f"/data?dataset={one['id']}")
        page.get_by_role("button", name="Delete", exact=True).first.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    wait_until(lambda: not datasets(stage))


def test_a_job_is_cancelled_and_its_row_says_so(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    page = visitor.page
    job = ask_for_many(stage)
    visitor.open(f"/jobs?job={job}")
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_until(lambda: stage.get(f"/jobs/{job}")["state"] == "cancelled")
    expect(page.get_by_role("cell", name="cancelled")).to_be_visible()


def ask_for_many(stage: Stage) -> str:
    """Ask for so many datasets that the last one waits for its turn; return the id of its job."""
    now = datetime.now(UTC)
    asked = {"devices": [f"{GATEWAY}/pump-1"], "start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    with stage.client() as client:
        answers = [client.post("/datasets/from-readings", json=asked | {"name": f"one of {n}"}) for n in range(12)]
    return str(answers[-1].raise_for_status().json()["id"])


def draw(visitor: Visit) -> None:
    """Ask for a table of the pump's last hour."""
    page = visitor.page
    visitor.open("/data")
    page.get_by_role("button", name="From readings").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(NAME)
    dialog.get_by_label("pump-1").check()
    dialog.get_by_label("Time", exact=True).select_option(label="Last hour")
    visitor.look("actions-draw")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)


def datasets(stage: Stage) -> list[dict[str, Any]]:
    """Return the datasets of this name."""
    return [one for one in stage.get("/datasets") if one["name"].startswith(NAME)]


def newest(stage: Stage, kind: str) -> dict[str, Any]:
    """Return the newest job of a kind."""
    return next(one for one in stage.get("/jobs", limit=50) if one["kind"] == kind)
