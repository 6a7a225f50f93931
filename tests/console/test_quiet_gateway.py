"""Journey 2: a gateway falls silent and is never told as normal; when it is back, its buffer fills the gap."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Enter
from tests.console.stage import OPERATOR, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
MACHINE = "oven-1"
IN_TIME_MS = 90_000
"""The broker tells at once that the gateway is gone; a device may be silent for a minute before it is offline."""
PER_S = 10


def test_a_silent_gateway_is_told_and_its_buffer_fills_the_gap(stage: Stage, enter: Enter) -> None:
    visitor = enter(OPERATOR)
    page = visitor.page
    visitor.open("/")
    expect(page.get_by_text("Gateway has been silent since")).to_have_count(0)
    stage.uplink.cut()
    begun = datetime.now(UTC)
    try:
        expect(page.get_by_text("Gateway has been silent since").first).to_be_visible(timeout=IN_TIME_MS)
        visitor.look("journey-2-silent")
        visitor.open(f"/devices/{MACHINE}")
        expect(page.get_by_role("main").get_by_text("No data since").first).to_be_visible(timeout=IN_TIME_MS)
        expect(page.get_by_role("main").get_by_text("normal", exact=True)).to_have_count(0)
        visitor.look("journey-2-device")
        ended = datetime.now(UTC)
    finally:
        stage.uplink.mend()
    expect(page.get_by_text("No data since")).to_have_count(0, timeout=IN_TIME_MS)
    wait_until(lambda: readings(stage, begun, ended) > 0.8 * PER_S * (ended - begun).total_seconds(), every_s=0.3)
    visitor.open("/")
    expect(page.get_by_text("Gateway has been silent since")).to_have_count(0, timeout=IN_TIME_MS)
    visitor.open(f"/devices/{MACHINE}")
    visitor.look("journey-2-filled")


def readings(stage: Stage, begun: datetime, ended: datetime) -> int:
    """Return how many readings of one channel there are between two moments."""
    start, end = begun.isoformat(), ended.isoformat()
    told = stage.get("/historical_data", device_id=MACHINE, metric="temperature", start=start, end=end, limit=10_000)
    return len(told["values"])
