"""GET /devices: every Device with its latest reading."""

import pytest

from cloud.domain.scopes import Scope
from protocols.reading import Kind, Quality
from tests.support.cloud import Cloud, arrival

SECOND = 1_000_000
FIELDS = {
    "id", "device_id", "device_type", "device_name", "timestamp", "value", "status",
    "health_score", "efficiency_score", "location", "unit", "metadata",
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_device_shows_its_documented_fields_and_its_newest_value(cloud: Cloud, prefix: str) -> None:
    now = cloud.clock.now_us()
    await cloud.write(arrival(time_us=[now - 2 * SECOND, now - SECOND], value=[1.5, 2.5]))
    async with cloud.client(Scope.DATA_READ) as client:
        (listed,) = (await client.get(f"{prefix}/devices")).json()
        shown = (await client.get(f"{prefix}/devices/pump-1")).json()
    assert set(listed) == FIELDS
    assert listed == shown
    assert (listed["id"], listed["value"], listed["unit"], listed["status"]) == (1, 2.5, "l/min", "normal")
    assert (listed["device_type"], listed["device_name"], listed["location"]) == ("pump", "Pump", "Hall 1")
    assert listed["health_score"] is None


async def test_a_silent_device_is_offline(cloud: Cloud) -> None:
    await cloud.write(arrival(time_us=[cloud.clock.now_us() - 120 * SECOND], value=[1]))
    async with cloud.client(Scope.DATA_READ) as client:
        assert (await client.get("/api/v1/devices/pump-1")).json()["status"] == "offline"


async def test_a_value_that_was_not_read_is_null(cloud: Cloud) -> None:
    now = cloud.clock.now_us()
    await cloud.write(arrival(time_us=[now], value=[float("nan")], quality=[Quality.DEVICE_LOST]))
    await cloud.write(arrival(device="pump-2", time_us=[now], value=[float("nan")], quality=[Quality.NOT_A_NUMBER]))
    async with cloud.client(Scope.DATA_READ) as client:
        found = (await client.get("/api/v1/devices")).json()
    assert [device["value"] for device in found] == [None, None]


async def test_counters_and_texts_are_shown_exactly(cloud: Cloud) -> None:
    now = cloud.clock.now_us()
    await cloud.write(arrival(time_us=[now], value=[2**64 - 1], kind=Kind.UINT))
    await cloud.write(arrival(device="plc", time_us=[now], value=[0], kind=Kind.TEXT, texts=("on",)))
    await cloud.write(arrival(device="lamp", time_us=[now], value=[1], kind=Kind.BOOL))
    async with cloud.client(Scope.DATA_READ) as client:
        found = (await client.get("/api/v1/devices")).json()
    assert [device["value"] for device in found] == [2**64 - 1, "on", True]


async def test_two_sources_with_one_id_are_two_devices_with_histories_of_their_own(cloud: Cloud) -> None:
    now = cloud.clock.now_us()
    await cloud.write(arrival(time_us=[now], value=[1], source="gw-1"))
    await cloud.write(arrival(time_us=[now], value=[2], source="gw-2"))
    async with cloud.client(Scope.DATA_READ) as client:
        found = (await client.get("/api/v1/devices")).json()
        other = (await client.get("/api/v1/historical_data", params={"device_id": "gw-2.pump-1"})).json()
    assert [(device["device_id"], device["value"]) for device in found] == [("pump-1", 1), ("gw-2.pump-1", 2)]
    assert other["values"] == [2]


async def test_a_list_says_how_many_there_are_and_where_the_next_are(cloud: Cloud) -> None:
    now = cloud.clock.now_us()
    for number in range(5):
        await cloud.write(arrival(device=f"d{number}", time_us=[now], value=[number]))
    seen = []
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get("/api/v1/devices", params={"limit": 2})
        assert answer.headers["X-Total-Count"] == "5"
        while True:
            seen += [device["device_id"] for device in answer.json()]
            if "next" not in answer.links:
                break
            answer = await client.get(answer.links["next"]["url"])
    assert seen == ["d0", "d1", "d2", "d3", "d4"]


async def test_a_device_that_is_not_there_is_404(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get("/api/v1/devices/nobody")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "DEVICE_NOT_FOUND")


async def test_an_empty_plant_is_an_empty_list(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get("/api/devices")
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "0")


@pytest.mark.parametrize("limit", [0, -1, "many", 10_001])
async def test_a_limit_that_makes_no_sense_is_422(cloud: Cloud, limit: object) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        assert (await client.get("/api/v1/devices", params={"limit": str(limit)})).status_code == 422
