"""`lineside-cloud serve` as real processes: kept alive, stopped in order, never left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import CloudServer

BODY = {"sensor_id": "T", "value": 1.5, "sensor_type": "temperature"}


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[CloudServer]:
    """Give a server of its own to a test that ends it."""
    with CloudServer(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudServer]:
    """Give one server to all tests that leave it alive."""
    with CloudServer(tmp_path_factory.mktemp("cloud")) as made:
        yield made


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def post(url: str, key: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/api/v1/data/ingest", json=BODY, headers={"X-API-Key": key, **headers}, timeout=60)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_reading_goes_in_and_comes_out_over_real_sockets_and_logs_are_json(own_server: CloudServer) -> None:
    key = own_server.key(Scope.DATA_INGEST, Scope.DATA_READ)
    answer = post(own_server.url, key, **{"X-Request-ID": "follow-me"})
    assert answer.status_code == 200, answer.text
    query = {"device_id": "T"}
    found = httpx.get(
        f"{own_server.url}/api/historical_data", params=query, headers={"X-API-Key": key}, timeout=60
    ).json()
    assert found["values"] == [1.5]
    assert own_server.stop() == 0
    lines = [json.loads(line) for line in own_server.log.read_text().splitlines() if line.startswith("{")]
    followed = [line["logger"] for line in lines if line.get("request_id") == "follow-me"]
    assert {"cloud.api.middleware", "cloud.ingest.door"} <= set(followed)
    assert not own_server.ready_file.exists()


def test_a_killed_api_is_started_again_on_the_same_port(server: CloudServer) -> None:
    before = server.facts
    os.kill(before["children"]["api"], signal.SIGKILL)
    after = server.wait_until_ready(unlike=before)
    assert after["api"] == before["api"]
    assert httpx.get(f"{after['api']}/health", timeout=60).json()["status"] == "healthy"


def test_a_killed_ingest_is_started_again_and_takes_readings(server: CloudServer) -> None:
    key = server.key(Scope.DATA_INGEST)
    assert post(server.url, key).status_code == 200
    before = server.facts
    os.kill(before["children"]["ingest"], signal.SIGKILL)
    server.wait_until_ready(unlike=before)
    assert post(server.url, key).status_code == 200


def test_children_end_when_their_supervisor_is_killed(own_server: CloudServer) -> None:
    children = own_server.facts["children"]
    own_server.process.kill()
    own_server.process.wait(10)
    until(lambda: all(is_gone(pid) for pid in children.values()))


def test_two_api_processes_share_idempotency(server: CloudServer) -> None:
    key = server.key(Scope.DATA_INGEST, Scope.DATA_READ)
    command = [sys.executable, "-m", "cloud.cli", "serve", "--only", "api", "--config", str(server.config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
        assert second.stderr is not None
        ready = next(line for line in second.stderr if '"ready"' in line)
        urls = [server.url, json.loads(ready)["api"]]
        with ThreadPoolExecutor(8) as threads:
            answers = list(
                threads.map(lambda n: post(urls[n % 2], key, **{"Idempotency-Key": "k-1"}).json(), range(16))
            )
        second.terminate()
        with contextlib.suppress(ValueError):
            second.communicate(timeout=30)
    assert len({answer["event_id"] for answer in answers}) == 1
    assert sorted(answer["status"] for answer in answers) == ["duplicate_ignored"] * 15 + ["event_published"]


def test_a_bind_that_others_can_reach_needs_a_key_first(tmp_path: Path) -> None:
    server = CloudServer(tmp_path)
    server.config.write_text("data: data\napi: {host: 0.0.0.0, port: 0}\nmqtt: null\n")
    refused = server.run("serve", check=False)
    assert refused.returncode == 1
    assert "lineside-cloud key create" in refused.stderr


def test_a_second_server_on_the_same_data_is_refused_in_words(server: CloudServer) -> None:
    refused = server.run("serve", check=False)
    assert refused.returncode == 1
    assert "error: " in refused.stderr
    assert "Traceback" not in refused.stderr
