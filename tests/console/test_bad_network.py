"""Journey 5: the live feed is cut, the server is killed; the page says so, goes on, and recovers without a reload."""

import re
import time

import pytest
from playwright.sync_api import expect

from deploy.line import CLOUD
from tests.console.browser import Visit
from tests.console.conftest import Enter
from tests.console.stage import OPERATOR, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]
RECOVERED_MS = 10_000
LIVE, POLLING, AWAY = "Connection: live", "Live updates are cut off", "The server does not answer"


def mark(visitor: Visit) -> None:
    """Leave a mark on the page that a reload would take away."""
    visitor.page.evaluate("() => { document.documentElement.dataset.visit = 'the first'; }")


def is_the_same_page(visitor: Visit) -> bool:
    """Return whether the page was not loaded anew since it was marked."""
    return bool(visitor.page.evaluate("() => document.documentElement.dataset.visit === 'the first'"))


def test_without_the_live_feed_the_page_says_so_and_asks_until_it_is_back(stage: Stage, enter: Enter) -> None:
    visitor = enter(OPERATOR)
    visitor.eyes.expected.append("net::ERR_")
    visitor.open("/")
    expect(visitor.page.get_by_label(LIVE).first).to_be_visible()
    mark(visitor)
    try:
        stage.wire.cut()
        expect(visitor.page.get_by_role("alert").filter(has_text=POLLING)).to_be_visible()
        with visitor.page.expect_response(lambda answer: "/api/v1/" in answer.url and answer.ok):
            pass
        visitor.look("polling")
    finally:
        stage.wire.mend()
    expect(visitor.page.get_by_label(LIVE).first).to_be_visible(timeout=40_000)
    expect(visitor.page.get_by_text(POLLING)).to_have_count(0)
    assert is_the_same_page(visitor)


def test_an_acknowledge_pressed_while_the_server_dies_is_confirmed_or_refused_aloud(stage: Stage, enter: Enter) -> None:
    visitor = enter(OPERATOR)
    visitor.eyes.expected += ["net::ERR_", "^50[234] "]
    page, alarm = visitor.page, raise_alarm(stage)
    visitor.open(f"/alarms?alarm={alarm}")
    page.get_by_role("complementary", name="Details").get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    stage.kill(CLOUD)
    try:
        dialog.get_by_role("button", name="Acknowledge").click()
        visitor.page.wait_for_timeout(500)
    finally:
        stage.restart(CLOUD)
    confirmed, refused = "Done: the server confirms it now.", re.compile("^Not done|stopped answering")
    expect(page.get_by_text(confirmed).or_(page.get_by_text(refused)).first).to_be_visible(timeout=60_000)
    visitor.look("journey-5-acknowledge")
    state = stage.get(f"/alerts/{alarm}")["state"]
    is_told_done = page.get_by_text(confirmed).count() > 0
    assert is_told_done == (state not in ("unack_active", "unack_cleared"))


def raise_alarm(stage: Stage) -> str:
    """Let a machine fail and return the id of an alarm that nobody has acknowledged."""
    stage.fault("motor-1", "imbalance")

    def unseen() -> list[str]:
        return [one["id"] for one in stage.get("/alerts", limit=50) if one["state"].startswith("unack_active")]

    wait_until(unseen, every_s=0.3)
    return unseen()[0]


def test_a_killed_server_is_told_and_the_page_recovers_without_a_reload(stage: Stage, enter: Enter) -> None:
    visitor = enter(OPERATOR)
    visitor.eyes.expected += ["net::ERR_", "^50[234] "]
    visitor.open("/")
    expect(visitor.page.get_by_label(LIVE).first).to_be_visible()
    mark(visitor)
    stage.kill(CLOUD)
    try:
        expect(visitor.page.get_by_role("alert").filter(has_text=AWAY)).to_be_visible()
        visitor.look("server-away")
    finally:
        stage.restart(CLOUD)
    back = time.monotonic()
    expect(visitor.page.get_by_label(LIVE).first).to_be_visible(timeout=RECOVERED_MS)
    expect(visitor.page.get_by_text(AWAY)).to_have_count(0)
    assert time.monotonic() - back < RECOVERED_MS / 1000
    assert is_the_same_page(visitor)
