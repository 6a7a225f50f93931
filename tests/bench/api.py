"""Measures the API under load: `python -m tests.bench.api [--seconds 60] [--processes 1]`, best on a quiet machine.

Open loop: 50 users, each with a key and a connection of its own, send 100 requests a second in all, each at its due
time whatever became of the ones before; how long an answer took counts from the due time, so that waiting is not left
out (Tene's coordinated omission). The ten operations that operators use most take turns, lists with a limit of 100.
Meanwhile gateways deliver 20,000 readings a second through a real mosquitto. Limits are of the high profile; one
answer that is not a 2xx fails the whole. What is due in the first 15 s, when 50 devices and users are new, is told by
itself. At the end `/devices` with 100 and with 1,000 rows, and their ratio.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np

from cloud.clock import SystemClock
from cloud.config import load_settings
from cloud.domain.scopes import Scope
from cloud.ports import Arrival
from cloud.processes.ingest import open_readings
from cloud.storage.chunks.store import ChunkStore
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.bench.ingest import PER_FRAME, PERIOD_US, POLLS, SEED, Loader, Sender, make_frames
from tests.bench.measure import Figure, Target, save, say, table
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.waiting import wait_until

V1 = "/api/v1"
USERS, PER_S = 50, 100.0
READINGS_PER_S, GATEWAYS = 20_000, 8
DEVICES, HISTORY = 1000, 60
WARM_S = 15.0
P99_MS, MANY_MS = Target(100), Target(250)
SCOPES = [scope.value for scope in Scope if scope is not Scope.ADMIN]
READING = {"value": 21.5, "sensor_type": "temperature", "unit": "celsius"}
EXTRA = """
limits: {{profile: high}}
auth: {{registration: closed}}
scaling: {{automatic: false, instances: [{{service: api, least: {processes}, most: {processes}}}]}}
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One operation as it is asked."""

    name: str
    method: str
    path: str
    body: Mapping[str, object] | None = None


def questions(number: int) -> Sequence[Question]:
    """Return the ten operations, of a device that differs from request to request."""
    device = f"machine-{number % DEVICES}"
    reading = {**READING, "sensor_id": f"probe-{number % USERS}"}
    return (
        Question("alarms", "GET", "/alerts?limit=100"),
        Question("devices, 100 of them", "GET", "/devices?limit=100"),
        Question("one device", "GET", f"/devices/{device}"),
        Question("an hour of readings", "GET", f"/historical_data?device_id={device}&hours=1"),
        Question("dashboard", "GET", "/dashboard"),
        Question("health scores", "GET", "/health_scores"),
        Question("decisions", "GET", "/decisions?limit=100"),
        Question("recommendations", "GET", "/recommendations"),
        Question("system metrics", "GET", "/system_metrics"),
        Question("send a reading", "POST", "/data/ingest", reading),
    )


class User:
    """Asks over one connection that is kept, with a key of its own."""

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._connection = HTTPConnection(place.hostname, place.port, timeout=60)
        self._headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def ask(self, question: Question) -> tuple[int, bytes]:
        """Return status and body; 0 where no answer came."""
        body = None if question.body is None else json.dumps(question.body)
        try:
            self._connection.request(question.method, f"{V1}{question.path}", body, self._headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return 0, repr(error).encode()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Crowd:
    """All users together, each request at its due time."""

    def __init__(self, users: Sequence[User]) -> None:
        self._users = users
        self._lock = threading.Lock()
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self.first_ms: list[float] = []
        self.refused: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Send for so long; request n is due n / 100 s after the begin, and users take turns."""
        begun_s = time.monotonic() + 0.5
        with ThreadPoolExecutor(len(self._users)) as pool:
            for _ in pool.map(lambda index: self._go(index, begun_s, int(seconds * PER_S)), range(len(self._users))):
                pass

    def _go(self, index: int, begun_s: float, count: int) -> None:
        for number in range(index, count, len(self._users)):
            due_s = begun_s + number / PER_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            turn = number // len(self._users) + index
            question = questions(number)[turn % 10]
            status, body = self._users[index].ask(question)
            took_ms = (time.monotonic() - due_s) * 1e3
            told = self.first_ms if due_s < begun_s + WARM_S else self.took_ms[question.name]
            self._note(question, status, body, took_ms, told)

    def _note(self, question: Question, status: int, body: bytes, took_ms: float, told: list[float]) -> None:
        with self._lock:
            told.append(took_ms)
            if not 200 <= status < 300:
                self.refused[f"{question.method} {question.path} {status} {body[:200]!r}"] += 1


def hall(now_us: int) -> Arrival:
    """Return readings of a thousand devices over the last ten minutes, one series each."""
    times = now_us - 10_000_000 * np.arange(HISTORY, 0, -1, dtype=np.int64)
    devices = tuple(DeviceInfo(f"machine-{number}", "pump", f"Machine {number}", "Hall 1") for number in range(DEVICES))
    tags = tuple(TagInfo(n, "flow", Kind.FLOAT, "l/min", period_s=10.0, is_primary=True) for n in range(DEVICES))
    column = Column(
        Kind.FLOAT,
        np.tile(np.arange(DEVICES, dtype=np.uint32), HISTORY),
        np.repeat(times, DEVICES),
        np.random.default_rng(SEED).normal(50, 1, DEVICES * HISTORY),
        np.zeros(DEVICES * HISTORY, np.uint8),
    )
    return Arrival("gw-hall", TagTable(devices, tags), ReadingBlock((column,)))


