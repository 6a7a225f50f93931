"""Learning on a real cloud: a file becomes a model; a killed job and a killed worker change nothing."""

import os
import signal
from pathlib import Path

import httpx
import numpy as np
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import CloudServer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.loop]


def table(n: int) -> bytes:
    rng = np.random.default_rng(9)
    rows = rng.normal(size=(n, 6))
    lines = [",".join([*(f"{one:.5f}" for one in row), "yes" if row[:2].sum() > 0.5 else "no"]) for row in rows]
    return ("a,b,c,d,e,f,fails\n" + "\n".join(lines) + "\n").encode()


def job_processes() -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"cloud.processes.job" in path.read_bytes():
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def client_of(server: CloudServer) -> httpx.Client:
    key = server.key(Scope.LEARNING_READ, Scope.LEARNING_WRITE, Scope.MODELS_READ)
    return httpx.Client(base_url=f"{server.url}/api/v1", headers={"X-API-Key": key}, timeout=60)


def begin(client: httpx.Client, data: bytes, **more: object) -> str:
    file_id = client.post("/upload", files={"file": ("bearings.csv", data)}).json()["file_id"]
    asked = client.post("/train", json={"file_id": file_id, "model_name": "bearings", **more})
    assert asked.status_code == 202, asked.text
    return str(asked.json()["job_id"])


def state(client: httpx.Client, job_id: str) -> str:
    return str(client.get(f"/jobs/{job_id}").json()["state"])


def test_a_file_becomes_a_model_and_killing_a_job_or_its_worker_changes_nothing(tmp_path: Path) -> None:
    server = CloudServer(tmp_path)
    server.run("init")
    slow = {"settings": {"trees": 5000, "leaves": 1024, "min_rows_a_leaf": 1, "bins": 8191}}
    with server, client_of(server) as client:
        before = job_processes()
        quick = begin(client, table(400))
        wait_until(lambda: state(client, quick) == "succeeded", deadline_s=60)
        done = client.get(f"/training/{quick}").json()
        assert done["metrics"]["accuracy"] > 0.8
        killed = begin(client, table(20_000), **slow)
        wait_until(lambda: state(client, killed) == "running", deadline_s=60)
        (child,) = wait_for_child(before)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: state(client, killed) == "failed", deadline_s=60)
        assert client.get(f"/jobs/{killed}").json()["error"]["reason"] == "killed"
        orphan = begin(client, table(20_000), **slow)
        wait_until(lambda: state(client, orphan) == "running", deadline_s=60)
        (child,) = wait_for_child(before)
        os.kill(server.facts["children"]["worker"], signal.SIGKILL)
        wait_until(lambda: child not in job_processes(), deadline_s=60)
        wait_until(lambda: state(client, orphan) == "failed", deadline_s=60)
        assert client.get(f"/jobs/{orphan}").json()["error"]["reason"] == "worker_died"
        cut = begin(client, table(20_000), training_params={"max_training_time": 3}, **slow)
        wait_until(lambda: state(client, cut) == "failed", deadline_s=60)
        assert client.get(f"/training/{cut}").json()["code"] == "TRAINING_FAILED"
        after = begin(client, table(400))
        wait_until(lambda: state(client, after) == "succeeded", deadline_s=60)
        versions = [client.get(f"/jobs/{one}").json()["result"]["version"] for one in (quick, after)]
    assert versions == [1, 2]


def wait_for_child(before: set[int]) -> set[int]:
    wait_until(lambda: job_processes() - before, deadline_s=60)
    return job_processes() - before
