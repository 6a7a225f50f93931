"""GET /status, /system_metrics, /performance/metrics, /metrics with a credential, and the log level."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cloud.domain.circuit import FAILURES_TO_OPEN, Circuit
from cloud.domain.load import Service
from cloud.domain.scaling import Count
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.records.circuits import put_circuit
from cloud.records.scaling import count_up
from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.redis import RedisServer

PLACES = ("/api", "/api/v1")


@pytest.mark.parametrize("place", PLACES)
async def test_the_status_is_the_documented_one(cloud: Cloud, place: str) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        body = (await client.get(f"{place}/status")).json()
    assert (body["status"], body["models_count"], body["active_jobs"]) == ("operational", 0, 0)
    assert re.fullmatch(r"\d+\.\d MB", body["storage_used"])
    assert float(body["storage_used"].split()[0]) > 0
    assert re.fullmatch(r"\d{1,3}%", body["cpu_usage"])
    assert re.fullmatch(r"[1-9]\d?%", body["memory_usage"])
    assert re.fullmatch(r"00:00:\d\d", body["uptime"])


async def test_the_uptime_counts_days(cloud: Cloud) -> None:
    cloud.clock.ahead_s += 2 * 86_400 + 14 * 3600 + 23 * 60 + 45
    async with cloud.client(Scope.SYSTEM_READ) as client:
        uptime = (await client.get("/api/status")).json()["uptime"]
    assert re.fullmatch(r"2 days 14:23:[45]\d", uptime)


@pytest.mark.parametrize("place", PLACES)
async def test_the_figures_of_the_machine_are_shares_and_whether_parts_are_there(cloud: Cloud, place: str) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        answer = await client.get(f"{place}/system_metrics")
    body = answer.json()
    assert all(0 <= body[name] <= 100 for name in ("cpu_percent", "memory_percent", "disk_percent"))
    assert (body["active_connections"], body["cache_available"], body["database_available"]) == (0, True, True)
    assert (body["celery_available"], body["workers_alive"]) == (True, 1)
    assert body["process_memory_bytes"] > 1e7
    assert answer.headers["X-RateLimit-Limit"] == "120"


async def test_without_a_worker_jobs_wait_and_the_figures_say_so(cloud: Cloud) -> None:
    cloud.clock.ahead_s += 60
    async with cloud.client(Scope.SYSTEM_READ) as client:
        figures = (await client.get("/api/system_metrics")).json()
        health = (await client.get("/health")).json()
    assert (figures["celery_available"], figures["workers_alive"]) == (False, 0)
    assert (health["status"], health["components"]["workers"]) == ("degraded", "degraded")


@pytest.mark.parametrize("place", PLACES)
async def test_the_performance_is_that_of_what_was_asked(cloud: Cloud, place: str) -> None:
    async with cloud.client(Scope.SYSTEM_READ, Scope.DATA_READ) as client:
        for _ in range(4):
            await client.get("/api/v1/devices")
        body = (await client.get(f"{place}/performance/metrics")).json()
    assert (body["total_requests"], body["active_requests"], body["error_rate_percent"]) == (4, 1, 0)
    assert body["average_response_time_ms"] > 0
    assert body["memory_usage_mb"] > 10
    assert body["cache_hit_rate_percent"] > 50
    (route,) = body["slow_routes"]
    assert (route["method"], route["handler"], route["count"]) == ("GET", "/api/v1/devices", 4)
    assert route["longest_ms"] >= route["average_ms"] > 0
    assert body["slow_queries"]
    assert all(query["count"] >= 1 for query in body["slow_queries"])


async def test_a_crash_is_in_the_error_rate(cloud: Cloud) -> None:
    cloud.api.services.registry.all = None  # type: ignore[assignment, method-assign]  # what a mistake of ours would do
    async with cloud.client(Scope.SYSTEM_READ, Scope.DATA_READ) as client:
        for path in ("/api/v1/devices", "/nowhere"):
            await client.get(path)
        body = (await client.get("/api/performance/metrics?limit=1")).json()
    assert (body["total_requests"], body["error_rate_percent"]) == (2, 50.0)
    assert len(body["slow_routes"]) == len(body["slow_queries"]) == 1


@pytest.mark.parametrize("path", ["/status", "/system_metrics", "/performance/metrics", "/metrics"])
async def test_the_views_need_the_right_to_read_the_system(cloud: Cloud, path: str) -> None:
    async with cloud.client() as nobody, cloud.client(Scope.DATA_READ) as other:
        assert (await nobody.get(f"/api/v1{path}")).status_code == 401
        assert (await other.get(f"/api{path}")).status_code == 403


async def test_prometheus_reads_what_forecasts_and_scaling_counted_in_any_process(cloud: Cloud) -> None:
    with cloud.api.records.writing() as session:
        count_up(
            session,
            [
                Count("predictions_generated", Service.INGEST.value, "short", 15234),
                Count("scaling_decisions", Service.INGEST.value, "scale_up", 42),
                Count("prediction_latency", "", "0.05", 2),
                Count("prediction_latency", "", "0.1", 3),
                Count("prediction_latency", "", "count", 4),
                Count("prediction_latency", "", "sum", 7.5),
            ],
        )
        at = to_datetime(cloud.clock.now_us())
        circuit = Circuit("http://hook.example")
        for _ in range(FAILURES_TO_OPEN):
            circuit = circuit.failed(at)
        put_circuit(session, circuit)
    async with cloud.client(Scope.SYSTEM_READ) as client:
        answer = await client.get("/api/v1/metrics")
        root = await client.get("/metrics")
    assert answer.headers["X-RateLimit-Limit"] == "10"
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    for text in (answer.text, root.text):
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples["predictions_generated_total", "ingest", "short"] == 15234
        assert samples["scaling_decisions_total", "ingest", "scale_up"] == 42
        assert samples["prediction_latency_seconds_bucket", "0.05"] == 2
        assert samples["prediction_latency_seconds_bucket", "0.1"] == 3
        assert samples["prediction_latency_seconds_bucket", "+Inf"] == samples["prediction_latency_seconds_count",] == 4
        assert samples["prediction_latency_seconds_sum",] == 7.5
        assert samples["circuit_state", "http://hook.example"] == 1.0


async def test_the_circuits_are_in_the_details_and_their_targets_only_for_callers_with_a_key(cloud: Cloud) -> None:
    with cloud.api.records.writing() as session:
        circuit = Circuit("http://hook.example", 5, to_datetime(cloud.clock.now_us() + 30_000_000))
        put_circuit(session, circuit)
    async with cloud.client() as client:
        stranger = (await client.get("/health/detailed")).json()["components"]["circuits"]
    async with cloud.client(Scope.DATA_READ) as client:
        friend = (await client.get("/health/detailed")).json()["components"]["circuits"]
    assert stranger == {"status": "healthy", "details": {"open": 1}}
    assert friend["details"]["targets"] == {"http://hook.example": "open"}


async def test_the_details_have_the_documented_shape(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        await client.get("/api/devices")
        await client.get("/api/devices")
        parts = (await client.get("/api/health/detailed")).json()["components"]
    assert re.fullmatch(r"\d+/\d+ active", parts["database"]["details"]["connection_pool"])
    assert parts["database"]["details"]["response_time_ms"] > 0
    assert re.fullmatch(r"\d+\.\dMB", parts["cache"]["details"]["memory_usage"])
    assert re.fullmatch(r"[1-9]\d?%", parts["cache"]["details"]["hit_rate"])
    assert parts["broker"]["status"] == "not_configured"


async def test_with_redis_its_own_figures_are_shown_and_its_loss_degrades(template: Template, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        async with (
            running_cloud(template, tmp_path, redis={"url": server.url}) as cloud,
            cloud.client(Scope.DATA_READ) as client,
        ):
            limited = await client.get("/api/devices")
            up = (await client.get("/health/redis")).json()
            friend = (await client.get("/health/detailed")).json()["components"]["cache"]["details"]
            server.kill()
            down = await client.get("/health/redis")
            health = await client.get("/health")
            still = await client.get("/api/devices")
    assert limited.headers["X-RateLimit-Remaining"] == "119"
    assert up == {"status": "healthy", "info": {"mode": "standalone"}}
    assert friend["mode"] == "standalone"
    assert float(friend["memory_usage"].removesuffix("MB")) > 0
    assert friend["version"]
    assert (down.status_code, down.json()["status"]) == (503, "unhealthy")
    assert (health.status_code, health.json()["status"], health.json()["redis"]) == (200, "degraded", "error")
    assert still.status_code == 200


@pytest.mark.parametrize("place", PLACES)
async def test_an_operator_changes_the_log_level_and_takes_it_back(cloud: Cloud, place: str) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        before = (await client.get(f"{place}/admin/log-level")).json()
        changed = (await client.put(f"{place}/admin/log-level", json={"level": "debug"})).json()
        file = cloud.settings.log_level_path.read_text()
        restored = (await client.delete(f"{place}/admin/log-level")).json()
    assert before == restored == {"level": "info", "configured": "info", "changed": False}
    assert changed == {"level": "debug", "configured": "info", "changed": True}
    assert file == "debug"
    assert not cloud.settings.log_level_path.exists()


@pytest.mark.parametrize("body", [{}, {"level": "loud"}, {"level": "debug", "x": 1}, {"level": "../../etc"}, [1]])
async def test_a_level_that_is_none_changes_nothing(cloud: Cloud, body: object) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        refused = await client.put("/api/v1/admin/log-level", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert not cloud.settings.log_level_path.exists()


async def test_only_administrators_change_the_log_level(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as client:
        assert (await client.put("/api/v1/admin/log-level", json={"level": "debug"})).status_code == 403
        assert (await client.get("/api/v1/admin/log-level")).status_code == 403
