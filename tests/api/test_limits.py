"""Rate limits: each documented one holds, one counter an operation and caller; each answer says where one stands."""

import asyncio
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from cloud.wiring import open_api
from tests.support.cloud import BASE, Cloud, Template, running_cloud

MINUTE, HOUR = 60, 3600
DOCUMENTED = [
    ("POST", "auth/register", 5, HOUR),
    ("POST", "auth/login", 10, MINUTE),
    ("POST", "auth/refresh", 5, MINUTE),
    ("POST", "auth/token", 10, MINUTE),
    ("GET", "auth/me", 120, MINUTE),
    ("GET", "dashboard", 60, MINUTE),
    ("GET", "devices", 120, MINUTE),
    ("GET", "devices/pump-1", 120, MINUTE),
    ("GET", "alerts", 120, MINUTE),
    ("POST", "alerts/acknowledge/nobody", 30, MINUTE),
    ("GET", "predictions", 60, MINUTE),
    ("GET", "health_scores", 60, MINUTE),
    ("GET", "recommendations", 30, MINUTE),
    ("GET", "system_metrics", 120, MINUTE),
    ("GET", "historical_data", 60, MINUTE),
    ("POST", "tasks/start_report", 5, HOUR),
    ("GET", "tasks/status/nothing", 60, MINUTE),
    ("GET", "export_data", 10, HOUR),
    ("POST", "ml/check_drift", 10, MINUTE),
    ("GET", "predictions/current", 100, MINUTE),
    ("GET", "predictions/history", 100, MINUTE),
    ("GET", "scaling/status", 100, MINUTE),
    ("GET", "scaling/decisions", 100, MINUTE),
    ("POST", "scaling/manual", 20, MINUTE),
    ("POST", "events", 20, MINUTE),
    ("GET", "events/active", 100, MINUTE),
    ("GET", "metrics", 10, MINUTE),
    ("GET", "metrics/accuracy", 100, MINUTE),
    ("GET", "models", 100, MINUTE),
    ("POST", "models/retrain", 20, MINUTE),
    ("GET", "detectors", 100, MINUTE),
    ("POST", "detectors", 100, MINUTE),
    ("GET", "detectors/nothing", 100, MINUTE),
    ("PUT", "detectors/nothing", 100, MINUTE),
    ("DELETE", "detectors/nothing", 100, MINUTE),
    ("GET", "datasets", 100, MINUTE),
    ("POST", "datasets", 100, MINUTE),
    ("GET", "datasets/nothing", 100, MINUTE),
    ("GET", "datasets/nothing/sample", 100, MINUTE),
    ("DELETE", "datasets/nothing", 100, MINUTE),
    ("POST", "detection/train", 100, MINUTE),
    ("POST", "detection/predict", 100, MINUTE),
    ("POST", "detection/explain", 100, MINUTE),
    ("GET", "experiments", 100, MINUTE),
    ("POST", "experiments", 100, MINUTE),
    ("GET", "performance/metrics", 100, MINUTE),
]
OPEN_PAGES = {"auth/register", "auth/login", "auth/refresh", "auth/token"}
SMALL = 30
HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


def standing(answer: httpx.Response) -> tuple[int, int]:
    return int(answer.headers["X-RateLimit-Limit"]), int(answer.headers["X-RateLimit-Remaining"])


@pytest.mark.parametrize(("method", "page", "count", "window_s"), [row for row in DOCUMENTED if row[2] <= SMALL])
async def test_a_documented_limit_holds_for_both_mounts_together_until_its_window_ends(
    cloud: Cloud, method: str, page: str, count: int, window_s: int
) -> None:
    scopes = () if page in OPEN_PAGES else (Scope.GATEWAYS_READ,)
    async with cloud.client(*scopes) as client:
        places = [f"{prefix}/{page}" for prefix in ("/api", "/api/v1")]
        answers = [await client.request(method, places[number % 2]) for number in range(count)]
        assert {answer.status_code for answer in answers}.isdisjoint({429, 404, 405})
        assert [standing(answer) for answer in answers] == [(count, left) for left in reversed(range(count))]
        for place in places:
            refused = await client.request(method, place)
            assert (refused.status_code, standing(refused)) == (429, (count, 0))
            assert 1 <= int(refused.headers["Retry-After"]) <= window_s
            resets_s = float(refused.headers["X-RateLimit-Reset"])
            assert math.isclose(resets_s, cloud.clock.now_us() / 1e6 + window_s, abs_tol=window_s / 2)
        cloud.clock.ahead_s += window_s - 3
        assert (await client.request(method, places[0])).status_code == 429
        cloud.clock.ahead_s += 3
        assert standing(await client.request(method, places[0])) == (count, count - 1)


async def test_every_documented_limit_is_told_by_both_mounts_from_one_counter(cloud: Cloud) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        for method, page, count, _ in DOCUMENTED:
            answers = [await client.request(method, f"{prefix}/{page}") for prefix in ("/api", "/api/v1")]
            assert {answer.status_code for answer in answers}.isdisjoint({404, 405}), page
            assert [standing(answer) for answer in answers] == [(count, count - 1), (count, count - 2)], page


