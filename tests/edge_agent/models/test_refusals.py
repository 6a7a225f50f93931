"""Packages that must not run: each is refused by name and told of, and the model before goes on judging."""

import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.models.errand import Reason
from protocols.package import Package
from protocols.wanted import Standing
from tests.support.bad_networks import in_floats, looping
from tests.support.cloud_clock import HandClock
from tests.support.model_gateway import ModelGateway, wish
from tests.support.package_server import TARGETS, PackageServer
from tests.support.packages import make_package, with_network

DAY_S = 86_400


@pytest.fixture(scope="module")
def packages() -> dict[int, Package]:
    return {version: make_package("pump", version) for version in (1, 2)}


@pytest.fixture
def server(tmp_path: Path, packages: dict[int, Package]) -> Iterator[PackageServer]:
    with PackageServer(tmp_path / "cloud", HandClock(time.time_ns() // 1000)) as server:
        for version, package in packages.items():
            server.repository.publish(f"pump/{version}.lsp", package.pack())
        yield server


@pytest.fixture
async def gateway(tmp_path: Path, server: PackageServer) -> AsyncIterator[ModelGateway]:
    async with ModelGateway(tmp_path / "models", server) as gateway:
        await gateway.serve(1)
        yield gateway


async def refused(gateway: ModelGateway, version: int, reason: Reason) -> None:
    """Want a version; see it refused and told of once, and the first one judging as before."""
    gateway.want(wish(version))
    standing = await gateway.until_it_is(Standing.REFUSED, version)
    told = await gateway.until_told("model_refused")
    assert (standing.reason, told["reason"], told["version"]) == (reason.value, reason.value, version)
    judge = gateway.judges["pump-1"]
    before = judge.serving[-1].rows
    gateway.feed(10)
    assert (judge.serving[-1].candidate.version, judge.serving[-1].rows - before) == (1, 10)
    assert judge.challenger is None
    assert len(gateway.told("model_refused")) == 1


async def test_a_tampered_package(gateway: ModelGateway, server: PackageServer) -> None:
    server.mischief.change = lambda path, data: data[:-1] + b"!" if path.startswith(TARGETS) else data
    await refused(gateway, 2, Reason.TAMPERED)


async def test_an_expired_package(gateway: ModelGateway, server: PackageServer) -> None:
    server.clock.move(-10 * DAY_S)
    server.repository.publish("pump/3.lsp", make_package("pump", 3).pack())
    await refused(gateway, 3, Reason.EXPIRED)


async def test_an_older_package(gateway: ModelGateway, server: PackageServer, tmp_path: Path) -> None:
    """A repository as it was: what it shows is signed, and older than what this gateway has seen."""
    place = tmp_path / "cloud" / "repository"
    shutil.copytree(place, tmp_path / "before")
    server.repository.publish("pump/3.lsp", make_package("pump", 3).pack())
    gateway.want(wish(3))
    await gateway.until_it_is(Standing.SHADOWING, 3)
    gateway.want(wish(1))
    await gateway.until_told("model_dismissed")
    shutil.copytree(tmp_path / "before", place, dirs_exist_ok=True)
    await refused(gateway, 2, Reason.OLDER)


async def test_a_foreign_package(gateway: ModelGateway, server: PackageServer, tmp_path: Path) -> None:
    with PackageServer(tmp_path / "foreign") as foreign:
        foreign.repository.publish("pump/2.lsp", make_package("pump", 2).pack())
    place = tmp_path / "cloud" / "repository"
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "foreign" / "repository", place)
    assert server.root.read_bytes() != foreign.root.read_bytes()
    await refused(gateway, 2, Reason.FOREIGN)


async def test_a_truncated_package(gateway: ModelGateway, server: PackageServer) -> None:
    server.mischief.change = lambda path, data: data[:-9] if path.startswith(TARGETS) else data
    await refused(gateway, 2, Reason.TRUNCATED)


def without_its_end(good: Package) -> Package:
    return with_network(good, good.network[: len(good.network) // 2])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_its_end, Reason.NOT_LOADABLE),
        (lambda good: with_network(good, in_floats(good.network)), Reason.NOT_INT8),
        (lambda _: with_network(make_package("pump", 4), make_package("pump", 4, "abcd").network), Reason.WRONG_INPUTS),
        (lambda good: with_network(good, looping(good.network)), Reason.OPERATOR),
    ],
    ids=["truncated network", "not int8", "wrong inputs", "loop"],
)
async def test_a_signed_package_with_a_bad_network(
    gateway: ModelGateway, server: PackageServer, spoil: Callable[[Package], Package], reason: Reason
) -> None:
    server.repository.publish("pump/4.lsp", spoil(make_package("pump", 4)).pack())
    await refused(gateway, 4, reason)


@pytest.mark.slow
async def test_a_refusal_that_the_cloud_mends_is_taken_later(gateway: ModelGateway, server: PackageServer) -> None:
    await refused(gateway, 5, Reason.NOT_FOUND)
    server.repository.publish("pump/5.lsp", make_package("pump", 5).pack())
    await gateway.until_it_is(Standing.SHADOWING, 5)