def fill(server: CloudServer) -> str:
    """Set up the installation with its thousand devices and return an admin key."""
    key_file = server.directory / "first-key"
    server.run("init", "--key-file", str(key_file))
    database = open_readings(load_settings(server.config))
    store = ChunkStore(database, SystemClock())
    with store.transaction():
        store.write([hall(SystemClock().now_us())])
    while store.maintain(deadline_s=10):
        pass
    store.close()
    database.close()
    return key_file.read_text().strip()


def keys(server: CloudServer, admin: str) -> Sequence[str]:
    """Return a key for each user."""
    user = User(server.url, admin)
    found = []
    for number in range(USERS):
        status, body = user.ask(Question("key", "POST", "/keys", {"name": f"user {number}", "scopes": SCOPES}))
        assert status == 201, body
        found.append(str(json.loads(body)["key"]))
    user.close()
    return found


def senders(seconds: float) -> list[Sender]:
    """Return gateways with readings for so long, which take turns."""
    rng = np.random.default_rng(SEED)
    each = int(READINGS_PER_S * seconds / PER_FRAME / GATEWAYS) + 1
    start_us = time.time_ns() // 1000 - each * POLLS * PERIOD_US
    return [Sender(f"gw-{n}", make_frames(f"gw-{n}", each, start_us, rng), n / GATEWAYS) for n in range(GATEWAYS)]


def rows_ms(user: User, rows: int, times: int = 20) -> list[float]:
    """Return how long `/devices` took with so many rows, one answer after the other."""
    took = []
    for _ in range(times + 2):
        begun_s = time.monotonic()
        status, body = user.ask(Question("devices", "GET", f"/devices?limit={rows}"))
        took.append((time.monotonic() - begun_s) * 1e3)
        assert status == 200, body
        assert len(json.loads(body)) == rows
    return took[2:]


def measure(directory: Path, *, seconds: float, processes: int) -> tuple[list[Figure], Counter[str]]:
    """Ask a new cloud for so long, and return what was measured and what was refused."""
    with Broker(directory / "broker") as broker:
        server = CloudServer(
            directory, mqtt=f"mqtt: {{port: {broker.port}}}\n", extra=EXTRA.format(processes=processes)
        )
        admin = fill(server)
        with server:
            users = [User(server.url, key) for key in keys(server, admin)]
            loader = Loader(broker.port, senders(WARM_S + seconds + 20))
            wait_until(loader.say_hello)
            pace = READINGS_PER_S / PER_FRAME / GATEWAYS
            ingest = threading.Thread(target=loader.run, kwargs={"seconds": WARM_S + seconds + 20, "per_s": pace})
            ingest.start()
            crowd = Crowd(users)
            crowd.run(WARM_S + seconds)
            few, many = rows_ms(users[0], 100), rows_ms(users[0], DEVICES)
            ingest.join()
            loader.close()
            for user in users:
                user.close()
    return [*asked(crowd), *lists(few, many)], crowd.refused


def asked(crowd: Crowd) -> list[Figure]:
    """Return median and 99th percentile of each operation, and of all."""
    everything = [one for took in crowd.took_ms.values() for one in took]
    found = [
        Figure("all ten, p50", statistics.median(everything), "ms"),
        Figure("all ten, p99", float(np.percentile(everything, 99)), "ms", P99_MS),
        Figure("the first 15 s, p99", float(np.percentile(crowd.first_ms, 99)), "ms"),
    ]
    for name, took in crowd.took_ms.items():
        found.append(Figure(f"{name}, p50", statistics.median(took), "ms"))
        found.append(Figure(f"{name}, p99", float(np.percentile(took, 99)), "ms", P99_MS))
    return [*found, Figure("requests that were no 2xx", float(crowd.refused.total()), "", Target(0))]


def lists(few: Sequence[float], many: Sequence[float]) -> list[Figure]:
    """Return how long lists take with the number of their rows."""
    ratio = statistics.median(many) / statistics.median(few)
    return [
        Figure("devices, 100 rows, p50", statistics.median(few), "ms"),
        Figure("devices, 1,000 rows, p50", statistics.median(many), "ms"),
        Figure("devices, 1,000 rows, slowest", max(many), "ms", MANY_MS),
        Figure("1,000 rows to 100 rows", ratio, "x"),
    ]


def main() -> None:
    """Parse the command line, measure and print; end with 1 where an answer was no 2xx."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=1, help="of the API; several need a proxy for Socket.IO")
    parser.add_argument("--report", type=Path)
    wishes = parser.parse_args()
    with TemporaryDirectory() as directory:
        found, refused = measure(Path(directory), seconds=wishes.seconds, processes=wishes.processes)
    title = f"{PER_S:g} requests/s of {USERS} users, {wishes.processes} API processes, {READINGS_PER_S:,} readings/s"
    say(table(title, found))
    for what, count in refused.most_common(20):
        say(f"{count} x {what}")
    if wishes.report:
        save(wishes.report, found)
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
