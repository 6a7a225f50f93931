"""Retention as an operator sets it: by series, in the configuration, from the next start on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.api import RestApi
from tests.support.cloud import CloudServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

RULES = 'store: {retention_days: 90, retention: [{device: "archive-*", days: null}, {tag: "vib*", days: 10}]}\n'


def send(api: RestApi, device: str, tag: str, days_ago: float) -> None:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    body = {"sensor_id": device, "sensor_type": tag, "value": days_ago, "timestamp": at.isoformat()}
    assert api.http.post("/api/v1/data/ingest", json=body).status_code == 200


def left(api: RestApi, device: str, tag: str) -> list[float]:
    found = api.get("/historical_data", device_id=device, metric=tag, hours=24 * 300)
    return [] if not found else list(found["values"])


def test_each_series_is_given_up_by_its_own_rule(tmp_path: Path) -> None:
    server = CloudServer(tmp_path)
    with server, RestApi(server) as api:
        for device in ("pump-1", "archive-1"):
            for tag in ("temperature", "vibration"):
                for days_ago in (200.0, 40.0, 1.0):
                    send(api, device, tag, days_ago)
        assert left(api, "pump-1", "vibration") == [200.0, 40.0, 1.0]
        assert server.stop() == 0
    server.config.write_text(server.config.read_text() + RULES)
    with server, RestApi(server) as api:
        wait_until(lambda: left(api, "pump-1", "temperature") == [40.0, 1.0])
        wait_until(lambda: left(api, "pump-1", "vibration") == [1.0])
        assert left(api, "archive-1", "temperature") == left(api, "archive-1", "vibration") == [200.0, 40.0, 1.0]
