"""/labels: kept one by one, or a whole CSV or none of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, arrival

HEADER = "device_id,from,to,verdict,kind,note\n"
ROW = "pump-1,2026-01-15T10:00:00Z,2026-01-15T11:00:00Z,true_fault,bearing,\n"
LABEL = {"device_id": "pump-1", "from": "2026-01-15T10:00:00Z", "to": "2026-01-15T11:00:00Z", "verdict": "true_fault"}
URL = "/api/v1/labels"


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Give an operator's client, in a cloud with one pump."""
    await cloud.write(arrival(time_us=[1], value=[1.0]))
    async with cloud.client(Scope.ALARMS_READ, Scope.ALARMS_WRITE) as made:
        yield made


async def upload(client: httpx.AsyncClient, body: str | bytes) -> httpx.Response:
    return await client.post(f"{URL}/import", content=body, headers={"Content-Type": "text/csv"})


async def test_a_label_is_kept_found_by_its_time_and_taken_back(client: httpx.AsyncClient) -> None:
    made = (await client.post(URL, json=LABEL)).json()
    assert (made["device_id"], made["gateway_id"], made["from"], made["alarm_id"]) == (
        "pump-1",
        "gw-1",
        LABEL["from"],
        None,
    )
    assert (await client.get(URL, params={"device_id": "pump-1", "from": "2026-01-15T10:59:59Z"})).json() == [made]
    assert (await client.get(URL, params={"from": "2026-01-15T11:00:00Z"})).json() == []
    assert (await client.get(URL, params={"to": "2026-01-15T10:00:00Z"})).json() == []
    assert (await client.delete(f"{URL}/{made['id']}")).status_code == 200
    assert (await client.delete(f"{URL}/{made['id']}")).status_code == 404


async def test_a_label_that_says_the_opposite_is_409_and_names_the_other(client: httpx.AsyncClient) -> None:
    await client.post(URL, json=LABEL)
    answer = await client.post(URL, json=LABEL | {"verdict": "false_alarm", "to": "2026-01-15T10:00:01Z"})
    assert (answer.status_code, answer.json()["error_code"]) == (409, "LABELS_OVERLAP")
    assert "label 1 of key:" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"verdict": "maybe"}, 422),
        ({"to": "2026-01-15T10:00:00Z"}, 422),
        ({"from": "2026-01-15T10:00:00"}, 422),
        ({"kind": "x" * 65}, 422),
        ({"device_id": "nobody"}, 404),
    ],
)
async def test_a_label_that_cannot_be_is_refused(
    client: httpx.AsyncClient, change: dict[str, Any], status: int
) -> None:
    assert (await client.post(URL, json=LABEL | change)).status_code == status
    assert (await client.get(URL)).json() == []


async def test_a_whole_csv_is_kept(client: httpx.AsyncClient) -> None:
    answer = await upload(client, HEADER + ROW + ROW.replace("T10", "T08").replace("T11", "T09"))
    assert answer.json() == {"imported": 2}
    assert (await client.get(URL)).headers["X-Total-Count"] == "2"


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (HEADER + ROW + ROW.replace("true_fault", "false_alarm"), "row 3: false_alarm: label"),
        (HEADER + ROW + "pump-9,,,,,\n", "row 3: there is no device 'pump-9'"),
        (HEADER + ROW + "\xff".encode("latin-1").decode("latin-1"), "row 3: row: has 1 cells"),
        (HEADER.encode() + b"\xff\n", "byte 36: the body is not UTF-8"),
        ("", "row 1: a header without"),
    ],
)
async def test_of_a_csv_with_a_wrong_row_nothing_is_kept_and_the_row_is_named(
    client: httpx.AsyncClient, body: str | bytes, finding: str
) -> None:
    answer = await upload(client, body)
    assert answer.status_code == 422
    assert finding in answer.json()["detail"]
    assert (await client.get(URL)).json() == []
