"""The console on four API processes: each tells all that happens, and who logged in is known to whichever answers."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import msgspec
import psutil
import pytest
from playwright.sync_api import Browser, expect
from websockets.sync.client import ClientConnection, connect

from tests.bench.console_plant import PERSON, BusyPlant
from tests.console.browser import visit
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.console, pytest.mark.timeout(600)]
WORKERS, AT_ONCE, ROUNDS = 4, 12, 60
HEARD_S = 60.0
Message = dict[str, Any]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusyPlant]:
    """Give a plant with four processes of the API that all serve."""
    with BusyPlant(tmp_path_factory.mktemp("workers"), workers=WORKERS) as running:
        wait_until(lambda: instances(running) == WORKERS, deadline_s=240, every_s=0.2)
        running.beat()
        yield running


def instances(plant: BusyPlant) -> int:
    answer = plant.http.get("/api/v1/scaling/status", params={"service": "api"})
    return int(answer.json().get("current_instances", 0))


def workers(plant: BusyPlant) -> Sequence[psutil.Process]:
    children = psutil.Process(plant.server.process.pid).children(recursive=True)
    return [one for one in children if "cloud.processes.api" in one.cmdline()]


def held_by(plant: BusyPlant, connection: ClientConnection) -> int:
    """Return which process holds the server's side of a connection."""
    port = connection.socket.getsockname()[1]
    found = [
        one.pid for one in workers(plant) for tcp in one.net_connections("tcp") if tcp.raddr and tcp.raddr.port == port
    ]
    return found[0]


def logged_in(plant: BusyPlant) -> Mapping[str, str]:
    """Return the cookies of somebody who logged in."""
    body = dict(zip(("username", "password"), PERSON, strict=True))
    with httpx.Client(base_url=plant.server.url) as client:
        client.post("/api/v1/auth/login", json=body).raise_for_status()
        return dict(client.cookies)


@contextmanager
def one_of_each(plant: BusyPlant) -> Iterator[Sequence[ClientConnection]]:
    """Give a live connection to each process, by the cookies of one login."""
    cookie = "; ".join(f"{name}={value}" for name, value in logged_in(plant).items())
    address = plant.server.url.replace("http", "ws", 1) + "/ws"

    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:

        def come(_: int) -> ClientConnection:
            return stack.enter_context(connect(address, additional_headers={"Cookie": cookie}, close_timeout=1))

        found: dict[int, ClientConnection] = {}
        for _ in range(ROUNDS):
            for connection in pool.map(come, range(AT_ONCE)):
                if found.setdefault(held_by(plant, connection), connection) is not connection:
                    connection.close()
            if len(found) == WORKERS:
                break
        assert len(found) == WORKERS
        yield list(found.values())


def hear(connection: ClientConnection, kinds: Sequence[str], device: str | None = None) -> None:
    """Read until a message of each kind came, in this order; about a device, where one is given."""
    deadline_s = time.monotonic() + HEARD_S
    for kind in kinds:
        while True:
            message = msgspec.json.decode(connection.recv(timeout=deadline_s - time.monotonic()), type=Message)
            if message["type"] == kind and device in (None, message["data"].get("device_id")):
                break


def alarms_of(plant: BusyPlant, device: str) -> Sequence[str]:
    """Return the ids of the newest alarms of a device that has no readings."""
    newest = plant.http.get("/api/v1/alerts", params={"limit": 20}).raise_for_status().json()
    return [one["id"] for one in newest if one["device_id"] == device]


def test_each_process_tells_readings_alarms_and_who_saw_them(plant: BusyPlant, browser: Browser) -> None:
    with (
        one_of_each(plant) as listeners,
        ThreadPoolExecutor(WORKERS) as pool,
        visit(browser, plant.server.url, person=PERSON) as visitor,
    ):
        for one in listeners:
            one.send(msgspec.json.encode({"type": "subscribe", "devices": ["fast-1"], "together": True}).decode())
            hear(one, ("device_updates",))
        heard = [pool.submit(hear, one, ("alert", "alert_acknowledged"), "odd-1") for one in listeners]
        visitor.open("/alarms")
        other = visitor.page.context.new_page()
        other.goto(f"{visitor.url}/ui/alarms")
        plant.alarm("odd-1")
        for page in (visitor.page, other):
            expect(page.get_by_text("odd-1", exact=True).first).to_be_visible()
        (alarm,) = alarms_of(plant, "odd-1")
        visitor.open(f"/alarms?alarm={alarm}")
        details = visitor.page.get_by_role("complementary", name="Details")
        details.get_by_role("button", name="Acknowledge").click()
        visitor.page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
        for found in heard:
            found.result()
        assert visitor.eyes.findings() == []


def test_a_login_its_csrf_token_and_its_end_hold_in_each_process(plant: BusyPlant) -> None:
    plant.alarm("odd-2")
    wait_until(lambda: bool(alarms_of(plant, "odd-2")), every_s=0.1)
    (alarm,) = alarms_of(plant, "odd-2")
    cookies = logged_in(plant)
    own, foreign = {"X-CSRF-TOKEN": cookies["csrf_access_token"]}, {"X-CSRF-TOKEN": "0" * 32}

    def statuses(path: str, headers: Mapping[str, str]) -> Counter[int]:
        """Return how it was answered over many connections, each of which any process may have taken."""

        def ask(_: int) -> int:
            with httpx.Client(base_url=plant.server.url, cookies=dict(cookies), headers=headers, timeout=60) as client:
                return client.post(path).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return Counter(pool.map(ask, range(4 * AT_ONCE)))

    assert statuses(f"/api/v1/alerts/{alarm}/acknowledge", own) == {200: 4 * AT_ONCE}
    assert statuses(f"/api/v1/alerts/{alarm}/acknowledge", foreign) == {403: 4 * AT_ONCE}
    with httpx.Client(base_url=plant.server.url, cookies=dict(cookies), headers=own) as client:
        client.post("/api/v1/auth/logout").raise_for_status()
    wait_until(
        lambda: statuses(f"/api/v1/alerts/{alarm}/acknowledge", own) == {401: 4 * AT_ONCE}, deadline_s=60, every_s=0.2
    )
