"""/scaling and the forecasts of services: documented shapes, rights, bounds, and what planned events do to them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NoReturn
from uuid import UUID

import httpx
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from cloud.analysis.load_foretelling import LoadForeteller
from cloud.domain.load import MINUTE_US, Service
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.working import open_chores
from tests.support.cloud import Cloud
from tests.support.pools import fill_load

URL = "/api/v1/scaling"
MANUAL = {"service_name": "api", "target_instances": 1, "reason": "Preparing for scheduled maintenance"}
Floats = NDArray[np.float64]


def never_learned(rows: Floats, target: Floats) -> NoReturn:
    raise AssertionError(f"two days are too few to learn from {len(rows)} rows and {len(target)} targets")


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give an administrator's client."""
    async with cloud.client(Scope.ADMIN) as made:
        yield made


def foretold(cloud: Cloud, *, days: float = 2.2) -> None:
    """Let ingest have two days of load, with noise, and foretell it."""
    minute = cloud.clock.now_us() // MINUTE_US
    count = int(days * 1440)
    noise = np.random.default_rng(1).normal(100.0, 5.0, count)
    fill_load(cloud.api.records, Service.INGEST, dict(zip(range(minute - count, minute), noise.tolist(), strict=True)))
    LoadForeteller(cloud.api.records, cloud.clock, never_learned).look()


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_status_shows_the_first_service_and_all_of_them(client: httpx.AsyncClient, prefix: str) -> None:
    found = (await client.get(f"{prefix}/scaling/status")).json()
    assert [one["service_name"] for one in found["services"]] == ["ingest", "inference", "jobs", "api"]
    assert found["service_name"] == "ingest"
    assert (found["current_instances"], found["desired_instances"], found["min_instances"]) == (1, 1, 1)
    assert (found["status"], found["last_scaling_action"]) == ("stable", None)
    assert 0 <= found["cpu_utilization"] <= 1
    assert 0 < found["memory_utilization"] <= 1
    chosen = (await client.get(f"{prefix}/scaling/status", params={"service": "jobs"})).json()
    assert chosen["service_name"] == "jobs"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_manual_decision_is_pending_and_then_in_the_list(client: httpx.AsyncClient, prefix: str) -> None:
    answer = await client.post(f"{prefix}/scaling/manual", json=MANUAL)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["message"]) == ("pending", "Manual scaling request submitted")
    listed = await client.get(f"{prefix}/scaling/decisions", params={"service": "api", "status": "pending"})
    (shown,) = listed.json()["decisions"]
    assert (shown["id"], shown["reasoning"], shown["verification"]) == (told["decision_id"], MANUAL["reason"], None)
    assert shown["triggered_by"]["trigger"] == "manual"
    assert (listed.json()["count"], listed.headers["X-Total-Count"]) == (1, "1")
    assert UUID(shown["id"])
    assert (await client.get(f"{prefix}/scaling/decisions", params={"status": "executed"})).json()["decisions"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"target_instances": 0}, 422),
        ({"target_instances": 65}, 422),
        ({"target_instances": -1}, 422),
        ({"target_instances": 1.5}, 422),
        ({"target_instances": "many"}, 422),
        ({"service_name": "billing"}, 404),
        ({"service_name": "../api"}, 404),
        ({"service_name": ""}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x" * 501}, 422),
        ({"force": True}, 422),
    ],
)
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_what_cannot_be_is_refused_and_not_kept(
    client: httpx.AsyncClient, change: dict[str, Any], status: int, prefix: str
) -> None:
    answer = await client.post(f"{prefix}/scaling/manual", json=MANUAL | change)
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["error"], dict if prefix == "/api/v1" else str)
    assert (await client.get(f"{prefix}/scaling/decisions")).json()["count"] == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/status?service=billing", 404),
        ("/decisions?service=billing", 404),
        ("/decisions?status=done", 422),
        ("/decisions?limit=0", 422),
        ("/decisions?limit=100000", 422),
    ],
)
async def test_questions_that_make_no_sense_are_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(f"{URL}{path}")).status_code == status


async def test_only_administrators_scale(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ, Scope.DEVICES_WRITE, Scope.EVENTS_WRITE) as operator:
        assert (await operator.post(f"{URL}/manual", json=MANUAL)).status_code == 403
        assert (await operator.get(f"{URL}/status")).status_code == 200
    async with cloud.client(Scope.DATA_READ) as reader:
        assert (await reader.get(f"{URL}/status")).status_code == 403
        assert (await reader.get(f"{URL}/decisions")).status_code == 403


async def test_without_a_supervisor_the_worker_says_why_it_failed(client: httpx.AsyncClient, cloud: Cloud) -> None:
    await client.post(f"{URL}/manual", json=MANUAL)
    chores, close = open_chores(cloud.settings, cloud.clock)
    next(one for one in chores if one.name == "scaling").do()
    close()
    (shown,) = (await client.get(f"{URL}/decisions")).json()["decisions"]
    assert (shown["status"], "no supervisor" in shown["problem"]) == ("failed", True)


