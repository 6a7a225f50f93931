"""Real processes: ingest grows from one to two and shrinks again under load through a real broker; nothing is lost."""

import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from protocols.batch import Key
from protocols.codec import pack, seal_data, seal_tags
from protocols.delivery import Hello, encode
from protocols.topics import GatewayTopic
from tests.support.batches import START_US, block, tag_table
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.gateway import GatewayClient
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(420)]
EPOCH = 77
GATEWAYS = ("gw-1", "gw-2")
READINGS = 4
"""One of each Tag, so that none takes the place of another."""
IN_FLIGHT = 30
DEADLINE_S = 60.0
SCALED_S = 120.0
"""For a process more or less: one of the api takes seconds of a core before it serves."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a broker."""
    with Broker(tmp_path / "broker") as started:
        yield started


@pytest.fixture
def server(broker: Broker, tmp_path: Path) -> Iterator[CloudServer]:
    """Give a cloud whose services may have two instances each, and that changes nothing by itself."""
    bounds = "".join(f"{{service: {name}, most: 2}}, " for name in ("ingest", "jobs", "api"))
    extra = f"scaling: {{automatic: false, instances: [{bounds}]}}\nlimits: {{profile: high}}\n"
    directory = tmp_path / "cloud"
    directory.mkdir()
    with CloudServer(directory, mqtt=f"mqtt: {{port: {broker.port}}}\n", extra=extra) as started:
        yield started


class Sender:
    """A gateway that sends numbered batches until told to stop, and sends again what nobody acknowledged."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self.sent = 1
        self._thread = threading.Thread(target=self._run, name=gateway.name, daemon=True)

    def start(self) -> None:
        """Say hello, tell the tags, and begin."""
        self._gateway.publish(GatewayTopic.HELLO, encode(Hello(1, "1", (), START_US, 0, 0)))
        self._send(1)
        self._thread.start()

    def stop(self) -> None:
        """Send no new ones."""
        self._stop.set()
        self._thread.join(DEADLINE_S)

    def missing(self) -> set[int]:
        """Return which batches are not acknowledged as durable."""
        marks = [one for ack in tuple(self._gateway.acks[-400:]) for one in ack.epochs if one.epoch == EPOCH]
        return {seq for seq in range(1, self.sent + 1) if not any(one.covers(seq) for one in marks)}

    def send_again(self) -> bool:
        """Send what is missing once more; return whether nothing is."""
        missing = self.missing()
        for seq in sorted(missing):
            self._send(seq)
        return not missing

    def _run(self) -> None:
        while not self._stop.is_set():
            if self.sent - self._settled() < IN_FLIGHT:
                self.sent += 1
                self._send(self.sent)
            else:
                self._stop.wait(0.002)

    def _settled(self) -> int:
        marks = [one for one in (self._gateway.ack.epochs if self._gateway.acks else ()) if one.epoch == EPOCH]
        return max((one.c for one in marks), default=0)

    def _send(self, seq: int) -> None:
        table = tag_table()
        sealed = (
            seal_tags(table, segment=0)
            if seq == 1
            else seal_data(
                block(range(READINGS), at_us=START_US + seq * 1_000_000, tags=4), segment=0, table=table.hash
            )
        )
        self._gateway.publish(GatewayTopic.DATA, pack(sealed, gateway=self._gateway.name, key=Key(EPOCH, seq)))


@pytest.fixture
def operator(server: CloudServer) -> Iterator["Operator"]:
    """Give an administrator."""
    made = Operator(server)
    yield made
    made.close()


class Operator:
    """An administrator at the REST API."""

    def __init__(self, server: CloudServer) -> None:
        self._http = httpx.Client(base_url=server.url, headers={"X-API-Key": server.key(Scope.ADMIN)}, timeout=20)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def standing(self, service: str) -> dict[str, Any]:
        """Return where a service stands."""
        answer = self._http.get("/api/v1/scaling/status", params={"service": service})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def scale(self, service: str, instances: int) -> None:
        """Want so many instances, and wait until they serve."""
        body = {"service_name": service, "target_instances": instances, "reason": "a test"}
        answer = self._http.post("/api/v1/scaling/manual", json=body)
        assert answer.status_code == 200, answer.text
        self.wait_for(service, instances)

    def wait_for(self, service: str, instances: int) -> None:
        """Return once so many instances serve; asks seldom, since each question takes the processes' own cores."""
        is_so = partial(self._has, service, instances)
        wait_until(is_so, deadline_s=SCALED_S, every_s=0.25)

    def _has(self, service: str, instances: int) -> bool:
        return bool(self.standing(service)["current_instances"] == instances)

    def decisions(self, service: str) -> list[dict[str, Any]]:
        """Return what was decided, the newest first."""
        found: list[dict[str, Any]] = self._http.get("/api/v1/scaling/decisions", params={"service": service}).json()[
            "decisions"
        ]
        return found

    def readings(self) -> dict[str, int]:
        """Return what the ingest process counted of readings and of messages that others handed it."""
        lines = self._http.get("/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if line.startswith("lineside_ingest"))
        return {name: int(float(value)) for name, _, value in pairs if "seconds" not in name}


def test_one_two_one_ingest_processes_under_load_lose_nothing(broker: Broker, operator: Operator) -> None:
    with GatewayClient(broker.port, GATEWAYS[0]) as one, GatewayClient(broker.port, GATEWAYS[1]) as two:
        senders = [Sender(one), Sender(two)]
        for sender in senders:
            sender.start()
        wait_until(lambda: all(sender.sent > 100 for sender in senders), deadline_s=DEADLINE_S)
        operator.scale("ingest", 2)
        handed = 'lineside_ingest_mqtt_total{outcome="handed"}'
        wait_until(lambda: operator.readings().get(handed, 0) > 200, deadline_s=DEADLINE_S)
        operator.scale("ingest", 1)
        before = [sender.sent for sender in senders]
        wait_until(
            lambda: all(now.sent > then + 200 for now, then in zip(senders, before, strict=True)),
            deadline_s=DEADLINE_S,
        )
        for sender in senders:
            sender.stop()
        wait_until(lambda: all(sender.send_again() for sender in senders), deadline_s=DEADLINE_S, every_s=1.0)
        expected = sum((sender.sent - 1) * READINGS for sender in senders)
    assert operator.readings()['lineside_ingest_readings_total{outcome="stored"}'] == expected
    assert [found["status"] for found in operator.decisions("ingest")] == ["executed", "executed"]


def test_a_killed_process_takes_the_growth_back(server: CloudServer, operator: Operator) -> None:
    operator.scale("jobs", 2)
    operator.scale("api", 2)
    assert set(server.wait_until_ready()["children"]) >= {"ingest", "api", "worker", "jobs-2", "api-2"}
    os.kill(server.wait_until_ready()["children"]["jobs-2"], signal.SIGKILL)
    wait_until(lambda: operator.decisions("jobs")[0]["status"] == "rolled_back", deadline_s=180.0, every_s=1.0)
    newest = operator.decisions("jobs")[0]
    assert (newest["verification"]["status"], "died" in newest["problem"]) == ("failed", True)
    operator.wait_for("jobs", 1)
    wait_until(lambda: "jobs-2" not in server.wait_until_ready()["children"], deadline_s=DEADLINE_S)
