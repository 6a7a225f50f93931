"""From a word of the cloud to a serving model and back, with real packages, children, files and scores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge_agent.models.request import RequestBox
from edge_agent.models.shelf import Shelf
from protocols.wanted import OWN, Phase, Standing, WantedModel
from tests.support.model_gateway import ModelGateway, wish
from tests.support.package_server import PackageServer
from tests.support.packages import make_package
from tests.support.waiting import until


@pytest.fixture(scope="module")
def packages() -> dict[int, bytes]:
    return {version: make_package("pump", version).pack() for version in (1, 2, 3)}


@pytest.fixture
def server(tmp_path: Path, packages: dict[int, bytes]) -> Iterator[PackageServer]:
    with PackageServer(tmp_path / "cloud") as server:
        for version, data in packages.items():
            server.repository.publish(f"pump/{version}.lsp", data)
        yield server


@pytest.fixture
async def gateway(tmp_path: Path, server: PackageServer) -> AsyncIterator[ModelGateway]:
    async with ModelGateway(tmp_path / "models", server) as gateway:
        yield gateway


async def test_a_wanted_model_is_fetched_tried_shadowed_and_serves(gateway: ModelGateway) -> None:
    gateway.want(wish(1))
    shadowing = await gateway.until_it_is(Standing.SHADOWING, 1)
    assert gateway.judges["pump-1"].serving == []
    assert (shadowing.rollout, 500 < shadowing.bytes < 1500) == ("r1", True)
    gateway.feed(99)
    await gateway.keeper.look()
    assert gateway.judges["pump-1"].serving == []
    gateway.feed(1)
    await gateway.until_it_is(Standing.SERVING, 1)
    told = await gateway.until_told("model_serving")
    assert [name for name, *_ in gateway.events] == ["model_shadowing", "model_serving"]
    assert (told["name"], told["version"], told["before"]) == ("pump", 1, OWN)


async def test_a_model_wanted_in_the_shadow_stays_there_until_told_otherwise(gateway: ModelGateway) -> None:
    gateway.want(wish(1, Phase.SHADOW))
    await gateway.until_it_is(Standing.SHADOWING, 1)
    gateway.feed(1000)
    await gateway.keeper.look()
    assert gateway.judges["pump-1"].serving == []
    gateway.want(wish(1))
    await gateway.until_it_is(Standing.SERVING, 1)


async def test_when_the_cloud_goes_back_the_model_before_serves_without_a_network(
    gateway: ModelGateway, server: PackageServer
) -> None:
    await gateway.serve(1)
    await gateway.serve(2)
    server.stop()
    gateway.want(wish(1, rollout="r0"))
    standing = await gateway.until_it_is(Standing.SERVING, 1)
    assert standing.rollout == "r0"
    told = await gateway.until_told("model_rolled_back")
    assert (told["version"], told["reason"], told["now"]) == (2, "not_wanted", "pump@1")


async def test_a_device_that_is_not_named_any_more_goes_back_to_its_own_model(gateway: ModelGateway) -> None:
    await gateway.serve(1)
    await gateway.serve(2)
    gateway.want()
    await until(lambda: not gateway.judges["pump-1"].serving)
    await gateway.until_told("model_rolled_back")
    assert Shelf(gateway.directory).slot("pump-1").files == frozenset()
    assert not list(gateway.directory.glob("devices/*/*.lsp"))


async def test_a_model_that_fails_while_it_serves_falls_back_and_is_not_tried_again(gateway: ModelGateway) -> None:
    await gateway.serve(1)
    await gateway.serve(2)
    gateway.judges["pump-1"].roll_back("late 3 times in a row")
    fallen = await gateway.until_it_is(Standing.ROLLED_BACK, 2)
    assert (fallen.reason, fallen.rollout) == ("failed", "r1")
    errands = gateway.bringer.errands
    gateway.want(wish(2))
    await gateway.keeper.look()
    assert (gateway.bringer.errands, gateway.standing(1) is not None) == (errands, True)


async def test_a_challenger_that_fails_in_the_shadow_never_serves(gateway: ModelGateway) -> None:
    gateway.want(wish(1))
    await gateway.until_it_is(Standing.SHADOWING, 1)
    gateway.judges["pump-1"].dismiss()
    refused = await gateway.until_it_is(Standing.REFUSED, 1)
    assert refused.reason == "failed_in_shadow"


async def test_a_challenger_that_is_late_never_serves(gateway: ModelGateway) -> None:
    gateway.want(wish(1))
    await gateway.until_it_is(Standing.SHADOWING, 1)
    challenger = gateway.judges["pump-1"].challenger
    assert challenger is not None
    challenger.invoke_us = 60_000.0
    gateway.feed()
    refused = await gateway.until_it_is(Standing.REFUSED, 1)
    assert refused.reason == "too_slow"


async def test_after_a_restart_the_model_serves_again_without_a_network(
    gateway: ModelGateway, server: PackageServer
) -> None:
    await gateway.serve(1)
    await gateway.serve(2)
    await gateway.stop()
    server.stop()
    gateway.events.clear()
    await gateway.start()
    await gateway.until_it_is(Standing.SERVING, 2)
    gateway.feed()
    gateway.judges["pump-1"].roll_back("failed")
    await gateway.until_it_is(Standing.SERVING, 1)
    assert not gateway.told("model_lost")


async def test_expired_signatures_stop_a_new_package_and_not_the_running_one(
    gateway: ModelGateway, server: PackageServer
) -> None:
    await gateway.serve(1)
    await gateway.stop()
    server.clock.move(-30 * 86_400)
    server.repository.publish("pump/9.lsp", b"signed for a time that is over")
    await gateway.start()
    gateway.want(wish(9))
    refused = await gateway.until_it_is(Standing.REFUSED, 9)
    assert refused.reason == "expired"
    assert gateway.standing(1) is not None


async def test_a_word_that_is_older_than_one_of_before_the_restart_is_void(gateway: ModelGateway) -> None:
    gateway.revision = 10
    await gateway.serve(1)
    await gateway.stop()
    await gateway.start()
    await gateway.until_it_is(Standing.SERVING, 1)
    gateway.revision = 4
    gateway.want(wish(2))
    assert gateway.keeper.inbox.stale == 1


async def test_without_a_set_clock_nothing_is_fetched(gateway: ModelGateway, server: PackageServer) -> None:
    gateway.clock_is_set = False
    gateway.want(wish(1))
    fetching = await gateway.until_it_is(Standing.FETCHING, 1)
    await until(lambda: gateway.bringer.trouble == "clock_unset")
    assert (fetching.rollout, server.asked) == ("r1", [])
    gateway.clock_is_set = True
    gateway.want(wish(1))
    await gateway.until_it_is(Standing.SHADOWING, 1)


@pytest.mark.slow
async def test_an_unreachable_cloud_is_told_of_once_and_asked_again_when_it_is_back(
    gateway: ModelGateway, server: PackageServer
) -> None:
    await gateway.serve(1)
    server.stop()
    gateway.want(wish(2))
    await until(lambda: gateway.bringer.errands >= 4, deadline_s=60)
    standing = gateway.standing(2)
    assert standing is not None
    assert (standing.standing, standing.reason) == (Standing.FETCHING, "unreachable")
    assert len(gateway.told("models_unreachable", "")) == 1
    server.start()
    gateway.want(wish(2))
    await gateway.until_it_is(Standing.SHADOWING, 2)
    await gateway.until_told("models_reachable", "")
    assert not gateway.told("model_refused")


async def test_several_devices_are_brought_with_one_errand(tmp_path: Path, server: PackageServer) -> None:
    devices = [f"pump-{i}" for i in range(5)]
    async with ModelGateway(tmp_path / "models", server, devices) as gateway:
        gateway.want(*(wish(1 + i % 2, device=device) for i, device in enumerate(devices)))
        for i, device in enumerate(devices):
            await gateway.until_it_is(Standing.SHADOWING, 1 + i % 2, device)
        assert gateway.bringer.errands == 1


async def test_a_model_for_a_device_that_is_not_judged_is_refused(gateway: ModelGateway) -> None:
    for _ in range(2):
        gateway.want(wish(1, device="fan-7"))
        refused = await gateway.until_it_is(Standing.REFUSED, 1, "fan-7")
    assert refused.reason == "no_such_device"
    assert len(gateway.told("model_refused", "fan-7")) == 1


async def test_a_package_of_another_model_than_its_path_says_is_refused(
    gateway: ModelGateway, server: PackageServer, packages: dict[int, bytes]
) -> None:
    server.repository.publish("pump/8.lsp", packages[3])
    gateway.want(wish(8))
    refused = await gateway.until_it_is(Standing.REFUSED, 8)
    assert refused.reason == "mislabelled"
    told = await gateway.until_told("model_refused")
    assert "asked for pump@8, this is pump@3" in str(told["detail"])


async def test_a_person_can_go_back_and_it_stays_so(gateway: ModelGateway) -> None:
    await gateway.serve(1)
    await gateway.serve(2)
    box = RequestBox(gateway.directory)
    answer = await asyncio.to_thread(box.ask, "pump-1", patience_s=10.0)
    assert answer is not None
    assert (answer.is_done, answer.words) == (True, "pump-1 went back from pump@2 to pump@1")
    back = await gateway.until_it_is(Standing.ROLLED_BACK, 2)
    assert back.reason == "operator_asked"
    await gateway.keeper.look()
    assert gateway.standing(1) is not None


@pytest.mark.parametrize(("device", "words"), [("pump-1", "own model already"), ("fan", "not judged")])
async def test_a_request_that_cannot_be_met_says_why(gateway: ModelGateway, device: str, words: str) -> None:
    await asyncio.to_thread(gateway.directory.mkdir, exist_ok=True)
    answer = await asyncio.to_thread(RequestBox(gateway.directory).ask, device, patience_s=10.0)
    assert answer is not None
    assert (answer.is_done, words in answer.words) == (False, True)


async def test_a_wish_that_changes_while_it_is_fetched_is_followed(gateway: ModelGateway) -> None:
    gateway.want(wish(1))
    await until(lambda: gateway.bringer.errands == 1)
    gateway.want(wish(2))
    await gateway.until_it_is(Standing.SHADOWING, 2)
    assert [told["version"] for told in gateway.told("model_shadowing")] == [2]


async def test_a_model_that_is_gone_from_the_disk_is_told_of_and_fetched_again(gateway: ModelGateway) -> None:
    await gateway.serve(1)
    await gateway.stop()
    for file in await asyncio.to_thread(list, gateway.directory.glob("devices/*/*.lsp")):
        file.unlink()
    await gateway.start()
    await gateway.until_it_is(Standing.SHADOWING, 1)
    assert len(gateway.told("model_lost")) == 1


def test_a_wish_names_its_path() -> None:
    assert wish(3) == WantedModel("pump-1", "pump", 3, "pump/3.lsp", Phase.SERVING, 100, "r1")