async def test_services_are_foretold_in_order_and_in_the_documented_shape(
    client: httpx.AsyncClient, cloud: Cloud
) -> None:
    foretold(cloud)
    found = (await client.get("/api/v1/predictions/current", params={"service": "ingest"})).json()
    shown = {one["horizon_type"]: one for one in found["predictions"]}
    assert {name: one["horizon_minutes"] for name, one in shown.items()} == {"short": 15, "medium": 60, "long": 1440}
    for one in shown.values():
        names = ("prediction_p1", "prediction_p10", "prediction_p50", "prediction_p90", "prediction_p99")
        quantiles = [one[name] for name in names]
        assert quantiles == sorted(quantiles)
        assert quantiles[0] >= 0
        assert (one["service_name"], one["calibrated"], one["confidence_score"]) == ("ingest", False, None)
    assert 80 < shown["short"]["prediction_p50"] < 120
    only = (await client.get("/api/v1/predictions/current", params={"service": "ingest", "horizon": "long"})).json()
    assert [one["horizon_minutes"] for one in only["predictions"]] == [1440]


async def test_a_cancelled_event_leaves_forecasts_as_if_it_had_never_been(
    client: httpx.AsyncClient, cloud: Cloud
) -> None:
    async def medium() -> float:
        found = await client.get("/api/v1/predictions/current", params={"service": "ingest", "horizon": "medium"})
        return float(found.json()["predictions"][0]["prediction_p90"])

    foretold(cloud)
    plain = await medium()
    now = to_datetime(cloud.clock.now_us())
    event = {
        "event_type": "line_startup",
        "name": "Line 3",
        "start_time": (now + timedelta(minutes=30)).isoformat(),
        "end_time": (now + timedelta(minutes=90)).isoformat(),
        "expected_impact_multiplier": 2.5,
    }
    made = (await client.post("/api/v1/events", json=event)).json()
    assert await medium() == pytest.approx(2.5 * plain)
    cloud.clock.ahead_s = 1000.0
    LoadForeteller(cloud.api.records, cloud.clock, never_learned).foretell(Service.INGEST, [60])
    assert await medium() > 2 * plain
    await client.delete(f"/api/v1/events/{made['id']}")
    LoadForeteller(cloud.api.records, cloud.clock, never_learned).foretell(Service.INGEST, [60])
    assert 0.8 * plain < await medium() < 1.2 * plain


async def test_an_event_of_a_site_without_devices_changes_nothing(client: httpx.AsyncClient, cloud: Cloud) -> None:
    foretold(cloud)
    url, asked = "/api/v1/predictions/current", {"service": "ingest", "horizon": "medium"}
    before = (await client.get(url, params=asked)).json()["predictions"]
    now = to_datetime(cloud.clock.now_us())
    event = {
        "event_type": "line_startup",
        "name": "Line 3",
        "start_time": now.isoformat(),
        "end_time": (now + timedelta(hours=3)).isoformat(),
        "metadata": {"site": "nowhere"},
    }
    assert (await client.post("/api/v1/events", json=event)).status_code == 201
    assert (await client.get(url, params=asked)).json()["predictions"] == before


async def test_history_holds_what_came_and_its_error(client: httpx.AsyncClient, cloud: Cloud) -> None:
    foretold(cloud)
    asked = {"service": "ingest", "limit": "5"}
    waiting = (await client.get("/api/v1/predictions/history", params=asked)).json()
    assert {one["actual_value"] for one in waiting["predictions"]} == {None}
    cloud.clock.ahead_s = 20 * 60.0
    minute = cloud.clock.now_us() // MINUTE_US
    fill_load(cloud.api.records, Service.INGEST, dict.fromkeys(range(minute - 20, minute), 90.0))
    LoadForeteller(cloud.api.records, cloud.clock, never_learned).look()
    found = (await client.get("/api/v1/predictions/history", params=asked)).json()
    (joined,) = [one for one in found["predictions"] if one["actual_value"] is not None]
    assert (joined["horizon_minutes"], joined["actual_value"]) == (15, 90.0)
    assert joined["error_percentage"] == pytest.approx(abs(joined["predicted_value"] - 90) / 90 * 100)
    assert UUID(joined["id"])
    accuracy = (await client.get("/api/v1/metrics/accuracy", params={"window": "24h", "service": "ingest"})).json()
    assert (accuracy["sample_count"], accuracy["accuracy"]["short_term"]["r2"]) == (1, None)


async def test_a_range_that_ends_before_it_begins_is_refused(client: httpx.AsyncClient) -> None:
    dates = {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"}
    assert (await client.get("/api/v1/predictions/history", params=dates)).status_code == 422
    assert (await client.get("/api/v1/predictions/current", params={"service": "billing"})).status_code == 404
