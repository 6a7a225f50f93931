"""Measures the console in Chromium: `python -m tests.bench.console [--only live] [--seconds 20]`, on a quiet machine.

A real cloud with 1,000 devices, 5,000 alarms and 50 machines at ten readings a second over a real mosquitto. What is
measured: bytes of the first load, time to a drawn chart, scripting of each task of the page's main thread while lists
scroll and figures move, age of a reading when the frame after its message begins, CPU and memory of the api process,
and how long after its MQTT message an alarm is on an open page.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, expect

from tests.bench.console_page import Scale, drawn_after_ms, stamp_to_screen_ms, traced
from tests.bench.console_plant import FAST, LONG, PERSON, BusyPlant
from tests.bench.measure import Figure, Target, Watched, save, say, table
from tests.console.browser import Visit, chromium, visit

KIB = 1024
FIRST_LOAD, WARM, COLD = Target(200), Target(2000), Target(3000)
FRAME, LATE, CPU, MEMORY, ALARM = Target(50), Target(100), Target(5), Target(0.5), Target(1000)
FIRST_PAGES, PAGES, TIMES = 5, 20, 20
READ_MS = 2_000
NINE_OF_TEN = {"fleet": "/", "alarms": "/alarms"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts are measured, and how long what takes a while is watched."""

    parts: Sequence[str]
    seconds: float


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, NaN of nothing."""
    return float(np.quantile(values, share)) if values else float("nan")


def loads(browser: Browser, plant: BusyPlant, _seconds: float) -> Iterator[Figure]:
    """Yield what the first load weighs and how soon charts are there."""
    with entered(browser, plant) as visitor:
        scale = Scale(visitor.page)
        visitor.open("/")
        yield Figure("first load, gzip", scale.of("/ui/") / KIB, "KiB", FIRST_LOAD, "headers included")
    with entered(browser, plant) as visitor:
        address = f"{visitor.url}/ui/devices/{LONG}?from=-6h"
        yield Figure("20,000 points drawn, cold", drawn_after_ms(visitor.page, address), "ms", COLD)
        drawn_after_ms(visitor.page, f"{visitor.url}/ui/devices/fast-1")
        page = visitor.page.context.new_page()
        warm = [drawn_after_ms(page, f"{visitor.url}/ui/devices/fast-{number}") for number in range(2, 7)]
        yield Figure("chart of a device, warm, p50", quantile(warm, 0.5), "ms", WARM)


def frames(browser: Browser, plant: BusyPlant, seconds: float) -> Iterator[Figure]:
    """Yield what a frame costs while a long list scrolls and figures move."""
    for name, path in NINE_OF_TEN.items():
        with entered(browser, plant) as visitor:
            visitor.open(path)
            visitor.page.mouse.move(600, 500)
            with traced(browser, visitor.page) as costs:
                scroll(visitor, seconds / 2)
            note = f"p99.9 {quantile(costs.wall_ms, 0.999):.1f} ms, {len(costs.wall_ms):,} tasks"
            yield Figure(f"{name}, scripting of the worst task", worst(costs.wall_ms), "ms", FRAME, note)
            yield Figure(f"{name}, the same of the processor alone", worst(costs.own_ms), "ms", FRAME)


def worst(found: Sequence[float]) -> float:
    """Return the largest, nan where there is none."""
    return max(found, default=float("nan"))


def scroll(visitor: Visit, seconds: float) -> None:
    """Turn the wheel down and up for so long."""
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        turn += 1
        visitor.page.mouse.wheel(0, 400 if turn % 40 < 20 else -400)
        visitor.page.wait_for_timeout(50)


def live(browser: Browser, plant: BusyPlant, seconds: float) -> Iterator[Figure]:
    """Yield how old readings are on the screen, and what ten a second of fifty devices cost the server."""
    api = Watched(plant.server.facts["children"]["api"])
    idle = cpu_percent(api, lambda: time.sleep(seconds))
    with entered(browser, plant) as visitor:
        before = api.sample()
        visitor.open("/settings")
        visitor.page.wait_for_load_state("networkidle")
        opened = api.sample()
        late: list[float] = []
        devices = [f"fast-{number}" for number in range(FAST)]
        busy = cpu_percent(api, lambda: late.extend(stamp_to_screen_ms(visitor.page, devices, seconds=seconds)))
    yield Figure("stamp to screen, p50", quantile(late, 0.5), "ms", None, f"{len(late):,} updates")
    yield Figure("stamp to screen, p95", quantile(late, 0.95), "ms", LATE)
    yield Figure("CPU of the api process to open a page", opened.cpu_s - before.cpu_s, "s", None, "all lists read")
    yield Figure("CPU of the api process for one page", busy - idle, "%", CPU, f"{idle:.1f} % without a page")


def cpu_percent(process: Watched, act: Callable[[], object]) -> float:
    """Return what share of one core a process took while something was done."""
    before = process.sample()
    act()
    after = process.sample()
    return 100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)


def memory(browser: Browser, plant: BusyPlant, _seconds: float) -> Iterator[Figure]:
    """Yield what an open page costs the server; the first ones pay for the heap that reading all lists takes."""
    api = Watched(plant.server.facts["children"]["api"])
    with entered(browser, plant) as first, ExitStack() as stack:
        first.open("/")
        at = [api.rss_mib()]
        for count in (FIRST_PAGES, PAGES):
            for _ in range(count):
                stack.enter_context(opened_page(first))
            at.append(api.rss_mib())
    note = f"of {PAGES} more; each of the first {FIRST_PAGES}: {(at[1] - at[0]) / FIRST_PAGES:.2f} MiB"
    yield Figure("memory of the api process a page", (at[2] - at[1]) / PAGES, "MiB", MEMORY, note)


@contextmanager
def opened_page(visitor: Visit) -> Iterator[None]:
    """Hold one more page of the same person open, connected and with its lists read."""
    page = visitor.page.context.new_page()
    page.goto(f"{visitor.url}/ui/")
    expect(page.get_by_label("Connection: live").first).to_be_visible()
    page.wait_for_timeout(READ_MS)
    yield
    page.close()


def alarms(browser: Browser, plant: BusyPlant, _seconds: float) -> Iterator[Figure]:
    """Yield how long after its MQTT message an alarm is on an open page."""
    took = []
    with entered(browser, plant) as visitor:
        visitor.open("/alarms")
        for number in range(TIMES):
            sent = time.monotonic()
            plant.alarm(f"late-{number}")
            expect(visitor.page.get_by_text(f"late-{number}", exact=True).first).to_be_visible()
            took.append((time.monotonic() - sent) * 1e3)
            visitor.page.wait_for_timeout(300)
    yield Figure("alarm on the page, p50", quantile(took, 0.5), "ms")
    yield Figure("alarm on the page, p95", quantile(took, 0.95), "ms", ALARM, "after its MQTT message")


@contextmanager
def entered(browser: Browser, plant: BusyPlant) -> Iterator[Visit]:
    """Give an operator with an empty cache."""
    with visit(browser, plant.server.url, person=PERSON) as visitor:
        yield visitor


def measure(plan: Plan) -> list[Figure]:
    """Return the figures of the parts that were asked for."""
    found: list[Figure] = []
    with TemporaryDirectory() as directory, BusyPlant(Path(directory)) as plant, chromium() as browser:
        plant.beat()
        plant.flood()
        for name in plan.parts:
            for figure in PARTS[name](browser, plant, plan.seconds):
                say(f"{figure.name}: {figure.value:.3g} {figure.unit}")
                found.append(figure)
    return found


PARTS: Mapping[str, Callable[[Browser, BusyPlant, float], Iterator[Figure]]] = {
    "loads": loads,
    "live": live,
    "frames": frames,
    "memory": memory,
    "alarms": alarms,
}


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(PARTS), help="may be given more than once")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--report", type=Path)
    wishes = parser.parse_args()
    found = measure(Plan(wishes.only or list(PARTS), wishes.seconds))
    say(table("The console: 1,000 devices, 5,000 alarms, 50 devices at 10 Hz", found))
    if wishes.report:
        save(wishes.report, found)


if __name__ == "__main__":
    main()
