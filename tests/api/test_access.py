"""Who may call what: credentials, and every scope against every route."""

import itertools
from datetime import timedelta

import httpx
import pytest

from cloud.domain.scopes import SCOPES, Scope
from cloud.domain.times import to_datetime
from tests.support.cloud import Cloud

READING = {"sensor_id": "T", "value": 1.5, "sensor_type": "temperature"}
ROUTES: dict[tuple[str, str], Scope] = {
    ("POST", "/data/ingest"): Scope.DATA_INGEST,
    ("GET", "/devices"): Scope.DATA_READ,
    ("GET", "/devices/x"): Scope.DATA_READ,
    ("GET", "/historical_data?device_id=x"): Scope.DATA_READ,
    ("GET", "/gateways"): Scope.GATEWAYS_READ,
    ("GET", "/gateways/x"): Scope.GATEWAYS_READ,
    ("GET", "/alerts"): Scope.ALARMS_READ,
    ("GET", "/alerts/x"): Scope.ALARMS_READ,
    ("POST", "/alerts/acknowledge"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/acknowledge/x"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/acknowledge"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/shelve"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/unshelve"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/clear"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/out-of-service"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/return-to-service"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/assign"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/comments"): Scope.ALARMS_WRITE,
    ("POST", "/alerts/x/label"): Scope.ALARMS_WRITE,
    ("GET", "/alarm-rules"): Scope.ALARMS_READ,
    ("GET", "/alarm-rules/1"): Scope.ALARMS_READ,
    ("POST", "/alarm-rules"): Scope.ALARMS_WRITE,
    ("PUT", "/alarm-rules/1"): Scope.ALARMS_WRITE,
    ("DELETE", "/alarm-rules/1"): Scope.ALARMS_WRITE,
    ("GET", "/labels"): Scope.ALARMS_READ,
    ("POST", "/labels"): Scope.ALARMS_WRITE,
    ("POST", "/labels/import"): Scope.ALARMS_WRITE,
    ("DELETE", "/labels/1"): Scope.ALARMS_WRITE,
}
PREFIXES = ("/api/v1", "/api")


async def call(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    return await client.request(method, path, json=READING if method == "POST" else None)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_opens_exactly_the_routes_of_its_scope(cloud: Cloud, scope: Scope) -> None:
    async with cloud.client(scope) as client:
        for (method, path), needed in ROUTES.items():
            for prefix in PREFIXES:
                answer = await call(client, method, prefix + path)
                is_open = scope in (needed, Scope.ADMIN)
                assert (answer.status_code in (200, 404, 422)) == is_open, f"{scope} {prefix}{path}: {answer.text}"
                assert is_open or answer.status_code == 403
                assert is_open or answer.json()["error_code"] == "MISSING_SCOPE"


async def test_without_a_key_every_route_is_401_and_says_how_to_come_in(cloud: Cloud) -> None:
    async with cloud.client() as client:
        for (method, path), prefix in itertools.product(ROUTES, PREFIXES):
            answer = await call(client, method, prefix + path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_may_come_as_a_bearer_token(cloud: Cloud) -> None:
    key = cloud.key(Scope.DATA_READ)
    async with cloud.client() as client:
        answer = await client.get("/api/v1/devices", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "lsk_nope_nope"},
        {"X-API-Key": "x" * 5000},
        {"X-API-Key": "' or 1=1 --"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nope"},
    ],
)
async def test_wrong_credentials_are_401(cloud: Cloud, headers: dict[str, str]) -> None:
    async with cloud.client() as client:
        assert (await client.get("/api/v1/devices", headers=headers)).status_code == 401


async def test_an_expired_and_a_revoked_key_are_401_and_say_which(cloud: Cloud) -> None:
    keys = cloud.api.services.keys
    ends = to_datetime(cloud.clock.now_us()) + timedelta(minutes=1)
    expiring, _ = keys.create("guest", [Scope.DATA_READ], by="test", expires_at=ends)
    revoked, _ = keys.create("gone", [Scope.DATA_READ], by="test")
    keys.revoke(revoked.prefix, by="test")
    async with cloud.client() as client:
        before = await client.get("/api/v1/devices", headers={"X-API-Key": str(expiring)})
        cloud.clock.ahead_s = 61
        after = await client.get("/api/v1/devices", headers={"X-API-Key": str(expiring)})
        gone = await client.get("/api/v1/devices", headers={"X-API-Key": str(revoked)})
    assert before.status_code == 200
    assert (after.status_code, after.json()["error_code"]) == (401, "EXPIRED_API_KEY")
    assert (gone.status_code, gone.json()["error_code"]) == (401, "REVOKED_API_KEY")


def test_every_scope_says_what_it_allows() -> None:
    assert set(SCOPES) == set(Scope)
    assert all(SCOPES.values())
