"""An installation for the console's bench: a thousand devices, five thousand alarms, fifty machines at ten hertz."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import numpy as np

from cloud.clock import SystemClock
from cloud.config import load_settings
from cloud.ports import Arrival
from cloud.processes.ingest import open_readings
from cloud.storage.chunks.store import ChunkStore
from protocols.anomaly import OPENED, Anomaly, AnomalySource
from protocols.codec import seal_data, seal_event, seal_tags
from protocols.delivery import encode
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from protocols.topics import GatewayTopic
from tests.bench.api import hall
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.gateway import GatewayClient
from tests.support.ingest import EPOCH, frame, hello
from tests.support.waiting import wait_until

PASSWORD = "correct-horse-battery-7"  # noqa: S105 - of a user that lives as long as a bench
PERSON = ("olaf", PASSWORD)
ALARMS, AT_ONCE = 5000, 500
FAST, PERIOD_S = 50, 0.1
LONG, ROWS = "long-1", 20_000
EXTRA = "limits: {profile: high}\nstore: {minimum_free: 0.005}\n"


def fast_table() -> TagTable:
    """Return the machines that are read ten times a second."""
    devices = tuple(DeviceInfo(f"fast-{number}", "pump", f"Fast {number}", "Hall 2") for number in range(FAST))
    tags = tuple(TagInfo(n, "flow", Kind.FLOAT, "l/min", period_s=PERIOD_S, is_primary=True) for n in range(FAST))
    return TagTable(devices, tags)


def long_past(now_us: int) -> Arrival:
    """Return 20,000 readings of one machine, one a second."""
    times = now_us - 1_000_000 * np.arange(ROWS, 0, -1, dtype=np.int64)
    values = 50 + np.cumsum(np.random.default_rng(7).normal(0, 0.1, ROWS))
    column = Column(Kind.FLOAT, np.zeros(ROWS, np.uint32), times, values, np.zeros(ROWS, np.uint8))
    tags = (TagInfo(0, "flow", Kind.FLOAT, "l/min", period_s=1.0, is_primary=True),)
    return Arrival("gw-hall", TagTable((DeviceInfo(LONG, "pump", "Long", "Hall 1"),), tags), ReadingBlock((column,)))


class BusyPlant:
    """A real cloud over real stores, and gateways made by hand. A context manager.

    workers: how many processes of the API there are.
    """

    def __init__(self, directory: Path, *, workers: int = 1) -> None:
        self._directory = directory
        api = f"{{service: api, least: {workers}, most: {workers}}}"
        self._extra = f"{EXTRA}scaling: {{automatic: false, instances: [{api}]}}\n"
        self._stack = ExitStack()
        self._quiet = threading.Event()
        self._pulse: threading.Thread | None = None
        self._seq = {"gw-alarms": 0, "gw-fast": 0}

    def __enter__(self) -> Self:
        broker = self._stack.enter_context(Broker(self._directory))
        self.server = CloudServer(self._directory, mqtt=f"mqtt: {{port: {broker.port}}}\n", extra=self._extra)
        key_file = self._directory / "first-key"
        self.server.run("init", "--key-file", str(key_file))
        self._write_past()
        self._stack.enter_context(self.server)
        headers = {"X-API-Key": key_file.read_text().strip()}
        self.http = self._stack.enter_context(httpx.Client(base_url=self.server.url, headers=headers, timeout=60))
        body = {"username": PERSON[0], "email": "o@plant.example", "password": PASSWORD, "role": "operator"}
        self.http.post("/api/v1/users", json=body).raise_for_status()
        self._alarming = self._stack.enter_context(GatewayClient(broker.port, "gw-alarms"))
        self._fast = self._stack.enter_context(GatewayClient(broker.port, "gw-fast"))
        for gateway in (self._alarming, self._fast):
            wait_until(lambda gateway=gateway: self._is_answered(gateway), every_s=0.2)  # type: ignore[misc]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()
        self._stack.close()

    def flood(self) -> None:
        """Raise five thousand alarms, one a device, a thousand of which are known, and wait until all are there."""
        for number in range(ALARMS):
            self.alarm(f"machine-{number}")
            seq = self._seq["gw-alarms"]
            if seq % AT_ONCE == 0:
                wait_until(lambda seq=seq: self._alarming.settled(EPOCH, seq))  # type: ignore[misc]
        wait_until(lambda: self.alarms() >= ALARMS, deadline_s=180, every_s=0.2)

    def alarm(self, device: str, channel: str = "flow") -> None:
        """Say as a gateway that a device is unlike itself, now."""
        now_us = time.time_ns() // 1000
        seq = self._next("gw-alarms")
        found = Anomaly(
            episode=f"e-{seq}", source=AnomalySource.MODEL, device=device, channel=channel, shares=((channel, 0.7),),
            score=0.93, peak=0.93, onset_us=now_us - 1_000_000, at_us=now_us, model="own@3", limit="",
        )  # fmt: skip
        sealed = seal_event(found.event(OPENED), segment=0)
        self._alarming.publish(GatewayTopic.DATA, frame(sealed, seq, gateway="gw-alarms"))

    def alarms(self) -> int:
        """Return how many alarms there are."""
        return int(self.http.get("/api/v1/alerts", params={"limit": 1}).headers["X-Total-Count"])

    def beat(self) -> None:
        """Begin to send a reading of each fast machine every tenth of a second, stamped with the moment it is sent."""
        names = fast_table()
        table = seal_tags(names, segment=0)
        self._fast.publish(GatewayTopic.DATA, frame(table, self._next("gw-fast"), gateway="gw-fast"))
        self._pulse = threading.Thread(target=self._beat, args=(names.hash,), name="pulse", daemon=True)
        self._pulse.start()

    def rest(self) -> None:
        """Send no more of them."""
        self._quiet.set()
        if self._pulse is not None:
            self._pulse.join()

    def _beat(self, table: str) -> None:
        due_s = time.monotonic()
        while not self._quiet.is_set():
            now_us = time.time_ns() // 1000
            column = Column(
                Kind.FLOAT, np.arange(FAST, dtype=np.uint32), np.full(FAST, now_us, np.int64),
                50 + np.sin(now_us / 1e6 + np.arange(FAST)), np.zeros(FAST, np.uint8),
            )  # fmt: skip
            sealed = seal_data(ReadingBlock((column,)), segment=0, table=table)
            self._fast.publish(GatewayTopic.DATA, frame(sealed, self._next("gw-fast"), gateway="gw-fast"))
            due_s += PERIOD_S
            self._quiet.wait(max(0.0, due_s - time.monotonic()))

    def _next(self, gateway: str) -> int:
        self._seq[gateway] += 1
        return self._seq[gateway]

    def _is_answered(self, gateway: GatewayClient) -> bool:
        gateway.publish(GatewayTopic.HELLO, encode(hello(5)))
        return any(ack.nonce == 5 for ack in tuple(gateway.acks))

    def _write_past(self) -> None:
        database = open_readings(load_settings(self.server.config))
        store = ChunkStore(database, SystemClock())
        now_us = SystemClock().now_us()
        with store.transaction():
            store.write([hall(now_us), long_past(now_us)])
        while store.maintain(deadline_s=10):
            pass
        store.close()
        database.close()
