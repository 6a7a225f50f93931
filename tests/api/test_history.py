"""GET /historical_data: exact raw pages, down-sampled outlines, completeness and quality."""

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.domain.scopes import Scope
from protocols.reading import Kind, Quality
from tests.support.cloud import GOOD, Cloud, Template, arrival, running_cloud

SECOND = 1_000_000
PATH = "/api/v1/historical_data"


def begin(cloud: Cloud, seconds_ago: int = 3600) -> int:
    return cloud.clock.now_us() // SECOND * SECOND - seconds_ago * SECOND


@pytest_asyncio.fixture
async def unlimited(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    """Give a cloud that answers as many requests as pages need."""
    async with running_cloud(template, tmp_path, limits={"profile": "off"}) as running:
        yield running


async def ask(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:  # noqa: ANN401 a query
    answer = await client.get(PATH, params={"device_id": "pump-1", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.content, parse_constant=_refuse)
    return found


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} in an answer")


async def pages(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 a query
    found = [await ask(client, **query)]
    while found[-1]["next_cursor"] is not None:
        found.append(await ask(client, **query, cursor=found[-1]["next_cursor"]))
    return found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.INT, [-(2**63), -(2**53) - 1, 0, 2**53 + 1, 2**63 - 1]),
        (Kind.UINT, [0, 2**53 + 1, 2**63, 2**64 - 1]),
        (Kind.FLOAT, [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3]),
    ],
)
async def test_numbers_come_back_exactly(cloud: Cloud, kind: Kind, values: list[float]) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start + i * SECOND for i in range(len(values))], value=values, kind=kind))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client)
    assert found["values"] == values
    assert found["kind"] == kind.name.lower()


async def test_truths_and_texts_come_back_as_such(cloud: Cloud) -> None:
    start = begin(cloud)
    times = [start, start + SECOND]
    await cloud.write(arrival(tag="runs", time_us=times, value=[1, 0], kind=Kind.BOOL))
    await cloud.write(arrival(tag="state", time_us=times, value=[1, 0], kind=Kind.TEXT, texts=("läuft", 'a "b"\n')))
    async with cloud.client(Scope.DATA_READ) as client:
        runs = await ask(client, metric="runs")
        state = await ask(client, metric="state")
    assert runs["values"] == [True, False]
    assert state["values"] == ['a "b"\n', "läuft"]


async def test_what_was_not_read_is_null_and_what_is_not_good_is_named(cloud: Cloud) -> None:
    start = begin(cloud)
    codes = [GOOD, Quality.DEVICE_LOST, Quality.DEVICE_LOST, Quality.NOT_A_NUMBER, Quality.STALE, GOOD]
    values = [1.0, 0.0, 0.0, math.nan, 5.0, 6.0]
    times = [start + i * SECOND for i in range(6)]
    await cloud.write(arrival(time_us=times, value=values, quality=codes))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client)
        usable = await ask(client, quality="usable")
        good = await ask(client, quality="good")
    assert found["values"] == [1.0, None, None, None, 5.0, 6.0]
    assert found["quality"] == [
        {"first": 1, "last": 2, "reason": "device lost"},
        {"first": 3, "last": 3, "reason": "not a number"},
        {"first": 4, "last": 4, "reason": "stale"},
    ]
    assert usable["values"] == [1.0, 5.0, 6.0]
    assert good["values"] == [1.0, 6.0]
    assert good["quality"] == []


async def test_completeness_counts_what_is_there_and_lists_the_gaps(cloud: Cloud) -> None:
    start = begin(cloud)
    there = [i for i in range(100) if not 40 <= i < 50]
    await cloud.write(arrival(time_us=[start + i * SECOND for i in there], value=there))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client, start=iso(start), end=iso(start + 100 * SECOND))
    completeness = found["completeness"]
    assert (completeness["present"], completeness["expected"], completeness["share"]) == (90, 100, 0.9)
    assert completeness["gap_count"] == 1
    assert completeness["gaps"][0]["missing"] == 10


async def test_a_tag_reported_on_change_has_no_completeness_share(cloud: Cloud) -> None:
    await cloud.write(arrival(time_us=[begin(cloud)], value=[1], period_s=0))
    async with cloud.client(Scope.DATA_READ) as client:
        assert (await ask(client))["completeness"]["share"] is None


async def test_value_means_the_main_tag_and_other_tags_have_their_names(cloud: Cloud) -> None:
    await cloud.write(arrival(tag="flow", time_us=[begin(cloud)], value=[1.5]))
    async with cloud.client(Scope.DATA_READ) as client:
        main = await ask(client)
        named = await ask(client, metric="flow")
    assert (main["metric"], main["tag"], named["metric"]) == ("value", "flow", "flow")
    assert main["values"] == named["values"]


async def test_a_tag_whose_kind_changed_shows_the_newest_and_the_older_on_request(cloud: Cloud) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start], value=[7], kind=Kind.INT))
    await cloud.write(arrival(time_us=[start + SECOND], value=[7.5]))
    async with cloud.client(Scope.DATA_READ) as client:
        assert (await ask(client))["values"] == [7.5]
        assert (await ask(client, kind="int"))["values"] == [7]


def iso(time_us: int) -> str:
    return f"{np.datetime64(time_us, 'us')}Z"


async def test_the_range_includes_its_start_and_not_its_end(cloud: Cloud) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start + i * SECOND for i in range(5)], value=range(5)))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client, start=iso(start + SECOND), end=iso(start + 3 * SECOND))
    assert found["values"] == [1, 2]


