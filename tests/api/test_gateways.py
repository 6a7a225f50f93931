"""GET /gateways: accounts in which every reading has a place."""

from pathlib import Path
from typing import Any

import pytest

from cloud.domain.scopes import Scope
from protocols.delivery import EpochAccount, State
from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.ingest import EPOCH, GATEWAY, Desk, data, drop, hello, tags

PLACES = ("stored", "replaced", "duplicates", "quarantined", "undecoded", "dropped", "buffered", "lost")


def a_gateway_with_a_past(readings: Path) -> None:
    """Seven readings stored, four dropped, two still at the gateway."""
    desk = Desk(readings)
    desk.hello(hello())
    desk.marks(tags(1), data(2, readings=3), data(3, readings=4), drop(5, 4, 4, 4))
    desk.state(State(online=True, epoch=EPOCH, version="1.2.3", accounts=(EpochAccount(EPOCH, 13, 7, 2, 4),)))
    desk.database.close()


async def shown(template: Template, directory: Path, path: str) -> Any:  # noqa: ANN401 JSON
    async with (
        running_cloud(template, directory, prepare=a_gateway_with_a_past) as cloud,
        cloud.client(Scope.GATEWAYS_READ) as client,
    ):
        return (await client.get(path)).json()


async def test_every_reading_of_a_gateway_has_one_place(template: Template, tmp_path: Path) -> None:
    gateway = await shown(template, tmp_path, f"/api/v1/gateways/{GATEWAY}")
    account = gateway["total"]
    assert (account["made"], account["stored"], account["dropped"], account["buffered"]) == (13, 7, 4, 2)
    assert account["lost"] == 0
    assert account["made"] == sum(account[place] for place in PLACES)
    assert [one["epoch"] for one in gateway["epochs"]] == ["0000000000000007"] == [gateway["epoch"]]
    assert account.items() <= gateway["epochs"][0].items()


async def test_an_epoch_shows_what_the_cloud_has_and_what_the_gateway_said_when(
    template: Template, tmp_path: Path
) -> None:
    (epoch,) = (await shown(template, tmp_path, f"/api/v1/gateways/{GATEWAY}"))["epochs"]
    assert (epoch["settled"], epoch["ahead"], epoch["adds_up"]) == (11, 0, True)
    told = {"at": "2025-06-15T15:06:40Z", "sealed": 13, "acked": 7, "waiting": 2, "dropped": 4}
    assert epoch["told"] == told


async def test_the_metrics_say_where_the_readings_of_all_gateways_are(template: Template, tmp_path: Path) -> None:
    async with (
        running_cloud(template, tmp_path, prepare=a_gateway_with_a_past) as cloud,
        cloud.client(Scope.GATEWAYS_READ) as client,
    ):
        lines = (await client.get("/metrics")).text.splitlines()
    for outcome, count in (("made", 13), ("stored", 7), ("dropped", 4), ("buffered", 2), ("lost", 0), ("ahead", 0)):
        assert f'lineside_gateway_readings{{outcome="{outcome}"}} {count}.0' in lines
    assert "lineside_gateways 1.0" in lines
    assert "lineside_gateways_online 1.0" in lines
    assert "lineside_gateway_epochs_uneven 0.0" in lines


async def test_a_gateway_shows_what_it_said_of_itself(template: Template, tmp_path: Path) -> None:
    (gateway,) = await shown(template, tmp_path, "/api/gateways")
    assert (gateway["gateway_id"], gateway["version"], gateway["is_online"]) == (GATEWAY, "1.2.3", True)
    assert (gateway["alarms"], gateway["clock_is_set"]) == ([], True)
    assert gateway["last_seen_at"].endswith("Z")


async def test_without_gateways_the_list_is_empty(cloud: Cloud) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        answer = await client.get("/api/v1/gateways")
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "0")


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_gateway_that_never_spoke_is_404(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.GATEWAYS_READ) as client:
        answer = await client.get(f"{prefix}/gateways/nobody")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "GATEWAY_NOT_FOUND")
