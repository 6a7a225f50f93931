"""The door by which gateways fetch signed packages: the real TUF client over the real application."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.clock import SystemClock
from cloud.domain.scopes import Scope
from cloud.fleet.repository import PackageRepository
from tests.support.cloud import Cloud

BODY = b"LSP1 a package of some length"


def repository(cloud: Cloud) -> PackageRepository:
    return PackageRepository(cloud.settings.packages_path, SystemClock())


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    made = repository(cloud)
    made.create(cloud.settings.offline_keys_path)
    made.publish("pump/1.lsp", BODY)
    async with cloud.client(Scope.MODELS_READ) as opened:
        yield opened


def _target(cloud: Cloud) -> str:
    (found,) = (cloud.settings.packages_path / "targets" / "pump").iterdir()
    return f"pump/{found.name}"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_metadata_and_packages_are_served_under_both_prefixes(
    cloud: Cloud, client: httpx.AsyncClient, prefix: str
) -> None:
    timestamp = await client.get(f"{prefix}/packages/metadata/timestamp.json")
    assert timestamp.content == (cloud.settings.packages_path / "metadata/timestamp.json").read_bytes()
    package = await client.get(f"{prefix}/packages/targets/{_target(cloud)}")
    assert (package.status_code, package.content) == (200, BODY)


async def test_the_next_root_is_404_so_that_clients_go_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/packages/metadata/2.root.json")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "METADATA_NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "metadata/..%2Fkeys%2Fmodels-1.pem",
        "metadata/root.json",
        "targets/..%2Fkeys%2Fmodels-1.pem",
        "targets/../keys/models-1.pem",
        "targets/pump/1.lsp",
        "targets//etc/passwd",
        "targets/pump/%00.1.lsp",
    ],
)
async def test_nothing_but_metadata_and_packages_can_be_reached(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/v1/packages/{path}")
    assert answer.status_code == 404
    assert "PRIVATE" not in answer.text


async def test_a_package_can_be_fetched_from_the_middle(cloud: Cloud, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/v1/packages/targets/{_target(cloud)}", headers={"Range": "bytes=5-"})
    assert (answer.status_code, answer.content) == (206, BODY[5:])


async def test_what_did_not_change_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/v1/packages/metadata/timestamp.json")
    again = await client.get(
        "/api/v1/packages/metadata/timestamp.json", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_a_key_that_may_not_read_models_is_refused(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as wrong, cloud.client() as nobody:
        statuses = [(await one.get("/api/v1/packages/metadata/timestamp.json")).status_code for one in (wrong, nobody)]
    assert statuses == [403, 401]


async def test_without_a_repository_there_is_no_metadata(cloud: Cloud) -> None:
    async with cloud.client(Scope.MODELS_READ) as client:
        assert (await client.get("/api/v1/packages/metadata/1.root.json")).status_code == 404


def test_keys_are_never_among_what_the_door_serves(tmp_path: Path) -> None:
    made = PackageRepository(tmp_path / "packages", SystemClock())
    made.create(tmp_path / "offline")
    served = [*(tmp_path / "packages/metadata").iterdir(), *(tmp_path / "packages").glob("targets/*/*")]
    assert served
    assert not any(b"PRIVATE" in one.read_bytes() for one in served)
