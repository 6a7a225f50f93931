"""What the console's bench does in the browser: what a page loads, when its chart is drawn, what its frames cost."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page

CHART = "[role=img][aria-label*='newest']"
_DRAWN = f"""
() => [...document.querySelectorAll("{CHART}")].some((chart) =>
  [...chart.querySelectorAll("canvas")].some((one) => one.width > 0 && one.height > 0))
"""
_SCRIPT = ("FunctionCall", "EvaluateScript", "v8.compile", "RunMicrotasks", "v8.run")
_TASK = ("RunTask", "ThreadControllerImpl::RunTask")
_CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute"]
_LISTEN = """
([devices, seconds]) => new Promise((done, failed) => {
  const late = [], socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  socket.onerror = () => failed(new Error("no live feed"));
  socket.onopen = () => {
    socket.send(JSON.stringify({type: "subscribe", devices, rate_hz: 10, together: true}));
    setTimeout(() => { socket.close(); done(late); }, seconds * 1000);
  };
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.type !== "device_updates") return;
    const stamps = told.data.devices.map((one) => Date.parse(one.timestamp));
    requestAnimationFrame(() => stamps.forEach((stamp) => late.push(Date.now() - stamp)));
  };
})
"""


class Scale:
    """Weighs what a page takes over the wire; by path."""

    def __init__(self, page: Page) -> None:
        self.bytes: dict[str, float] = defaultdict(float)
        self._paths: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def of(self, prefix: str) -> float:
        """Return the bytes, headers included, of all paths that begin so."""
        return sum(size for path, size in self.bytes.items() if path.startswith(prefix))

    def _answered(self, told: dict[str, Any]) -> None:
        address = str(told["response"]["url"])
        self._paths[told["requestId"]] = "/" + address.split("/", 3)[-1]

    def _finished(self, told: dict[str, Any]) -> None:
        self.bytes[self._paths.get(told["requestId"], "")] += told["encodedDataLength"]


def drawn_after_ms(page: Page, address: str) -> float:
    """Return how long after it was asked for a page had drawn its chart."""
    page.goto(address, wait_until="commit")
    page.wait_for_function(_DRAWN, polling="raf", timeout=60_000)
    return float(page.evaluate("() => performance.now()"))


def stamp_to_screen_ms(page: Page, devices: Sequence[str], *, seconds: float) -> list[float]:
    """Return for each update of these devices how old its reading was when the frame after it began."""
    found: list[float] = page.evaluate(_LISTEN, [list(devices), seconds])
    return found


@dataclass(frozen=True, slots=True)
class Costs:
    """What the tasks of a page's main thread took in scripts, ms: by the wall, and of the processor alone.

    The two differ by what others on the same machine took from it meanwhile: the servers, the plant, the browser's
    other threads.
    """

    wall_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[Costs]:
    """Give what each task of the page's main thread costs in scripts, filled when the block ends."""
    found = Costs()
    with TemporaryDirectory() as directory:
        path = Path(directory, "trace.json")
        browser.start_tracing(page=page, path=path, categories=_CATEGORIES)
        yield found
        browser.stop_tracing()
        events = json.loads(path.read_bytes())["traceEvents"]
    found.wall_ms.extend(scripting_ms(events, Clock("ts", "dur")))
    found.own_ms.extend(scripting_ms(events, Clock("tts", "tdur")))


class Clock(NamedTuple):
    """The fields in which a trace tells when something began and how long it took, in microseconds."""

    begin: str
    length: str

    def span(self, event: Mapping[str, Any]) -> tuple[float, float]:
        """Return begin and end of an event."""
        begin = float(event.get(self.begin, 0))
        return begin, begin + float(event.get(self.length, 0))


def scripting_ms(events: Sequence[Mapping[str, Any]], clock: Clock) -> list[float]:
    """Return the ms of scripting in each task of the renderers' main threads."""
    found = []
    for thread in {(one["pid"], one["tid"]) for one in events if _names(one, "CrRendererMain")}:
        mine = [one for one in events if one.get("ph") == "X" and (one["pid"], one["tid"]) == thread]
        tasks = sorted(clock.span(one) for one in mine if one["name"] in _TASK)
        scripts = sorted(clock.span(one) for one in mine if one["name"] in _SCRIPT)
        found += _covered_ms(tasks, scripts)
    return found


def _covered_ms(tasks: Sequence[tuple[float, float]], scripts: Sequence[tuple[float, float]]) -> list[float]:
    """Return how much of each task its scripts cover, of which one may hold others."""
    found, index = [], 0
    for begin, end in tasks:
        covered, total = begin, 0.0
        while index < len(scripts) and scripts[index][0] < end:
            entered, over = max(scripts[index][0], covered), scripts[index][1]
            total, covered = total + max(0.0, over - entered), max(covered, over)
            index += 1
        found.append(total / 1e3)
    return found


def _names(event: Mapping[str, Any], thread: str) -> bool:
    return bool(event["name"] == "thread_name" and event["args"]["name"] == thread)
