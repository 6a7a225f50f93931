"""A whole cloud killed in the middle of everything: what was begun is there afterwards, and comes to its end."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import CloudServer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(300)]
READING = {"sensor_id": "TEMP_1", "sensor_type": "temperature", "value": 99.0, "unit": "celsius"}
RULE = {
    "name": "hot",
    "kind": "limit",
    "device_id": "TEMP_1",
    "tag": "temperature",
    "high": 50.0,
    "severity": "critical",
}
TOLD = {"alarm.raised", "alarm.acknowledged", "decision.request"}


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is told; refuses until it is let in."""

    heard: list[dict[str, Any]]
    lets_in: threading.Event

    def do_POST(self) -> None:
        """Take one delivery."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.lets_in.is_set():
            self.heard.append(body)
        self.send_response(204 if self.lets_in.is_set() else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    """Serve on a free port of loopback."""
    kind = type("Own", (Receiver,), {"heard": [], "lets_in": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook", kind
    server.shutdown()
    server.server_close()
    thread.join()


def kill_all(server: CloudServer) -> None:
    """Kill the supervisor and every child at once."""
    for pid in (server.process.pid, *server.facts["children"].values()):
        os.kill(pid, signal.SIGKILL)
    server.process.wait(10)
    server.ready_file.unlink(missing_ok=True)


def rows(n: int) -> bytes:
    return b"x,y,fails\n" + b"".join(f"{k % 7},{k % 11},{'yes' if k % 7 > 4 else 'no'}\n".encode() for k in range(n))


def test_what_was_begun_before_every_process_was_killed_is_finished_afterwards(tmp_path: Path) -> None:
    server = CloudServer(tmp_path)
    server.run("init")
    with receiver() as (url, heard), server:
        headers = {"X-API-Key": server.key(Scope.ADMIN)}
        client = httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)
        ok(client.put("/settings", json={"webhooks": {"allowPrivate": True}}))
        ok(client.post("/webhooks", json={"name": "mine", "url": url}))
        key = ok(client.post("/keys", json={"name": "robot", "scopes": ["data:read"]}))
        ok(client.post("/data/ingest", json=READING))
        ok(client.post("/alarm-rules", json=RULE))
        wait_until(lambda: len(client.get("/alerts").json()) == 1, deadline_s=30)
        alarm = client.get("/alerts").json()[0]["id"]
        ok(client.post(f"/alerts/acknowledge/{alarm}"))
        decided = {"request_id": "req_1", "decision": "approve", "justification": "hot", "operator_id": "anna"}
        ok(client.post("/decisions/submit", json=decided))
        file_id = ok(client.post("/upload", files={"file": ("r.csv", rows(500))}))["file_id"]
        job = ok(client.post("/train", json={"file_id": file_id, "model_name": "m"}))["job_id"]
        kill_all(server)
        client.close()

        server.start()
        heard.lets_in.set()
        client = httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)
        wait_until(lambda: client.get(f"/jobs/{job}").json()["state"] in ("succeeded", "failed"), deadline_s=90)
        assert client.get("/alerts").json()[0]["acknowledged"] is True
        assert client.get("/decisions/req_1").json()["state"] == "approved"
        with httpx.Client(base_url=client.base_url, headers={"X-API-Key": key["key"]}) as robot:
            assert robot.get("/devices").status_code == 200
        wait_until(lambda: replayed(client) | {one["event_type"] for one in heard.heard} >= TOLD, deadline_s=90)
        after = ok(client.post("/train", json={"file_id": file_id, "model_name": "m"}))["job_id"]
        wait_until(lambda: client.get(f"/jobs/{after}").json()["state"] == "succeeded", deadline_s=90)
        client.close()


def replayed(client: httpx.Client) -> set[str]:
    """Send again what was given up while the receiver refused; nothing is heard of it here."""
    for letter in client.get("/admin/dlq").raise_for_status().json():
        client.post(f"/admin/dlq/{letter['id']}/replay")
    return set()


def ok(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of an answer that must be good."""
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body