async def test_the_largest_limit_bites_at_the_request_after_the_last(cloud: Cloud) -> None:
    async with cloud.client() as client:
        codes = [(await client.get("/api/auth/me")).status_code for _ in range(121)]
    assert codes == [401] * 120 + [429]


async def test_the_two_mounts_of_an_operation_share_one_counter_and_other_operations_have_their_own(
    cloud: Cloud,
) -> None:
    async with cloud.client(Scope.ML_DRIFT) as client:
        for number in range(10):
            await client.post(f"/api{'/v1' * (number % 2)}/ml/check_drift", json={"sensor_id": "T"})
        refused = [await client.post(f"{place}/ml/check_drift", json={}) for place in ("/api", "/api/v1")]
        other = await client.get("/api/v1/ml/drift_checks")
    assert [answer.status_code for answer in refused] == [429, 429]
    assert refused[1].json()["error"]["code"] == refused[0].json()["code"] == "RATE_LIMITED"
    assert other.status_code == 200


async def test_each_caller_has_a_counter_of_its_own(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as anna, cloud.client(Scope.DATA_READ) as bert:
        for _ in range(3):
            mine = await anna.get("/api/devices")
        assert standing(mine) == (120, 117)
        assert standing(await bert.get("/api/devices")) == (120, 119)
    async with cloud.client() as nobody:
        assert standing(await nobody.get("/api/devices")) == (120, 119)


async def test_who_sends_no_credentials_or_wrong_ones_is_counted_by_address(cloud: Cloud) -> None:
    async with cloud.client() as client:
        answers = [
            await client.get("/api/datasets", headers={"X-API-Key": f"lsk_{number}_wrong"} if number else {})
            for number in range(11)
        ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert standing(answers[0]) == (10, 9)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b'{"sensor_id": 1}', 422), (b'{"sensor_id": "T", "nonsense": 1}', 422), (b"[" * 2000, 422)],
)
async def test_every_answer_of_a_limited_operation_says_where_one_stands(
    cloud: Cloud, content: bytes, status: int
) -> None:
    async with cloud.client(Scope.ML_DRIFT) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post("/api/v1/ml/check_drift", content=content, headers=headers)
    assert answer.status_code in {status, 400}
    assert set(answer.headers) & {name.lower() for name in HEADERS} == {name.lower() for name in HEADERS}


async def test_bodies_that_cannot_be_read_are_counted_too(cloud: Cloud) -> None:
    async with cloud.client(Scope.ML_DRIFT) as client:
        headers = {"Content-Type": "application/json"}
        answers = [await client.post("/api/ml/check_drift", content=b"{", headers=headers) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert "Retry-After" in answers[-1].headers


@pytest.mark.parametrize("path", ["/health", "/api/health", "/api/v1/health/live", "/", "/api/v1/gateways"])
async def test_an_operation_without_a_limit_says_nothing_of_one(cloud: Cloud, path: str) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert not HEADERS & set(answer.headers)


@pytest.mark.parametrize(
    ("limits", "stands"),
    [
        ({"routes": {"list_devices": "2/hour"}}, ("2", "1")),
        ({"profile": "high"}, ("120000", "119999")),
        ({"profile": "off"}, (None, None)),
        ({"routes": {"list_devices": "off"}}, (None, None)),
        ({"profile": "high", "routes": {"list_devices": "2/hour"}}, ("2", "1")),
    ],
)
async def test_the_configuration_changes_limits(
    template: Template, tmp_path: Path, limits: dict[str, Any], stands: tuple[str | None, str | None]
) -> None:
    async with running_cloud(template, tmp_path, limits=limits) as cloud, cloud.client(Scope.DATA_READ) as client:
        headers = (await client.get("/api/v1/devices")).headers
    assert (headers.get("X-RateLimit-Limit"), headers.get("X-RateLimit-Remaining")) == stands


async def test_the_configuration_limits_an_operation_that_no_document_limits(
    template: Template, tmp_path: Path
) -> None:
    limits = {"routes": {"list_gateways": "1/minute"}}
    async with (
        running_cloud(template, tmp_path, limits=limits) as cloud,
        cloud.client(Scope.GATEWAYS_READ) as client,
    ):
        answers = [await client.get("/api/v1/gateways") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_two_processes_of_one_installation_count_together(cloud: Cloud) -> None:
    second = open_api(cloud.settings, cloud.clock)
    key = {"X-API-Key": cloud.key(Scope.ML_DRIFT)}
    places = [httpx.ASGITransport(app) for app in (cloud.api.app, second.app)]
    async with (
        httpx.AsyncClient(transport=places[0], base_url=BASE, headers=key) as one,
        httpx.AsyncClient(transport=places[1], base_url=BASE, headers=key) as other,
    ):
        asked = [client.post("/api/v1/ml/check_drift", json={}) for _ in range(10) for client in (one, other)]
        codes = [answer.status_code for answer in await asyncio.gather(*asked)]
    await second.end()
    second.close()
    assert codes.count(429) == 10
