"""What is done with a rollout that is under way: stopped for a while and let go on."""

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Enter
from tests.console.stage import ADMIN, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
MACHINE = "motor-1"


def test_a_rollout_is_paused_and_goes_on(stage: Stage, enter: Enter) -> None:
    with stage.client() as client:
        # It waits for an hour after its only group is good, so that it is still under way.
        wish = {"model": MACHINE, "devices": [MACHINE], "groups": [100], "soak_s": 3600, "shadow_rows": 50}
        rollout = client.post("/rollouts", json=wish).raise_for_status().json()["id"]
    visitor = enter(ADMIN)
    page = visitor.page
    visitor.open(f"/models?tab=rollouts&rollout={rollout}")
    page.get_by_role("button", name="Pause", exact=True).click()
    wait_until(lambda: stage.get(f"/rollouts/{rollout}")["state"] == "paused")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)
    visitor.look("actions-rollout-paused")
    page.get_by_role("button", name="Go on", exact=True).click()
    wait_until(lambda: stage.get(f"/rollouts/{rollout}")["state"] == "running")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    with stage.client() as client:
        client.post(f"/rollouts/{rollout}/rollback", json={"reason": "the test is over"}).raise_for_status()