async def test_pages_hold_each_reading_once_while_new_ones_arrive(cloud: Cloud) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start + i for i in range(1000)], value=range(1000)))
    seen: list[float] = []
    async with cloud.client(Scope.DATA_READ) as client:
        page = await ask(client, limit=70)
        while True:
            seen += page["values"]
            if page["next_cursor"] is None:
                break
            newest = 1000 + len(seen)
            await cloud.write(arrival(time_us=[start + newest], value=[newest]))
            page = await ask(client, limit=70, cursor=page["next_cursor"])
    assert seen[:1000] == list(range(1000))
    assert len(seen) == len(set(seen))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), limit=st.integers(1, 40))
async def test_all_pages_together_are_the_whole(unlimited: Cloud, data: st.DataObject, limit: int) -> None:
    cloud = unlimited
    start = begin(cloud)
    offsets = sorted(data.draw(st.sets(st.integers(0, 500), min_size=1, max_size=60)))
    tag = f"t{data.draw(st.integers(0, 10**9))}"
    await cloud.write(arrival(tag=tag, time_us=[start + offset for offset in offsets], value=offsets))
    async with cloud.client(Scope.DATA_READ) as client:
        whole = await ask(client, metric=tag)
        parts = await pages(client, metric=tag, limit=limit)
    assert [value for page in parts for value in page["values"]] == whole["values"]
    assert [at for page in parts for at in page["timestamps"]] == whole["timestamps"]
    assert set(offsets) <= set(whole["values"])
    assert all(len(page["values"]) == limit for page in parts[:-1])


async def test_an_outline_keeps_the_highest_and_the_lowest_and_stays_within_its_points(cloud: Cloud) -> None:
    start = begin(cloud)
    values = np.sin(np.arange(3000) / 50)
    values[1234], values[2345] = 99.0, -99.0
    await cloud.write(arrival(time_us=[start + i * SECOND for i in range(3000)], value=values))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client, max_points=200, start=iso(start), end=iso(start + 3000 * SECOND))
    assert len(found["values"]) <= 200
    assert (max(found["values"]), min(found["values"])) == (99.0, -99.0)
    assert found["bucket_s"] >= 30
    assert found["timestamps"] == sorted(found["timestamps"])


async def test_few_readings_stay_raw_when_an_outline_is_asked_for(cloud: Cloud) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start, start + 1], value=[1.25, 2.5]))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client, max_points=2)
    assert (found["values"], found["bucket_s"]) == ([1.25, 2.5], None)


async def test_texts_have_no_outline(cloud: Cloud) -> None:
    start = begin(cloud)
    await cloud.write(arrival(time_us=[start + i for i in range(5)], value=[0] * 5, kind=Kind.TEXT, texts=("a",)))
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get(PATH, params={"device_id": "pump-1", "max_points": 2})
    assert answer.status_code == 422
    assert "texts cannot be down-sampled" in answer.json()["detail"]


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_without_a_device_it_is_400(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get(f"{prefix}/historical_data")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "device_id"


async def test_an_unknown_device_or_metric_is_404_and_says_what_there_is(cloud: Cloud) -> None:
    await cloud.write(arrival(time_us=[begin(cloud)], value=[1]))
    async with cloud.client(Scope.DATA_READ) as client:
        device = await client.get(PATH, params={"device_id": "nobody"})
        metric = await client.get(PATH, params={"device_id": "pump-1", "metric": "colour"})
    assert (device.status_code, device.json()["error_code"]) == (404, "DEVICE_NOT_FOUND")
    assert (metric.status_code, metric.json()["error_code"]) == (404, "METRIC_NOT_FOUND")
    assert metric.json()["error"]["details"]["metrics"] == ["flow"]


@pytest.mark.parametrize(
    "query",
    [
        {"hours": 0},
        {"hours": -1},
        {"hours": "nan"},
        {"hours": "inf"},
        {"limit": 0},
        {"limit": 10**9},
        {"max_points": 1},
        {"start": "2026-01-01T00:00:00"},
        {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"quality": "lovely"},
        {"cursor": "!!!"},
        {"cursor": "AAAA"},
        {"cursor": "kwECAw", "max_points": 10},
    ],
)
async def test_a_question_that_makes_no_sense_is_422(cloud: Cloud, query: dict[str, str]) -> None:
    await cloud.write(arrival(time_us=[begin(cloud)], value=[1]))
    async with cloud.client(Scope.DATA_READ) as client:
        answer = await client.get(PATH, params={"device_id": "pump-1", **query})
    assert answer.status_code == 422, answer.text


async def test_a_cursor_of_another_metric_is_refused(cloud: Cloud) -> None:
    start = begin(cloud)
    for tag in ("a", "b"):
        await cloud.write(arrival(tag=tag, time_us=[start, start + 1], value=[1, 2]))
    async with cloud.client(Scope.DATA_READ) as client:
        cursor = (await ask(client, metric="a", limit=1))["next_cursor"]
        answer = await client.get(PATH, params={"device_id": "pump-1", "metric": "b", "cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["error_code"] == "INVALID_CURSOR"


async def test_the_ends_of_time_are_no_trouble(cloud: Cloud) -> None:
    await cloud.write(arrival(time_us=[begin(cloud)], value=[1]))
    async with cloud.client(Scope.DATA_READ) as client:
        found = await ask(client, start="0001-01-01T00:00:00+14:00", end="9999-12-31T23:59:59-12:00")
        outline = await ask(client, start="0001-01-01T00:00:00Z", end="9999-12-31T23:59:59Z", max_points=2)
    assert found["values"] == outline["values"] == [1.0]
