"""/alarm-rules: made, changed, taken back, and refused where they contradict themselves."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, arrival

RULE = {"name": "too hot", "kind": "limit", "device_id": "boiler", "tag": "temperature", "high": 95.0}
URL = "/api/v1/alarm-rules"


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give an operator's client, in a cloud with one boiler that sends by itself."""
    await cloud.write(arrival(source="", device="boiler", tag="temperature", time_us=[1], value=[1.0]))
    async with cloud.client(Scope.ALARMS_READ, Scope.ALARMS_WRITE) as made:
        yield made


async def test_a_rule_is_made_shown_changed_and_taken_back(client: httpx.AsyncClient) -> None:
    made = (await client.post(URL, json=RULE)).json()
    assert made == RULE | {
        "id": 1,
        "severity": "warning",
        "low": None,
        "hysteresis": 0.0,
        "delay_on_s": 0.0,
        "delay_off_s": 0.0,
        "enabled": True,
    }
    changed = (await client.put(f"{URL}/1", json=RULE | {"high": 90, "severity": "critical", "enabled": False})).json()
    assert (changed["high"], changed["severity"], changed["enabled"]) == (90.0, "critical", False)
    assert (await client.get(f"{URL}/1")).json() == changed
    assert (await client.get(URL)).json() == [changed]
    assert (await client.delete(f"{URL}/1")).json() == {"message": "Rule deleted"}
    assert [(await client.request(method, f"{URL}/1")).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (await client.put(f"{URL}/1", json=RULE)).status_code == 404


async def test_two_rules_have_two_names(client: httpx.AsyncClient) -> None:
    await client.post(URL, json=RULE)
    await client.post(URL, json=RULE | {"name": "other"})
    assert (await client.post(URL, json=RULE)).status_code == 409
    assert (await client.put(f"{URL}/2", json=RULE)).status_code == 409
    assert (await client.put(f"{URL}/1", json=RULE)).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tag": ""}, "tag"),
        ({"high": None}, "high"),
        ({"low": 95.0}, "low"),
        ({"low": 90.0, "hysteresis": 5.0}, "hysteresis"),
        ({"hysteresis": -1}, "hysteresis"),
        ({"delay_on_s": 90_000}, "delay_on_s"),
        ({"kind": "silence"}, "high"),
        ({"kind": "trend"}, "kind"),
        ({"name": ""}, "name"),
        ({"severity": "high"}, "severity"),
    ],
)
async def test_a_rule_that_contradicts_itself_is_422_and_names_the_field(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post(URL, json=RULE | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await client.get(URL)).json() == []


async def test_a_rule_for_a_device_that_never_was_is_404(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json=RULE | {"device_id": "nobody"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "DEVICE_NOT_FOUND")
