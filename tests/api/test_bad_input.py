"""Bad input wherever something comes in: bodies, huge pages, dates reversed; the documented body, nothing stored."""

import json
import math
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
import pytest

from cloud.app import web
from cloud.domain.role import Role
from protocols.reading import Quality
from tests.support.cloud import Cloud, arrival
from tests.support.people import bearer, make_person

DOCUMENT = web(version("lineside"), docs=True).openapi()
Operation = tuple[str, str, dict[str, Any]]
NUMBER = "019b3c00-0000-7000-8000-000000000001"
IDS = {"device_id": "pump-1", "tag": "flow"}
PAGING = {"limit", "offset", "page", "size"}
HUGE = ("1" + "0" * 30, "-1", "1e9", "NaN", "99999999999")
AS_JSON = {"Content-Type": "application/json"}
AS_TEXT = {"Content-Type": "text/plain"}
NOON, ONE = "2026-01-15T12:00:00Z", "2026-01-15T13:00:00Z"
REVERSED = (
    ("historical_data", {"device_id": "pump-1", "start": ONE, "end": NOON}),
    ("alerts", {"from": ONE, "to": NOON}),
    ("labels", {"from": ONE, "to": NOON}),
    ("predictions/history", {"start_time": ONE, "end_time": NOON}),
)


def operations(method: str) -> Iterator[Operation]:
    for path, item in DOCUMENT["paths"].items():
        for one, operation in item.items():
            if one == method:
                yield one, path, operation


def filled(path: str) -> str:
    """Return a path with ids in its braces, of things that are not there but for the device."""
    parts = path.split("/")
    return "/".join(IDS.get(part[1:-1], NUMBER) if part.startswith("{") else part for part in parts)


def takes_json(operation: dict[str, Any]) -> bool:
    return "application/json" in operation.get("requestBody", {}).get("content", {})


def is_documented(answer: httpx.Response, code: str = "") -> bool:
    body = answer.json()
    return {"error", "detail", "error_code", "errors", "request_id"} <= set(body) and code in {"", body["error_code"]}


def rows_of(cloud: Cloud) -> dict[str, int]:
    """Return how many rows each table of the records has, but for who asked and how often."""
    with cloud.api.records.reading() as session:
        connection = session.connection()
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        counted = {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar() for name in names}  # noqa: S608 - names of our own tables
    return {name: int(count or 0) for name, count in counted.items()}


WRITING = [one for method in ("post", "put", "patch") for one in operations(method) if takes_json(one[2])]
TIMES = [
    (path, parameter["name"])
    for _, path, operation in operations("get")
    for parameter in operation.get("parameters", [])
    if parameter["in"] == "query" and "date-time" in json.dumps(parameter["schema"])
]
LISTS = [
    one
    for one in operations("get")
    if PAGING & {parameter["name"] for parameter in one[2].get("parameters", []) if parameter["in"] == "query"}
]


@pytest.fixture
def every(cloud: Cloud) -> httpx.AsyncClient:
    """Give a client of somebody who may do everything."""
    client = cloud.client()
    client.headers.update(bearer(make_person(cloud, "root", Role.ADMIN).access))
    return client


async def test_malformed_json_is_400_for_every_operation_and_stores_nothing(
    cloud: Cloud, every: httpx.AsyncClient
) -> None:
    before = rows_of(cloud)
    async with every:
        for method, path, _ in WRITING:
            answer = await every.request(method, filled(path), content=b'{"a": ', headers=AS_JSON)
            assert (answer.status_code, is_documented(answer, "INVALID_FORMAT")) == (400, True), path
    assert rows_of(cloud) == before


async def test_a_body_that_does_not_say_it_is_json_is_refused_by_every_operation_and_stores_nothing(
    cloud: Cloud, every: httpx.AsyncClient
) -> None:
    before = rows_of(cloud)
    async with every:
        for method, path, operation in WRITING:
            answer = await every.request(
                method, filled(path), content=b'{"a":1}', headers={"Content-Type": "text/plain"}
            )
            assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), path
            assert str(answer.status_code) in operation["responses"]
    assert rows_of(cloud) == before


