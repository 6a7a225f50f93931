"""Browser: Debian's Chromium on the console, with eyes for all that a page must not do."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
PROGRAM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
SCREENSHOTS = ROOT / "build" / "screenshots"
AXE = ROOT / "cloud" / "console" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("dark", "light")
SIZES: Mapping[str, ViewportSize] = {
    "1366x768": {"width": 1366, "height": 768},
    "1920x1080": {"width": 1920, "height": 1080},
    "390x844": {"width": 390, "height": 844},
}
USUAL = "1366x768"
PATIENCE_MS = 20_000
"""How long a page may take on a busy machine; a wait ends as soon as what is waited for is there."""
ELSEWHERE = "America/New_York"
"""The browser's zone: what a page shows in it and not in the plant's zone is wrong."""
NOT_LOGGED_IN = r"401 .*/api/v1/auth/(me|refresh|login)"
"""How a page learns that nobody is logged in."""
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  tellViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
_RUN_AXE = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map((one) => ({
  impact: one.impact, id: one.id, help: one.help,
  where: one.nodes.slice(0, 5).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
}))
"""
_TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (one) => one && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(one).overflowX)
    || scrolls(one.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
    .slice(0, 5).map((one) => `<${one.tagName} class="${one.className}"> ${one.textContent.slice(0, 40)}`);
}
"""
_SETTLED = """
() => document.querySelector("h1") !== null && !document.querySelector("[aria-busy=true]")
  && !document.body.innerText.includes("Loading …")
"""


@dataclass
class Eyes:
    """What was seen of a page; expected: patterns of failed requests that belong to the story."""

    origin: str
    expected: list[str] = field(default_factory=lambda: [NOT_LOGGED_IN])
    errors: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """See all that happens in a context from now on."""
        context.expose_binding("tellViolation", lambda _source, what: self.violations.append(str(what)))
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfailed", self._failed)

    def findings(self) -> list[str]:
        """Return all that should not have been, an empty list where all is well."""
        refused = [one for one in self.refused if not any(re.search(pattern, one) for pattern in self.expected)]
        kinds = {"console": self.errors, "policy": self.violations, "elsewhere": self.strangers, "refused": refused}
        kinds["unreadable"] = self.unreadable
        return [f"{kind}: {one}" for kind, found in kinds.items() for one in found]

    def _said(self, message: ConsoleMessage) -> None:
        # What a request that fails writes there is told by the request itself.
        is_of_a_request = message.text.startswith(("Failed to load resource", "WebSocket connection to"))
        if message.type in ("error", "warning") and not is_of_a_request:
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def _asked(self, request: Request) -> None:
        place = urlsplit(request.url)
        is_inside = place.scheme in ("data", "blob", "about")
        if not is_inside and place.netloc != urlsplit(self.origin).netloc:
            self.strangers.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that is left gives up what it asked for
            self.refused.append(f"{request.failure} {request.method} {request.url}")


@dataclass(frozen=True)
class Visit:
    """Somebody who looks at the console."""

    page: Page
    eyes: Eyes
    url: str

    def open(self, path: str) -> None:
        """Go to a page of the console and wait until it shows what it has."""
        self.page.goto(f"{self.url}/ui{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page has its heading and nothing on it is still being loaded."""
        self.page.wait_for_function(_SETTLED)
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def resize(self, size: str) -> None:
        """Look through a window of another size."""
        self.page.set_viewport_size(SIZES[size])
        self.settle()

    def dress(self, theme: Theme) -> None:
        """Change the system's colours, which the page follows."""
        self.page.emulate_media(color_scheme=theme)
        self.page.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")
        self.settle()

    def look(self, name: str, *sizes: str) -> None:
        """Keep pictures of what is seen in both themes, and note what cannot be read by all."""
        for theme in THEMES:
            self.dress(theme)
            for size in sizes or (USUAL,):
                if sizes:
                    self.resize(size)
                self.page.screenshot(path=picture(theme, size, name))
                self.eyes.unreadable += [f"{name}, {theme}, {size}: {one}" for one in self.too_wide()]
            self.eyes.unreadable += [f"{name}, {theme}: {one}" for one in self.axe()]
        self.dress("light")

    def too_wide(self) -> Sequence[str]:
        """Return what leads out of the window to the right, an empty list where nothing does."""
        found: list[str] = self.page.evaluate(_TOO_WIDE)
        return found

    def axe(self) -> Sequence[str]:
        """Return the serious and critical findings of axe-core on what is shown."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: list[dict[str, Any]] = self.page.evaluate(_RUN_AXE)
        return [f"{one['impact']} {one['id']}: {one['help']}: {one['where']}" for one in found if _is_serious(one)]


def picture(theme: Theme, size: str, name: str) -> Path:
    """Return where a picture is kept."""
    path = SCREENSHOTS / theme / size / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _is_serious(finding: Mapping[str, Any]) -> bool:
    return finding["impact"] in SERIOUS


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Give a browser with an empty profile."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visit(browser: Chromium, url: str, *, person: tuple[str, str] | None = None, size: str = USUAL) -> Iterator[Visit]:
    """Give somebody at the console, logged in where a person (name, password) is named."""
    context = browser.new_context(
        viewport=SIZES[size], color_scheme="light", timezone_id=ELSEWHERE, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    eyes = Eyes(url)
    eyes.watch(context)
    if person is not None:
        log_in(context, url, *person)
    yield Visit(context.new_page(), eyes, url)
    context.close()


def log_in(context: BrowserContext, url: str, name: str, password: str) -> None:
    """Give a context the cookies of somebody who logs in."""
    body = json.dumps({"username": name, "password": password})
    answer = context.request.post(f"{url}/api/v1/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.ok, answer.text()
