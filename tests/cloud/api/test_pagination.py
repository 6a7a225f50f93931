"""Where the pages of a list are."""

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.api.pagination import page_links
from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud


@given(total=st.integers(0, 500), limit=st.integers(1, 60))
def test_who_follows_the_next_links_sees_everything_once_and_ends_on_the_last_page(total: int, limit: int) -> None:
    offset, seen, pages = 0, 0, [0]
    while True:
        seen += min(limit, total - offset)
        links = page_links(total, limit=limit, offset=offset)
        assert links.get("prev") == (offset - limit if offset else None)
        if "next" not in links:
            break
        offset = links["next"]
        pages.append(offset)
    assert seen == total
    assert page_links(total, limit=limit, offset=0).get("last", 0) == pages[-1]


@given(total=st.integers(0, 500), limit=st.integers(1, 60), offset=st.integers(0, 10_000))
def test_every_link_leads_to_a_page_with_items_on_it(total: int, limit: int, offset: int) -> None:
    links = page_links(total, limit=limit, offset=offset)
    assert all(0 <= start < max(total, 1) for start in links.values())
    assert "next" not in links or links["next"] > offset
    assert "prev" not in links or links["prev"] < offset


def relations(answer: httpx.Response) -> dict[str, str]:
    return {name: url for url, name in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


@pytest.mark.parametrize("place", ["/api", "/api/v1"])
async def test_links_keep_the_query_and_can_be_followed(tmp_path_factory: pytest.TempPathFactory, place: str) -> None:
    template = Template.make(tmp_path_factory.mktemp("template"))
    async with (
        running_cloud(template, tmp_path_factory.mktemp("cloud")) as cloud,
        cloud.client(Scope.LEARNING_READ, Scope.LEARNING_WRITE, Scope.DATA_INGEST, Scope.DATA_READ) as client,
    ):
        await _send(cloud, client)
        first = await client.get(f"{place}/devices?limit=2&offset=0")
        second = await client.get(relations(first)["next"])
        beyond = await client.get(f"{place}/devices?limit=2&offset=4000")
    assert first.headers["X-Total-Count"] == second.headers["X-Total-Count"] == "3"
    assert set(relations(first)) == {"first", "next", "last"}
    assert set(relations(second)) == {"first", "prev", "last"}
    assert relations(first)["next"] == f"{place}/devices?limit=2&offset=2"
    assert len({device["device_id"] for device in first.json() + second.json()}) == 3
    assert beyond.json() == []
    assert relations(beyond)["prev"] == f"{place}/devices?limit=2&offset=2"


async def _send(cloud: Cloud, client: httpx.AsyncClient) -> None:
    assert cloud.settings.mqtt is None
    for name in ("A", "B", "C"):
        body = {"sensor_id": name, "value": 1.5, "sensor_type": "temperature"}
        assert (await client.post("/api/v1/data/ingest", json=body)).status_code == 200
