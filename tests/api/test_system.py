"""GET /, /metrics and the pages that explain the API."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud


async def test_the_root_says_who_is_here(cloud: Cloud) -> None:
    async with cloud.client() as client:
        body = (await client.get("/")).json()
    assert body["name"] == "Lineside"
    assert set(body) == {"name", "version", "message"}


@pytest.mark.parametrize(
    ("accept", "status"),
    [("text/html,application/xhtml+xml,*/*;q=0.8", 307), ("application/json, text/html", 200), ("*/*", 200)],
)
async def test_a_browser_is_sent_to_a_page_for_people(cloud: Cloud, accept: str, status: int) -> None:
    async with cloud.client() as client:
        answer = await client.get("/", headers={"Accept": accept})
    assert answer.status_code == status
    assert status == 200 or answer.headers["Location"] in ("/ui/", "/docs")


async def test_the_metrics_parse_and_count_by_route_and_never_by_path(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        for number in range(3):
            await client.get(f"/api/v1/devices/nobody-{number}")
        await client.get("/nowhere/at/all")
        await client.get("/health")
        answer = await client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    counted = {
        (sample.labels["handler"], sample.labels["status"]): sample.value
        for sample in families["http_requests"].samples
        if sample.name == "http_requests_total"
    }
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert counted["/api/v1/devices/{device_id}", "404"] == 3
    assert counted["unmatched", "404"] == 1
    assert counted["/health", "200"] == 1
    assert {"http_request_duration_seconds", "python_gc_objects_collected", "python_gc_collections"} <= set(families)
    assert {"process_cpu_seconds", "lineside_readings", "lineside_ingest_up"} <= set(families)


async def test_the_metrics_show_what_ingest_counts(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        body = {"sensor_id": "T", "value": 1.5, "sensor_type": "temperature"}
        await client.post("/api/v1/data/ingest", json=body)
        text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["lineside_readings"].samples[0].value == 1
    assert any(name.startswith("lineside_ingest_") for name in set(families) - {"lineside_ingest_up"})


async def test_the_metrics_survive_the_loss_of_ingest(cloud: Cloud) -> None:
    await cloud.end_ingest()
    async with cloud.client() as client:
        text = (await client.get("/metrics")).text
    assert "lineside_ingest_up 0.0" in text


async def test_the_metrics_can_ask_for_a_key(template: Template, tmp_path: Path) -> None:
    async with running_cloud(template, tmp_path, api={"metrics_require_key": True}) as cloud:
        async with cloud.client() as client:
            assert (await client.get("/metrics")).status_code == 401
        async with cloud.client(Scope.DATA_READ) as client:
            assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_of_the_documents_loads_everything_from_here(cloud: Cloud, page: str) -> None:
    async with cloud.client() as client:
        answer = await client.get(page)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "http" not in re.sub(r"http-equiv", "", answer.text)
        assets = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        assert len(assets) >= 3
        for asset in assets:
            found = await client.get(asset)
            assert found.status_code == 200
            assert len(found.content) > 50
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "<script>" not in answer.text


async def test_an_asset_that_is_not_there_is_404_and_nothing_else_is_served(cloud: Cloud) -> None:
    async with cloud.client() as client:
        for name in ("nothing.js", "..%2f..%2fcore.py", "__init__.py"):
            assert (await client.get(f"/docs/assets/{name}")).status_code == 404


async def test_the_documents_have_other_homes(cloud: Cloud) -> None:
    async with cloud.client() as client:
        assert (await client.get("/api/docs")).headers["Location"] == "/docs"
        assert "/api/v1/devices" in (await client.get("/openapi.json")).json()["paths"]
        assert "/api/devices" in (await client.get("/api/openapi.json")).json()["paths"]


async def test_the_documents_can_be_turned_off(template: Template, tmp_path: Path) -> None:
    async with running_cloud(template, tmp_path, api={"docs": False}) as cloud, cloud.client() as client:
        assert [(await client.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3
