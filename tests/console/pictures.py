"""Takes the pictures of the documentation: `python -m tests.console.pictures`, of the running line with a fault."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect

from tests.console.browser import ROOT, chromium, visit
from tests.console.stage import OPERATOR, PASSWORD, Stage

MACHINE = "pump-1"
FLEET, DEVICE = "console.png", "console-device.png"
FOUND_MS = 90_000


def take(stage: Stage, browser: Browser, folder: Path) -> None:
    """Let a machine fail and take a picture of the fleet and one of the machine's page into a folder."""
    with visit(browser, stage.url, person=(OPERATOR, PASSWORD)) as visitor:
        page = visitor.page
        visitor.open("/")
        stage.fault(MACHINE, "imbalance")
        attention = page.get_by_role("region", name="Needs attention")
        expect(attention.get_by_role("link", name=MACHINE, exact=True).first).to_be_visible(timeout=FOUND_MS)
        visitor.settle()
        page.screenshot(path=folder / FLEET)
        visitor.open(f"/devices/{MACHINE}")
        expect(page.get_by_role("img", name="newest")).to_be_visible(timeout=FOUND_MS)
        page.screenshot(path=folder / DEVICE)


def main() -> None:
    """Start the line, take the pictures, and stop it."""
    with TemporaryDirectory() as directory, Stage(Path(directory)) as stage, chromium() as browser:
        take(stage, browser, ROOT / "docs")


if __name__ == "__main__":
    main()
