"""GET /health and its parts, well and not well."""

import re
from pathlib import Path

import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud

PLACES = ("", "/api", "/api/v1")


@pytest.mark.parametrize("place", PLACES)
async def test_all_well_is_the_union_of_the_documented_fields(cloud: Cloud, place: str) -> None:
    async with cloud.client() as client:
        answer = await client.get(f"{place}/health")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["database"], body["redis"]) == ("healthy", "ok", "ok")
    assert isinstance(body["uptime_seconds"], int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", body["timestamp"])
    assert body["components"]["database"] == "healthy"
    assert body["version"]


@pytest.mark.parametrize("place", PLACES)
async def test_the_parts_answer_as_documented(cloud: Cloud, place: str) -> None:
    async with cloud.client() as client:
        assert (await client.get(f"{place}/health/db")).json() == {"db_status": "connected"}
        redis = (await client.get(f"{place}/health/redis")).json()
        assert (redis["status"], redis["info"]["mode"]) == ("healthy", "embedded")
        assert (await client.get(f"{place}/health/live")).json() == {"status": "alive"}


async def test_details_show_each_part_and_private_facts_only_to_callers_with_a_key(cloud: Cloud) -> None:
    async with cloud.client() as client:
        stranger = (await client.get("/health/detailed")).json()
        wrong = await client.get("/health/detailed", headers={"X-API-Key": "lsk_nope_nope"})
    async with cloud.client(Scope.DATA_INGEST) as client:
        friend = (await client.get("/health/detailed")).json()
    assert stranger["components"]["database"]["details"].keys() >= {"connection_pool", "response_time_ms"}
    assert "engine" not in stranger["components"]["database"]["details"]
    assert friend["components"]["database"]["details"]["engine"] == "sqlite"
    assert wrong.status_code == 200
    assert friend["alarms"] == []


async def test_without_ingest_it_is_degraded_and_readable_and_alarms(cloud: Cloud) -> None:
    await cloud.end_ingest()
    async with cloud.client(Scope.ADMIN) as client:
        health = await client.get("/health")
        detailed = (await client.get("/health/detailed")).json()
        devices = await client.get("/api/v1/devices")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["components"]["ingest"] == "degraded"
    assert detailed["alarms"] == ["ingest_down"]
    assert devices.status_code == 200


async def test_without_the_records_it_is_unhealthy_and_503_but_alive(cloud: Cloud) -> None:
    records = cloud.settings.data / "records.db"
    async with cloud.client() as client:
        assert (await client.get("/health")).status_code == 200
        cloud.api.records.close()
        records.unlink()
        records.mkdir()
        health = await client.get("/health")
        database = await client.get("/health/db")
        live = await client.get("/health/live")
    assert (health.status_code, health.json()["status"], health.json()["database"]) == (503, "unhealthy", "error")
    assert (database.status_code, database.json()) == (503, {"db_status": "disconnected"})
    assert live.status_code == 200


async def test_a_full_disk_is_an_alarm_and_refuses_readings_while_reading_goes_on(
    template: Template, tmp_path: Path
) -> None:
    async with (
        running_cloud(template, tmp_path, store={"minimum_free": 0.999}) as cloud,
        cloud.client(Scope.ADMIN) as client,
    ):
        body = {"sensor_id": "T", "value": 1.5, "sensor_type": "temperature"}
        refused = await client.post("/api/v1/data/ingest", json=body)
        health = await client.get("/health")
        detailed = (await client.get("/health/detailed")).json()
        devices = await client.get("/api/v1/devices")
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert health.json()["status"] == "degraded"
    assert "disk_full" in detailed["alarms"]
    assert detailed["components"]["ingest"]["details"]["takes_readings"] is False
    assert devices.status_code == 200