@pytest.mark.parametrize("content", [b"[]", b"7", b'"text"', b'{"nonsense": {"a": [1]}}', b"\xff\xfe", b"[" * 3000])
async def test_a_body_of_another_type_or_with_unknown_fields_is_refused_by_every_operation_and_stores_nothing(
    cloud: Cloud, every: httpx.AsyncClient, content: bytes
) -> None:
    before = rows_of(cloud)
    async with every:
        for method, path, operation in WRITING:
            answer = await every.request(method, filled(path), content=content, headers=AS_JSON)
            assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), (path, answer.text)
            assert str(answer.status_code) in operation["responses"]
    assert rows_of(cloud) == before


async def test_pages_that_nobody_can_want_are_422_for_every_list(every: httpx.AsyncClient) -> None:
    assert len(LISTS) > 20
    async with every:
        for _, path, operation in LISTS:
            named = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
            for name in PAGING & named:
                for huge in HUGE:
                    answer = await every.get(filled(path), params={"device_id": "pump-1", name: huge})
                    assert (answer.status_code, is_documented(answer)) == (422, True), (path, name, huge)


async def test_a_span_that_ends_before_it_begins_is_refused_by_both_mounts(every: httpx.AsyncClient) -> None:
    async with every:
        for page, query in REVERSED:
            for prefix in ("/api", "/api/v1"):
                answer = await every.get(f"{prefix}/{page}", params=query)
                assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), (prefix, page)


async def test_a_number_is_no_time_for_any_list_since_nobody_knows_of_what(every: httpx.AsyncClient) -> None:
    assert len(TIMES) > 8
    async with every:
        for path, name in TIMES:
            for number in ("2026", "0.5", "-1", "1.7e9", "1768478400000"):
                answer = await every.get(filled(path), params={"device_id": "pump-1", name: number})
                assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), (path, name, number)


@pytest.mark.parametrize("number", [5, 1768478400.5, "1768478400", True])
async def test_a_number_is_no_time_in_a_body_and_nothing_is_stored(
    cloud: Cloud, every: httpx.AsyncClient, number: object
) -> None:
    reading = {"sensor_id": "probe", "sensor_type": "temperature", "value": 1.0, "unit": "celsius"}
    event = {"event_type": "holiday", "name": "x", "start_time": number, "end_time": ONE}
    label = {"device_id": "pump-1", "from": number, "to": ONE, "kind": "fault"}
    before = rows_of(cloud)
    async with every:
        for page, body in (("data/ingest", reading | {"timestamp": number}), ("events", event), ("labels", label)):
            answer = await every.post(f"/api/v1/{page}", json=body)
            assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), page
            assert "not as a number" in answer.text
    assert rows_of(cloud) == before


