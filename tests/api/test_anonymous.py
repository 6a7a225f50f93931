"""Without a credential: from this machine alone, where that is allowed, and never as an administrator."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.clock import SystemClock
from cloud.diagnosis import may_listen
from cloud.errors import InvalidConfig
from cloud.wiring import open_api
from tests.support.cloud import Cloud, Template, running_cloud, settings_in
from tests.support.people import bearer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trusting(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    """Give a cloud that lets programs on its own machine in; one for all, since nothing here leaves a trace."""
    async with running_cloud(template, tmp_path_factory.mktemp("trusting"), auth={"anonymous": True}) as running:
        yield running


async def asked(cloud: Cloud, headers: dict[str, str], *, client: str = "127.0.0.1", host: str = "localhost") -> int:
    transport = httpx.ASGITransport(cloud.api.app, client=(client, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as caller:
        return (await caller.get("/api/devices", headers=headers)).status_code


@pytest.mark.asyncio(loop_scope="module")
async def test_the_documented_calls_without_credentials_work(trusting: Cloud) -> None:
    async with trusting.client() as client:
        read = await client.get("/api/models")
        wrote = await client.put("/api/settings", json={"general": {"theme": "dark"}})
        me = await client.get("/api/auth/me")
    assert (read.status_code, wrote.status_code) == (200, 200)
    assert me.json()["logged_in_as"] == "anonymous"


@pytest.mark.asyncio(loop_scope="module")
async def test_users_and_keys_stay_an_administrators(trusting: Cloud) -> None:
    async with trusting.client() as client:
        answers = [await client.get(f"/api/{path}") for path in ("users", "keys", "users/invites")]
        made = await client.post("/api/keys", json={"name": "mine", "scopes": ["admin"]})
    assert {one.status_code for one in (*answers, made)} == {403}


@pytest.mark.asyncio(loop_scope="module")
async def test_names_of_this_machine_are_taken_and_others_are_asked_who_they_are(trusting: Cloud) -> None:
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000"):
        assert await asked(trusting, {"Host": host}) == 200, host
    for host in ("192.168.1.20", "10.0.0.1:8000", "[fe80::1]", ""):
        assert await asked(trusting, {"Host": host}) == 401, host


@pytest.mark.asyncio(loop_scope="module")
async def test_whoever_comes_through_a_proxy_is_asked_who_it_is(trusting: Cloud) -> None:
    for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Whatever", "Via", "X-Real-IP"):
        assert await asked(trusting, {name: "127.0.0.1"}) == 401, name


@pytest.mark.asyncio(loop_scope="module")
async def test_another_machine_is_asked_who_it_is(trusting: Cloud) -> None:
    assert await asked(trusting, {}, client="192.168.1.20") == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_of_somebody_else_is_asked_who_it_is(trusting: Cloud) -> None:
    for origin in ("http://evil.example", "null", "http://localhost:9", "http://localhost.evil.example"):
        assert await asked(trusting, {"Origin": origin}) == 401, origin
    for site in ("cross-site", "same-site"):
        assert await asked(trusting, {"Sec-Fetch-Site": site}) == 401, site


@pytest.mark.asyncio(loop_scope="module")
async def test_our_own_pages_are_let_in(trusting: Cloud) -> None:
    assert await asked(trusting, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}) == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_credential_is_refused_all_the_same(trusting: Cloud) -> None:
    assert await asked(trusting, {"X-API-Key": "lsk_nope_nope"}) == 401
    assert await asked(trusting, bearer("nope")) == 401


async def test_by_default_nobody_comes_in_without_a_credential(cloud: Cloud) -> None:
    assert await asked(cloud, {}) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::"])  # noqa: S104 - is refused
def test_it_does_not_start_where_others_could_reach_it(template: Template, tmp_path: Path, host: str) -> None:
    template.copy_to(tmp_path)
    settings = settings_in(tmp_path, api={"host": host}, auth={"anonymous": True})
    check = may_listen(settings, SystemClock())
    assert not check.is_well
    assert "anonymous" in check.finding
    with pytest.raises(InvalidConfig, match=r"auth\.anonymous"):
        open_api(settings, SystemClock())
