"""An Idempotency-Key on a POST: done once, answered the same, whichever process is asked."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from cloud.wiring import open_api
from tests.support.cloud import BASE, Cloud, arrival

EVENT = {
    "event_type": "scheduled_maintenance",
    "name": "Shutdown of hall 1",
    "start_time": "2036-01-15T08:00:00Z",
    "end_time": "2036-01-15T16:00:00Z",
    "expected_impact_multiplier": 0.5,
    "source": "plan",
    "metadata": {},
}
KEY = {"Idempotency-Key": "event-1"}
SCOPES = (Scope.EVENTS_WRITE, Scope.SYSTEM_READ)


async def post(client: httpx.AsyncClient, place: str = "/api/v1", key: str = "event-1", **more: Any) -> httpx.Response:  # noqa: ANN401 JSON
    return await client.post(f"{place}/events", json=EVENT | more, headers={"Idempotency-Key": key})


async def events(client: httpx.AsyncClient) -> int:
    return int((await client.get("/api/v1/events/active")).json()["count"])


async def test_a_repeat_is_answered_the_same_and_does_nothing(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        first, second = await post(client), await post(client, "/api")
        assert await events(client) == 1
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


async def test_the_same_json_written_differently_is_the_same_body(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        first = await post(client)
        turned = dict(reversed(EVENT.items()))
        second = await client.post("/api/v1/events", json=turned, headers=KEY)
    assert first.content == second.content


async def test_another_body_under_the_same_key_is_422_and_does_nothing(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        await post(client)
        refused = await post(client, name="Something else")
        assert await events(client) == 1
    assert (refused.status_code, refused.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_the_key_of_somebody_else_is_another_key(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as anna, cloud.client(*SCOPES) as bert:
        assert (await post(anna)).json()["id"] != (await post(bert, name="Another")).json()["id"]


async def test_what_was_refused_may_be_tried_again_under_the_same_key(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        refused = await post(client, end_time="2035-01-01T00:00:00Z")
        good = await post(client)
    assert (refused.status_code, good.status_code) == (422, 201)


async def test_after_ten_minutes_the_key_is_free_again(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        await post(client)
        cloud.clock.ahead_s += 601
        again = await post(client)
        assert await events(client) == 2
    assert "Idempotency-Replayed" not in again.headers


async def test_without_a_key_everything_is_done_each_time(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        for _ in range(2):
            await client.post("/api/v1/events", json=EVENT)
        assert await events(client) == 2


async def test_a_repeat_can_ask_for_the_envelope(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        bare = await post(client)
        wrapped = await client.post("/api/v1/events?envelope=true", json=EVENT, headers=KEY)
    assert wrapped.json()["data"] == bare.json()


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_cannot_be_kept_is_refused(cloud: Cloud, key: str) -> None:
    async with cloud.client(*SCOPES) as client:
        assert (await post(client, key=key)).status_code == 422


async def test_of_many_at_once_at_two_processes_one_does_it_and_all_get_its_answer(cloud: Cloud) -> None:
    second = open_api(cloud.settings, cloud.clock)
    key = {"X-API-Key": cloud.key(*SCOPES)}
    places = [httpx.ASGITransport(app) for app in (cloud.api.app, second.app)]
    async with (
        httpx.AsyncClient(transport=places[0], base_url=BASE, headers=key) as one,
        httpx.AsyncClient(transport=places[1], base_url=BASE, headers=key) as other,
    ):
        answers = await asyncio.gather(*(post(client) for _ in range(6) for client in (one, other)))
        assert await events(one) == 1
    await second.end()
    second.close()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter("Idempotency-Replayed" in answer.headers for answer in answers) == {True: 11, False: 1}


async def test_a_revoked_key_is_not_answered_what_it_was_answered_before(cloud: Cloud) -> None:
    text = cloud.key(*SCOPES)
    async with cloud.client(*SCOPES) as client:
        client.headers["X-API-Key"] = text
        assert (await post(client)).status_code == 201
        cloud.api.services.keys.revoke(text.split("_")[1], by="test")
        assert (await post(client)).status_code == 401


async def test_a_key_that_was_used_for_another_thing_is_422_and_tells_nothing_of_that(cloud: Cloud) -> None:
    for device in ("pump-1", "pump-2"):
        await cloud.write(arrival(device=device, time_us=[cloud.clock.now_us()], value=[1.0]))
    async with cloud.client(Scope.ADMIN) as client:
        first = await client.post("/api/v1/devices/pump-1/baseline/reset", json={"note": "oiled"}, headers=KEY)
        again = await client.post("/api/devices/pump-1/baseline/reset", json={"note": "oiled"}, headers=KEY)
        other = await client.post("/api/v1/devices/pump-2/baseline/reset", json={"note": "oiled"}, headers=KEY)
    assert (first.status_code, first.json()["device_id"], again.content) == (200, "pump-1", first.content)
    assert (other.status_code, other.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