def scalars(schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Return the dotted fields of a body that are a number, a whole number or a truth and nothing else."""
    schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for name, field in schema.get("properties", {}).items():
        kinds = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
        if len(kinds) == 1 and kinds[0].get("type") in {"number", "integer", "boolean"}:
            yield name, kinds[0]["type"]
        elif len(kinds) == 1 and depth < 3:
            yield from ((f"{name}.{inner}", kind) for inner, kind in scalars(kinds[0], depth + 1))


SCALARS = [
    (method, path, found)
    for method, path, operation in WRITING
    if (found := dict(scalars(operation["requestBody"]["content"]["application/json"]["schema"])))
]


@pytest.mark.parametrize("wrong", [False, True, 0, 1, "0.1", "1", "true", "yes", ""])
async def test_a_text_is_no_number_and_only_true_and_false_are_truths_in_the_body_of_any_operation(
    cloud: Cloud, every: httpx.AsyncClient, wrong: object
) -> None:
    assert len(SCALARS) > 20
    before = rows_of(cloud)
    async with every:
        for method, path, fields in SCALARS:
            bad = {name for name, kind in fields.items() if isinstance(wrong, str) or _is_other(kind, wrong)}
            body: dict[str, Any] = {}
            for name in bad:
                parts = name.split(".")
                inner = body
                for part in parts[:-1]:
                    inner = inner.setdefault(part, {})
                inner[parts[-1]] = wrong
            if bad:
                answer = await every.request(method, filled(path), json=body)
                assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), path
                named = {one["field"] for one in answer.json()["errors"]}
                assert bad <= named, (path, bad - named)
    assert rows_of(cloud) == before


def _is_other(kind: str, wrong: object) -> bool:
    return isinstance(wrong, bool) != (kind == "boolean")


async def test_a_whole_number_may_be_written_with_a_point(every: httpx.AsyncClient) -> None:
    async with every:
        made = await every.post("/api/v1/keys", json={"name": "x", "scopes": ["data:read"], "expires_in_days": 3.0})
        half = await every.post("/api/v1/keys", json={"name": "x", "scopes": ["data:read"], "expires_in_days": 3.5})
    assert (made.status_code, half.status_code) == (201, 422)


@pytest.mark.parametrize("wrong", [False, True, "0.1", ""])
async def test_what_is_no_number_is_none_in_a_body_and_nothing_is_stored(
    cloud: Cloud, every: httpx.AsyncClient, wrong: object
) -> None:
    detector = {"name": "Pump hall", "algorithm_name": "IsolationForest", "contamination_rate": wrong}
    event = {"event_type": "holiday", "name": "x", "start_time": NOON, "end_time": ONE, "impact_multiplier": wrong}
    before = rows_of(cloud)
    async with every:
        for page, body in (("detectors", detector), ("events", event)):
            answer = await every.post(f"/api/v1/{page}", json=body)
            assert (answer.status_code in {400, 422}, is_documented(answer)) == (True, True), page
            assert "valid number" in answer.text, page
        for facts in (
            {"criticality": wrong},
            {"rated_interval_s": wrong},
            {"running": {"tag": "flow", "above": wrong}},
        ):
            answer = await every.put("/api/v1/devices/pump-1/facts", json=facts)
            assert (answer.status_code, is_documented(answer), "valid number" in answer.text) == (422, True, True), (
                facts
            )
    assert rows_of(cloud) == before


async def test_a_label_of_a_number_that_none_can_have_is_422(every: httpx.AsyncClient) -> None:
    async with every:
        for number in ("0", "-1", str(1 << 63), "1" + "0" * 30):
            answer = await every.delete(f"/api/v1/labels/{number}")
            assert (answer.status_code, is_documented(answer)) == (422, True), number


async def test_a_planned_event_that_ends_before_it_begins_is_422_and_not_kept(
    cloud: Cloud, every: httpx.AsyncClient
) -> None:
    event = {"event_type": "holiday", "name": "x", "start_time": ONE, "end_time": NOON}
    before = rows_of(cloud)
    async with every:
        answer = await every.post("/api/v1/events", json=event | {"expected_impact_multiplier": 2.0, "source": "test"})
    assert (answer.status_code, rows_of(cloud)) == (422, before)


async def test_answers_of_201_and_202_and_lists_are_wrapped_for_who_asks(every: httpx.AsyncClient) -> None:
    async with every:
        made = await every.post("/api/v1/experiments?envelope=true", json={"name": "wrapped"})
        begun = await every.post("/api/v1/tasks/start_report?envelope=true")
        listed = await every.get("/api/v1/experiments?envelope=true&limit=1")
        bare = await every.get("/api/v1/experiments?limit=1")
    assert [one.status_code for one in (made, begun, listed)] == [201, 202, 200]
    for answer in (made, begun, listed):
        assert set(answer.json()) == {"data", "meta"}
        assert answer.json()["meta"]["request_id"] == answer.headers["X-Request-ID"]
    assert begun.json()["data"]["status"] == "PENDING"
    assert listed.json()["data"] == bare.json()
    assert listed.headers["X-Total-Count"] == bare.headers["X-Total-Count"]


def refuse(number: str) -> float:
    raise AssertionError(number)


async def test_no_page_holds_a_number_that_json_has_not_whatever_machines_send(
    cloud: Cloud, every: httpx.AsyncClient
) -> None:
    now = cloud.clock.now_us()
    values = [math.nan, math.inf, -math.inf, 1e308, -1e308]
    times = [now - 1_000_000 * back for back in range(len(values))]
    await cloud.write(arrival(time_us=sorted(times), value=values))
    await cloud.write(arrival(device="pump-2", time_us=[now], value=[math.nan], quality=[Quality.NOT_A_NUMBER]))
    query = {"device_id": "pump-1", "sensor_id": "pump-1", "start": "2020-01-01T00:00:00Z"}
    seen = 0
    async with every:
        for _, path, _ in operations("get"):
            answer = await every.get(filled(path), params=query)
            assert answer.status_code < 500, (path, answer.text)
            if answer.headers["content-type"].startswith("application/json"):
                json.loads(answer.text, parse_constant=refuse)
                seen += answer.status_code == 200
    assert seen > 40
