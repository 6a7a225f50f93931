"""POST /data/ingest: taken once, durable, refused in words."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud

BODY: dict[str, Any] = {"sensor_id": "TEMP_001", "value": 25.5, "sensor_type": "temperature", "unit": "celsius"}
PREFIXES = ("/api/v1", "/api")


def now(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def history(client: httpx.AsyncClient, sensor: str = "TEMP_001") -> dict[str, Any]:
    answer = await client.get("/api/v1/historical_data", params={"device_id": sensor})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_reading_is_answered_as_documented_and_can_be_read_at_once(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        answer = await client.post(f"{prefix}/data/ingest", json=BODY, headers={"X-Request-ID": "custom-123"})
        found = await history(client)
    assert answer.status_code == 200
    assert answer.json() | {"event_id": ""} == {
        "status": "event_published",
        "event_id": "",
        "correlation_id": "custom-123",
        "sensor_id": "TEMP_001",
    }
    assert (found["values"], found["unit"], found["tag"]) == ([25.5], "celsius", "temperature")


async def test_the_time_of_a_reading_is_the_senders_to_the_microsecond(cloud: Cloud) -> None:
    at = datetime.now(UTC).replace(microsecond=123_456)
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        await client.post("/api/v1/data/ingest", json=BODY | {"timestamp": at.isoformat()})
        found = await history(client)
    assert found["timestamps"] == [at.strftime("%Y-%m-%dT%H:%M:%S.123456Z")]


@pytest.mark.parametrize("kind", ["temperature", "vibration", "pressure", "humidity", "current", "voltage", "other"])
async def test_the_six_sensor_types_and_other_are_taken(cloud: Cloud, kind: str) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", json=BODY | {"sensor_type": kind})
    assert answer.status_code == 200


async def test_the_same_key_is_stored_once_and_answers_with_the_first_event(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        headers = {"Idempotency-Key": "k-1"}
        first = (await client.post("/api/v1/data/ingest", json=BODY, headers=headers)).json()
        second = (await client.post("/api/data/ingest", json=BODY, headers=headers)).json()
        found = await history(client)
    assert (first["status"], second["status"]) == ("event_published", "duplicate_ignored")
    assert first["event_id"] == second["event_id"]
    assert len(found["values"]) == 1


async def test_twenty_at_once_under_one_key_are_one_reading_and_one_event(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        sent = [client.post("/api/v1/data/ingest", json=BODY, headers={"Idempotency-Key": "k-1"}) for _ in range(20)]
        answers = [answer.json() for answer in await asyncio.gather(*sent)]
        found = await history(client)
    assert sorted(answer["status"] for answer in answers) == ["duplicate_ignored"] * 19 + ["event_published"]
    assert len({answer["event_id"] for answer in answers}) == 1
    assert len(found["values"]) == 1


async def test_the_same_key_with_another_body_is_refused(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        headers = {"Idempotency-Key": "k-1"}
        await client.post("/api/v1/data/ingest", json=BODY, headers=headers)
        answer = await client.post("/api/v1/data/ingest", json=BODY | {"value": 26}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error_code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_key_is_forgotten_after_ten_minutes(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        headers = {"Idempotency-Key": "k-1"}
        first = (await client.post("/api/v1/data/ingest", json=BODY, headers=headers)).json()
        cloud.clock.ahead_s = 601
        second = (await client.post("/api/v1/data/ingest", json=BODY, headers=headers)).json()
        found = await history(client)
    assert second["status"] == "event_published"
    assert first["event_id"] != second["event_id"]
    assert len(found["values"]) == 2


async def test_a_key_of_another_caller_is_another_key(cloud: Cloud) -> None:
    statuses = []
    for _ in range(2):
        async with cloud.client(Scope.DATA_INGEST) as client:
            answer = await client.post("/api/v1/data/ingest", json=BODY, headers={"Idempotency-Key": "k-1"})
            statuses.append(answer.json()["status"])
    assert statuses == ["event_published"] * 2


async def test_a_repeat_without_a_key_is_known_by_sensor_time_and_value(cloud: Cloud) -> None:
    body = BODY | {"timestamp": now(-60)}
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        first = (await client.post("/api/v1/data/ingest", json=body)).json()
        second = (await client.post("/api/v1/data/ingest", json=body)).json()
        found = await history(client)
    assert (second["status"], second["event_id"]) == ("duplicate_ignored", first["event_id"])
    assert len(found["values"]) == 1


@pytest.mark.parametrize("field", ["sensor_id", "value", "sensor_type"])
async def test_a_missing_field_is_400_and_named(cloud: Cloud, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"] == {"field": field, "issue": "This field is required"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", "25.5"),
        ("value", True),
        ("value", None),
        ("sensor_type", "colour"),
        ("sensor_id", ""),
        ("sensor_id", "a/b"),
        ("sensor_id", "#"),
        ("sensor_id", 7),
        ("sensor_id", "x" * 65),
        ("timestamp", "2026-01-15T10:30:00"),
        ("timestamp", "yesterday"),
        ("timestamp", "1970-01-01T00:00:00Z"),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("timestamp", "9999-12-31T23:59:59Z"),
        ("colour", "red"),
    ],
)
async def test_what_cannot_be_right_is_422_and_named(cloud: Cloud, field: str, value: object) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", json=BODY | {field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_time_in_the_future_is_refused_beyond_the_allowance_and_taken_within(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST, Scope.DATA_READ) as client:
        far = await client.post("/api/v1/data/ingest", json=BODY | {"timestamp": now(400)})
        near = await client.post("/api/v1/data/ingest", json=BODY | {"timestamp": now(200)})
        found = await history(client)
    assert far.status_code == 422
    assert "in the future" in far.json()["error"]["details"]["issue"]
    assert near.status_code == 200
    assert len(found["values"]) == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_number_that_is_none_is_refused_and_not_echoed(cloud: Cloud, number: str) -> None:
    body = f'{{"sensor_id":"TEMP_001","value":{number},"sensor_type":"temperature"}}'
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert "NaN" not in answer.text.replace("nan", "")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1,2", b'{"a":1}}'])
async def test_malformed_json_is_400(cloud: Cloud, body: bytes) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
async def test_json_that_is_no_object_is_refused(cloud: Cloud, body: bytes) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


async def test_a_store_that_is_away_is_503_and_the_key_is_free_for_the_next_try(cloud: Cloud) -> None:
    await cloud.end_ingest()
    async with cloud.client(Scope.DATA_INGEST) as client:
        answers = [
            await client.post("/api/v1/data/ingest", json=BODY, headers={"Idempotency-Key": "k-1"}) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[1].json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answers[1].headers["Retry-After"] == "5"
