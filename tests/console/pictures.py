"""Takes the pictures of the documentation: `python -m tests.console.pictures`, of the running line with a fault."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect

from tests.console.browser import ROOT, chromium, visit
from tests.console.stage import OPERATOR, PASSWORD, Stage
from tests.support.waiting import wait_until

MACHINE = "pump-1"
FLEET, DEVICE = "console.png", "console-device.png"
FOUND_MS = 90_000


def take(stage: Stage, browser: Browser, folder: Path) -> None:
    """Let a machine fail and take a picture of the fleet and one of the machine's page into a folder."""
    stage.fault(MACHINE, "imbalance")
    wait_until(lambda: found(stage), every_s=0.3)
    with visit(browser, stage.url, person=(OPERATOR, PASSWORD)) as visitor:
        page = visitor.page
        visitor.open("/")
        attention = page.get_by_role("region", name="Needs attention")
        expect(attention.get_by_role("link", name=MACHINE, exact=True).first).to_be_visible(timeout=FOUND_MS)
        expect(page.get_by_role("img", name="usual").first).to_be_visible(timeout=FOUND_MS)
        page.screenshot(path=folder / FLEET)
        attention.get_by_role("link", name="Show the moment").first.click()
        visitor.settle()
        expect(page.get_by_role("img", name="newest").first).to_be_visible(timeout=FOUND_MS)
        page.screenshot(path=folder / DEVICE)


def found(stage: Stage) -> bool:
    """Return whether an alarm tells of the fault."""
    alarms = stage.get("/alerts", limit=100)
    return any(one["device_id"] == MACHINE and one["state"] == "unack_active" for one in alarms)


def main() -> None:
    """Start the line, take the pictures, and stop it."""
    with TemporaryDirectory() as directory, Stage(Path(directory)) as stage, chromium() as browser:
        take(stage, browser, ROOT / "docs")


if __name__ == "__main__":
    main()
