"""/events: announced, listed with their phase, called off; and everything that cannot be an event is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.records.planned_events import events_in_effect
from tests.support.cloud import Cloud

URL = "/api/v1/events"
SALE = {
    "event_type": "marketing_campaign",
    "name": "Summer Sale 2025",
    "start_time": "2125-01-10T00:00:00Z",
    "end_time": "2125-01-12T23:59:59Z",
    "expected_impact_multiplier": 2.5,
    "source": "marketing_api",
    "metadata": {"campaign_id": "camp_123", "channels": ["email", "social"]},
}


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of one who may plan."""
    async with cloud.client(Scope.EVENTS_WRITE, Scope.SYSTEM_READ) as made:
        yield made


def around(cloud: Cloud, *, hours: float) -> dict[str, str]:
    now = to_datetime(cloud.clock.now_us())
    times = {"start_time": now - timedelta(hours=1), "end_time": now + timedelta(hours=hours)}
    return {name: at.isoformat() for name, at in times.items()}


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_an_announced_event_is_listed_until_it_is_called_off(client: httpx.AsyncClient, prefix: str) -> None:
    url = f"{prefix}/events"
    added = await client.post(url, json=SALE)
    assert added.status_code == 201
    made = added.json()
    assert (made["event_type"], made["name"], made["status"]) == ("marketing_campaign", SALE["name"], "active")
    assert UUID(made["id"])
    listed = (await client.get(f"{url}/active")).json()
    assert listed["count"] == 1
    (shown,) = listed["events"]
    assert shown["id"] == made["id"]
    assert (shown["start_time"], shown["end_time"]) == (SALE["start_time"], SALE["end_time"])
    assert (shown["phase"], shown["status"], shown["metadata"]) == ("upcoming", "active", SALE["metadata"])
    gone = await client.delete(f"{url}/{made['id']}")
    assert (gone.status_code, gone.json()) == (
        200,
        {"id": made["id"], "status": "cancelled", "message": "Event cancelled successfully"},
    )
    assert (await client.delete(f"{url}/{made['id']}")).json() == gone.json()
    assert (await client.get(f"{url}/active")).json() == {"events": [], "count": 0}


async def test_events_in_effect_are_those_that_have_begun_and_are_not_over(
    client: httpx.AsyncClient, cloud: Cloud
) -> None:
    await client.post(URL, json=SALE)
    await client.post(URL, json=SALE | {"name": "now"} | around(cloud, hours=1))
    await client.post(URL, json=SALE | {"name": "over"} | around(cloud, hours=-0.5))
    records = cloud.api.records
    with records.reading() as session:
        found = events_in_effect(session, to_datetime(cloud.clock.now_us()))
    assert [one.name for one in found] == ["now"]
    names = {one["name"]: one["phase"] for one in (await client.get(f"{URL}/active")).json()["events"]}
    assert names == {"now": "in_effect", SALE["name"]: "upcoming"}
    cloud.clock.ahead_s = 7200.0
    assert [one["name"] for one in (await client.get(f"{URL}/active")).json()["events"]] == [SALE["name"]]


@pytest.mark.parametrize(("field", "value"), [("impact_multiplier", 5.0), ("expected_impact_multiplier", 5)])
async def test_both_names_of_the_multiplier_are_understood(client: httpx.AsyncClient, field: str, value: float) -> None:
    body = {name: one for name, one in SALE.items() if name != "expected_impact_multiplier"}
    assert (await client.post(URL, json=body | {field: value})).json()["expected_impact_multiplier"] == 5


@pytest.mark.parametrize(
    ("event_type", "usual"), [("shift_change", 1.3), ("plant_shutdown", 0.175), ("backlog_replay", 6.5)]
)
async def test_without_a_multiplier_what_is_usual_for_the_type_counts(
    client: httpx.AsyncClient, event_type: str, usual: float
) -> None:
    body = {name: one for name, one in SALE.items() if name != "expected_impact_multiplier"}
    answer = await client.post(URL, json=body | {"event_type": event_type})
    assert answer.json()["expected_impact_multiplier"] == pytest.approx(usual)


@pytest.mark.parametrize(
    "change",
    [
        {"end_time": SALE["start_time"]},
        {"end_time": "2024-01-01T00:00:00Z"},
        {"start_time": "2125-01-10T00:00:00"},
        {"start_time": "0001-01-01T00:00:00+14:00"},
        {"start_time": "yesterday"},
        {"event_type": "party"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"expected_impact_multiplier": 0},
        {"expected_impact_multiplier": -1},
        {"expected_impact_multiplier": "NaN"},
        {"expected_impact_multiplier": 1e9},
        {"impact_multiplier": 3.0},
        {"metadata": {"long": "x" * 9000}},
        {"metadata": [1]},
        {"unknown": 1},
    ],
)
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_what_cannot_be_an_event_is_422_and_not_kept(
    client: httpx.AsyncClient, change: dict[str, Any], prefix: str
) -> None:
    answer = await client.post(f"{prefix}/events", json=SALE | change)
    assert answer.status_code == 422
    assert isinstance(answer.json()["error"], dict if prefix == "/api/v1" else str)
    assert (await client.get(f"{prefix}/events/active")).json()["count"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":{"a":NaN},"event_type":"holiday","name":"x","start_time":1,"end_time":2}',
        (
            b'{"event_type":"holiday","name":"x","start_time":"2125-01-10T00:00:00Z","end_time":"2125-01-11T00:00:00Z",'
            b'"metadata":{"a":"\\ud800"}}'
        ),
    ],
)
async def test_metadata_that_no_reader_of_json_takes_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_malformed_json_is_400(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, content=b'{"event_type":', headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("identity", ["nobody", "0197a3c2-7b1e-7000-8000-000000000001", "..%2f..%2fetc", "x" * 99])
async def test_an_unknown_event_is_404(client: httpx.AsyncClient, identity: str) -> None:
    assert (await client.delete(f"{URL}/{identity}")).status_code == 404


async def test_who_may_only_read_cannot_plan(cloud: Cloud) -> None:
    async with cloud.client(Scope.SYSTEM_READ) as reader:
        assert (await reader.post(URL, json=SALE)).status_code == 403
        assert (await reader.delete(f"{URL}/x")).status_code == 403
        assert (await reader.get(f"{URL}/active")).status_code == 200
    async with cloud.client() as stranger:
        assert (await stranger.get(f"{URL}/active")).status_code == 401


def test_the_sale_of_these_tests_lies_ahead() -> None:
    assert datetime.fromisoformat(str(SALE["start_time"])) > datetime.now(UTC)
