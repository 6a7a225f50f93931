"""Two real API processes on one socket: a key counts in both, and so does a limit."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import CloudServer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(300)]
TWO = "scaling: {automatic: false, instances: [{service: api, most: 2}]}\nlimits: {profile: documented}\n"
READING = {"sensor_id": "T1", "sensor_type": "temperature", "value": 21.5, "unit": "celsius"}


def ask(server: CloudServer, key: str, call: dict[str, Any]) -> httpx.Response:
    """Ask over a connection of its own, which either process may accept."""
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"X-API-Key": key}, timeout=60) as client:
        return client.request(**call)


def all_at_once(server: CloudServer, key: str, calls: list[dict[str, Any]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda call: ask(server, key, call), calls))


def test_what_is_repeated_to_another_process_is_done_once_and_limits_are_counted_together(tmp_path: Path) -> None:
    server = CloudServer(tmp_path, extra=TWO)
    server.run("init")
    with server:
        admin = server.key(Scope.ADMIN)
        wanted = {"service_name": "api", "target_instances": 2, "reason": "test"}
        assert ask(server, admin, {"method": "POST", "url": "/scaling/manual", "json": wanted}).is_success
        wait_until(lambda: current_instances(server, admin) == 2, deadline_s=90)

        sender = server.key(Scope.DATA_INGEST, Scope.DATA_READ)
        one = {"method": "POST", "url": "/data/ingest", "json": READING, "headers": {"Idempotency-Key": "k-1"}}
        answers = all_at_once(server, sender, [one] * 40)
        assert Counter(answer.json()["status"] for answer in answers) == {"event_published": 1, "duplicate_ignored": 39}
        assert len({answer.json()["event_id"] for answer in answers}) == 1
        values = ask(server, sender, {"method": "GET", "url": "/historical_data", "params": {"device_id": "T1"}})
        assert values.json()["values"] == [21.5]

        checker = server.key(Scope.ML_DRIFT)
        body = {"sensor_id": "T1", "window_minutes": 60, "p_value_threshold": 0.05, "min_samples": 30}
        check = {"method": "POST", "url": "/ml/check_drift", "json": body}
        statuses = Counter(answer.status_code for answer in all_at_once(server, checker, [check] * 20))
        assert statuses == {200: 10, 429: 10}


def current_instances(server: CloudServer, key: str) -> int:
    answer = ask(server, key, {"method": "GET", "url": "/scaling/status", "params": {"service": "api"}})
    return int(answer.json().get("current_instances", 0))
