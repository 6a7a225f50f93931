"""The cloud's disk fills up: nothing more is acknowledged, it says so, and with room again nothing is missing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from protocols.reading import ReadingBlock
from tests.support.api import RestApi
from tests.support.batches import START_US, block, tag_table
from tests.support.broker import Broker
from tests.support.cloud import CloudServer
from tests.support.edge_line import EdgeLine
from tests.support.waiting import until

pytestmark = pytest.mark.slow

POLLS, TAGS = 250, 1000
READINGS = POLLS * TAGS
FULL = "store: {max_size_mib: 1, minimum_free: 0}\n"
ROOMY = "store: {max_size_mib: 64, minimum_free: 0}\n"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as started:
        yield started


def noise() -> Iterator[ReadingBlock]:
    """Yield readings that no compression makes smaller than the full disk."""
    chance = np.random.default_rng(1)
    for at in range(POLLS):
        yield block(chance.normal(size=TAGS), at_us=START_US + at * 1_000_000, tags=TAGS)


def send(api: RestApi, value: float) -> httpx.Response:
    body = {"sensor_id": "T", "value": value, "sensor_type": "temperature"}
    return api.http.post("/api/v1/data/ingest", json=body)


def health(api: RestApi) -> tuple[str, set[str]]:
    found = api.http.get("/health/detailed").json()
    return found["status"], set(found["alarms"])


async def everything_delivered(line: EdgeLine) -> None:
    async with asyncio.timeout(60):
        while (await line.buffer.ledger()).batches_waiting:  # noqa: ASYNC110 the far side tells nobody
            await asyncio.sleep(0.05)


async def test_a_full_cloud_stops_acknowledging_says_so_and_loses_nothing(tmp_path: Path, broker: Broker) -> None:
    mqtt = f"mqtt: {{port: {broker.port}}}\n"
    line = EdgeLine(tmp_path / "edge", broker.port, tag_table(TAGS), max_unsealed_s=0.0)
    line.start()
    server = CloudServer(tmp_path, mqtt=mqtt, extra=FULL)
    with server, RestApi(server) as api:
        assert send(api, 1.5).status_code == 200
        for part in noise():
            line.sealer.accept(part)
        await until(lambda: health(api) == ("degraded", {"disk_full", "store_takes_nothing"}))
        refused = send(api, 2.5)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert "Retry-After" in refused.headers
        account = api.account("gw-1")
        assert 0 < account["stored"] < READINGS
        assert account["lost"] == 0
        assert api.values("T", "temperature") == [1.5]
        assert (await line.buffer.ledger()).batches_waiting > 0
        assert server.stop() == 0
    server.config.write_text(server.config.read_text().replace(FULL, ROOMY))
    broker.restart()  # so that the gateway asks at once; else it would when its timers end
    with server, RestApi(server) as api:
        await everything_delivered(line)
        account = api.account("gw-1")
        assert account["made"] == account["stored"]
        assert account["lost"] == account["replaced"] == account["duplicates"] == account["dropped"] == 0
        assert health(api) == ("healthy", set())
        assert send(api, 2.5).status_code == 200
    await line.stop()
