"""From an event on the wire to an alarm in the API, through the real processes, whatever is killed meanwhile."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from protocols.delivery import encode
from protocols.topics import GatewayTopic
from tests.support.alarms import anomaly, opened
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.gateway import GatewayClient
from tests.support.ingest import EPOCH, hello
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
FLOOD = 5000
AT_ONCE = 500
"""Half of what waits before ingest lets go of messages, which gateways send again and the one here does not."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CloudServer]:
    with Broker(tmp_path / "broker") as broker:
        mqtt = f"mqtt: {{host: 127.0.0.1, port: {broker.port}}}\n"
        with CloudServer(tmp_path, mqtt=mqtt) as started:
            yield started


@pytest.fixture
def client(server: CloudServer) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": server.key(Scope.ALARMS_READ, Scope.ALARMS_WRITE)}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as made:
        yield made


@pytest.fixture
def gateway(server: CloudServer) -> Iterator[GatewayClient]:
    port = int(server.config.read_text().split("port: ")[2].split("}")[0])
    with GatewayClient(port) as made:

        def answered() -> bool:
            made.publish(GatewayTopic.HELLO, encode(hello(5)))
            return any(ack.nonce == 5 for ack in tuple(made.acks))

        wait_until(answered)
        yield made


def alerts(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 of any type
    answer = client.get("/api/v1/alerts", params=query)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def total(client: httpx.Client) -> int:
    return int(client.get("/api/v1/alerts", params={"limit": 1}).headers["X-Total-Count"])


def test_an_alarm_is_there_soon_after_its_event_even_among_5000(gateway: GatewayClient, client: httpx.Client) -> None:
    for seq in range(1, FLOOD + 1):
        gateway.publish(GatewayTopic.DATA, opened(seq, anomaly(f"e-{seq}", device=f"pump-{seq}")))
        if seq % AT_ONCE == 0:
            wait_until(lambda seq=seq: gateway.settled(EPOCH, seq))  # type: ignore[misc]
    wait_until(lambda: total(client) == FLOOD, deadline_s=60)
    took_s = []
    for seq in range(FLOOD + 1, FLOOD + 6):
        began_s = time.monotonic()
        gateway.publish(GatewayTopic.DATA, opened(seq, anomaly(f"e-{seq}", device=f"late-{seq}")))
        wait_until(lambda wanted=f"late-{seq}": alerts(client, limit=1)[0]["device_id"] == wanted)  # type: ignore[misc]
        took_s.append(time.monotonic() - began_s)
    print("from event to alert, in seconds:", [round(one, 3) for one in took_s])  # noqa: T201 a figure for people
    assert [one["occurrences"] for one in alerts(client, limit=5)] == [1] * 5


def test_a_worker_that_is_killed_again_and_again_counts_each_event_once(
    server: CloudServer, gateway: GatewayClient, client: httpx.Client
) -> None:
    facts = server.facts
    for seq in range(1, 301):
        gateway.publish(GatewayTopic.DATA, opened(seq, anomaly(f"e-{seq}", device=f"pump-{seq % 3}")))
        if seq % 100 == 0:
            os.kill(facts["children"]["worker"], signal.SIGKILL)
            facts = server.wait_until_ready(unlike=facts)
    wait_until(lambda: gateway.settled(EPOCH, 300))
    wait_until(lambda: sum(one["occurrences"] for one in alerts(client)) >= 300)
    assert sorted((one["device_id"], one["occurrences"]) for one in alerts(client)) == [
        (f"pump-{number}", 100) for number in range(3)
    ]
