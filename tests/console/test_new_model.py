"""Journey 3: label two windows, let a model learn anew, compare it, try it on one gateway, promote it, roll it back."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import ADMIN, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(400)]
MACHINE = "compressor-1"
QUARTER_OF_AN_HOUR = "0.0104"
JOB_MS, ROLLOUT_MS = 180_000, 120_000


def test_a_model_learns_anew_goes_to_one_gateway_is_promoted_and_rolled_back(stage: Stage, enter: Enter) -> None:
    visitor = enter(ADMIN)
    label_a_window(visitor, 0.90, 0.93, "False alarm")
    label_a_window(visitor, 0.95, 0.97, "True fault")
    assert len(stage.get("/labels", device_id=MACHINE)) >= 2
    before = newest(stage)
    retrain(visitor)
    wait_until(lambda: newest(stage) > before)
    compare(visitor, stage)
    bring_to_one_gateway(visitor, newest(stage))
    promote(visitor, newest(stage))
    wait_until(lambda: champion(stage) == newest(stage))
    roll_back(visitor)


def newest(stage: Stage) -> int:
    """Return the number of the newest version of the machine's model."""
    return max(int(one["version"]) for one in stage.get(f"/models/{MACHINE}")["versions"])


def champion(stage: Stage) -> int:
    """Return the number of the version that serves in the cloud."""
    return int(stage.get(f"/models/{MACHINE}")["aliases"]["champion"])


def label_a_window(visitor: Visit, begin: float, end: float, verdict: str) -> None:
    """Mark a stretch of the trend, in shares of its width, and say what it was."""
    page = visitor.page
    visitor.open(f"/devices/{MACHINE}")
    chart = page.get_by_role("img", name=re.compile("^Trend of"))
    expect(chart).to_be_visible()
    page.get_by_role("button", name="Label a time").first.click()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=5)
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(verdict).check()
    visitor.look(f"journey-3-label-{verdict.lower().replace(' ', '-')}")
    dialog.get_by_role("button", name="Label").click()
    expect(dialog).to_have_count(0)


def retrain(visitor: Visit) -> None:
    """Ask for it on the page of the model and follow the job to its end."""
    page = visitor.page
    visitor.open(f"/models?model={MACHINE}")
    visitor.look("journey-3-model")
    page.get_by_role("button", name="Learn anew from readings").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Days of readings").fill(QUARTER_OF_AN_HOUR)
    dialog.get_by_role("button", name="Learn anew").click()
    expect(page).to_have_url(re.compile(r"/ui/jobs\?job="))
    expect(row(visitor, "succeeded")).to_be_visible(timeout=JOB_MS)
    visitor.look("journey-3-job")


def row(visitor: Visit, state: str) -> Locator:
    """Return the newest row of the machine's model in a list whose state this is."""
    return visitor.page.get_by_role("row").filter(has_text=MACHINE).filter(has_text=state).first


def compare(visitor: Visit, stage: Stage) -> None:
    """See the champion against the other one: the job promotes by itself what is as good."""
    other = newest(stage) if champion(stage) != newest(stage) else newest(stage) - 1
    visitor.open(f"/models?model={MACHINE}&version={other}")
    expect(visitor.page.get_by_text(f"Champion against version {other}")).to_be_visible()
    visitor.look("journey-3-compare")


def bring_to_one_gateway(visitor: Visit, version: int) -> None:
    """Start a rollout to one gateway as a canary and wait until it is through."""
    page = visitor.page
    visitor.open(f"/models?model={MACHINE}&version={version}")
    page.get_by_role("button", name="Roll out to gateways").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Thresholds and times").click()
    dialog.get_by_label("A good group is left alone for").fill("0")
    dialog.get_by_label("Rows in the shadow first").fill("50")
    visitor.look("journey-3-rollout")
    dialog.get_by_role("button", name="Start a rollout").click()
    expect(dialog).to_have_count(0)
    expect(row(visitor, "finished")).to_be_visible(timeout=ROLLOUT_MS)
    visitor.look("journey-3-canary")


def promote(visitor: Visit, version: int) -> None:
    """Let the new version serve in the cloud, too."""
    page = visitor.page
    visitor.open(f"/models?model={MACHINE}&version={version}")
    deploy = page.get_by_role("button", name="Let it serve in the cloud")
    if deploy.count():  # the job promotes by itself what is as good
        deploy.click()
        page.get_by_role("dialog").get_by_role("button", name="Let it serve in the cloud").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(deploy).to_have_count(0)


def roll_back(visitor: Visit) -> None:
    """Take it back from the gateway."""
    page = visitor.page
    visitor.open("/models?tab=rollouts")
    row(visitor, "finished").get_by_text(MACHINE).click()
    page.get_by_role("button", name="Roll back").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(row(visitor, "rolled back")).to_be_visible(timeout=ROLLOUT_MS)
    visitor.look("journey-3-rolled-back")
