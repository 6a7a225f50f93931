"""The frame around every request: ids, error bodies by prefix, bounds, hosts, headers, envelope."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from cloud.app import web
from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ALWAYS = {"detail", "error_code", "errors", "timestamp", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/devices", 401),
        ("DELETE", "/health", 405),
        ("POST", "/api/v1/data/ingest", 401),
        ("GET", "/api/v1/historical_data?hours=x", 401),
    ],
)
async def test_every_answer_carries_the_callers_request_id(cloud: Cloud, method: str, path: str, status: int) -> None:
    async with cloud.client() as client:
        answer = await client.request(method, path, headers={"X-Request-ID": "test-trace-123"})
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] == "test-trace-123"


async def test_a_request_without_an_id_gets_a_uuid4(cloud: Cloud) -> None:
    async with cloud.client() as client:
        answers = [await client.get("/nowhere") for _ in range(2)]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert all(UUID4.fullmatch(one) for one in ids)
    assert ids[0] != ids[1]
    assert answers[0].json()["request_id"] == ids[0]


@pytest.mark.parametrize("wrong", ["a b", "x" * 129, 'a"b', "a\\b", "<script>"])
async def test_an_id_that_could_harm_a_log_is_replaced(cloud: Cloud, wrong: str) -> None:
    async with cloud.client() as client:
        answer = await client.get("/health/live", headers={"X-Request-ID": wrong})
    assert UUID4.fullmatch(answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1/devices", "/api/v1/devices/nobody"])
async def test_under_v1_and_at_the_root_an_error_is_an_object(cloud: Cloud, path: str) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.get(path)
    body = answer.json()
    assert set(body) == ALWAYS | {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"] == body["detail"]
    assert body["timestamp"].endswith("Z")


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/devices", "/api/devices/nobody", "/api"])
async def test_under_api_an_error_is_a_text_with_details_and_a_code(cloud: Cloud, path: str) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        body = (await client.get(path)).json()
    assert set(body) == ALWAYS | {"error", "details", "code"}
    assert all(isinstance(body[name], str) for name in ("error", "details", "code", "detail"))
    assert body["code"] == body["error_code"]


async def test_a_validation_error_names_each_field_in_both_forms(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        query = {"device_id": "x", "hours": "x", "limit": "y"}
        v1 = (await client.get("/api/v1/historical_data", params=query)).json()
        plain = (await client.get("/api/historical_data", params=query)).json()
    assert v1["detail"] == plain["detail"] == "Validation error"
    assert [error["field"] for error in v1["errors"]] == ["hours", "limit"]
    assert [error["value"] for error in v1["errors"]] == ["x", "y"]
    assert (v1["error"]["code"], plain["code"]) == ("VALIDATION_ERROR", "INVALID_PARAMETERS")


async def test_a_body_over_the_bound_is_413_whether_announced_or_not(cloud: Cloud) -> None:
    async def chunks() -> Any:  # noqa: ANN401 an iterator of bytes
        for _ in range(3):
            yield b" " * 500_000

    headers = {"Content-Type": "application/json"}
    async with cloud.client(Scope.DATA_INGEST) as client:
        announced = await client.post("/api/v1/data/ingest", content=b" " * 1_500_000, headers=headers)
        streamed = await client.post("/api/v1/data/ingest", content=chunks(), headers=headers)
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.json()["error_code"] == streamed.json()["error_code"] == "FILE_TOO_LARGE"
    assert "X-Request-ID" in streamed.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000"])
async def test_a_foreign_host_name_is_refused(cloud: Cloud, host: str) -> None:
    async with cloud.client() as client:
        answer = await client.get("/health", headers={"Host": host})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "UNKNOWN_HOST")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]:9", "192.168.1.5"])
async def test_our_own_names_and_ip_numbers_are_served(cloud: Cloud, host: str) -> None:
    async with cloud.client() as client:
        assert (await client.get("/health/live", headers={"Host": host})).status_code == 200


async def test_configured_names_are_served(template: Template, tmp_path: Path) -> None:
    async with (
        running_cloud(template, tmp_path, api={"allowed_hosts": ["plant.example"]}) as cloud,
        cloud.client() as client,
    ):
        assert (await client.get("/health/live", headers={"Host": "plant.example"})).status_code == 200


async def test_every_answer_carries_the_security_headers(cloud: Cloud) -> None:
    async with cloud.client() as client:
        for path in ("/", "/nowhere", "/api/v1/devices", "/docs"):
            headers = (await client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "server" not in headers


@pytest.mark.parametrize(
    "way", [{"params": {"envelope": "true"}}, {"headers": {"Accept": "application/json;profile=envelope"}}]
)
async def test_an_answer_is_wrapped_for_who_asks(cloud: Cloud, way: dict[str, Any]) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        wrapped = await client.get("/api/v1/devices", **way)
        bare = await client.get("/api/v1/devices")
    assert wrapped.json()["data"] == bare.json() == []
    assert wrapped.json()["meta"]["request_id"] == wrapped.headers["X-Request-ID"]
    assert wrapped.headers["X-Total-Count"] == "0"


async def test_errors_and_texts_are_not_wrapped(cloud: Cloud) -> None:
    async with cloud.client() as client:
        refused = await client.get("/api/v1/devices?envelope=true")
        text = await client.get("/metrics?envelope=true")
    assert "error" in refused.json()
    assert text.text.startswith("#")


async def test_a_crash_is_a_500_that_tells_nothing_and_is_logged_with_its_id(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.api.services.registry.all = None  # type: ignore[assignment, method-assign]  # what a mistake of ours would do
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get("/api/v1/devices", headers={"X-Request-ID": "crash-1"})
    assert answer.status_code == 500
    assert answer.json()["error"] == {"code": "INTERNAL_ERROR", "message": "something went wrong inside", "details": {}}
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "crash-1"
    assert "a request failed" in caplog.text


async def test_a_wrong_method_says_which_are_right(cloud: Cloud) -> None:
    async with cloud.client() as client:
        answer = await client.post("/health")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json()["error_code"] == "METHOD_NOT_ALLOWED"


async def test_a_path_with_several_methods_names_them_all(cloud: Cloud) -> None:
    async with cloud.client() as client:
        answer = await client.post("/api/admin/log-level")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT, DELETE")
        for path, item in web(version("lineside"), docs=True).openapi()["paths"].items():
            allowed = (await client.options(path)).headers["Allow"].split(", ")
            assert {one.upper() for one in item} == set(allowed), path


async def test_no_answer_repeats_a_secret(cloud: Cloud) -> None:
    secret = "lsk_abcd_" + "f" * 64
    async with cloud.client() as client:
        answers = [
            await client.get("/api/v1/devices", headers={"X-API-Key": secret}),
            await client.get("/api/v1/devices", headers={"Authorization": f"Bearer {secret}"}),
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all(secret not in json.dumps(dict(answer.headers)) + answer.text for answer in answers)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "labels/import", "POST"),
        ("DELETE", "datasets/from-readings", "POST"),
        ("PATCH", "users/invites", "GET, POST"),
        ("GET", "alerts/bulk", "POST"),
        ("POST", "alerts/rate", "GET"),
    ],
)
@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
async def test_a_path_of_its_own_is_no_id_for_a_method_that_it_lacks(
    cloud: Cloud, method: str, path: str, allowed: str, prefix: str
) -> None:
    async with cloud.client(*Scope) as client:
        answer = await client.request(method, f"{prefix}/{path}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json()["error_code"] == "METHOD_NOT_ALLOWED"
