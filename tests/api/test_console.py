"""The operator console's files: one page for its routes, cached as they may be, under a policy of its own."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.api.metrics import Metrics
from cloud.app import build_app
from cloud.domain.scopes import Scope
from cloud.wiring import door_of
from tests.support.cloud import BASE, Cloud, Template, running_cloud

PAGE = '<!doctype html><html lang="en"><head><title>Lineside</title></head></html>'
SCRIPT = "console." + "x" * 2000
POLICY = {
    "default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'",
    "script-src-attr 'none'",
}  # fmt: skip
ROUTES = (
    "", "devices/pump-1", "devices/plant.line-1", "devices/a%20b", "alarms", "decisions", "models", "data", "jobs",
    "reports", "forecast", "settings", "system", "explorer", "login", "setup", "no/such/page",
)  # fmt: skip
MISSING = (
    "assets/none.js", "assets/", "assets/%2e%2e/index.html", "favicon.ico", "robots.txt", "..%2fwiring.py",
    "%2e%2e/wiring.py", "assets/..%2f..%2fwiring.py", "devices/%2e%2e/%2e%2e/wiring.py", "assets/index-Ab12.js.gz",
    ".vite/manifest.json", "assets/index-Ab12.js.map", "assets/a%00b.js", "notes.bin", "%2fetc%2fpasswd/%2e%2e/x.txt",
)  # fmt: skip


def app_over(cloud: Cloud, directory: Path) -> httpx.AsyncClient:
    """Return a client of the same cloud with its console in a folder."""
    services = replace(cloud.api.services, console=directory)
    app = build_app(services, Metrics(), door_of(cloud.settings), cloud.api.hub)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    """Give one cloud to all: nothing here leaves a trace."""
    async with running_cloud(template, tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a folder as the build leaves it, with a secret beside it."""
    built = tmp_path / "static"
    (built / "assets").mkdir(parents=True)
    (built / ".vite").mkdir()
    (built / "index.html").write_text(PAGE)
    (built / "icon.svg").write_text("<svg/>")
    (built / "notes.bin").write_text("not to be served")
    (built / ".vite" / "manifest.json").write_text("{}")
    (built / "assets" / "index-Ab12.js").write_text(SCRIPT)
    (built / "assets" / "index-Ab12.js.map").write_text("{}")
    (built / "assets" / "index-Ab12.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "wiring.py").write_text("secret")
    return built


@pytest_asyncio.fixture(loop_scope="module")
async def client(cloud: Cloud, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give somebody without any credential."""
    async with app_over(cloud, directory) as visitor:
        yield visitor


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("route", ROUTES)
async def test_a_route_of_the_console_is_its_page(client: httpx.AsyncClient, route: str) -> None:
    answer = await client.get(f"/ui/{route}")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", MISSING)
async def test_a_file_that_is_not_part_of_it_is_404_and_never_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/ui/{path}")
    assert answer.status_code == 404
    assert answer.json()["error_code"] in ("RESOURCE_NOT_FOUND", "NOT_FOUND")
    assert "no-store" in answer.headers["Cache-Control"]


async def test_what_is_hashed_is_kept_for_ever_and_the_rest_is_asked_for_again(client: httpx.AsyncClient) -> None:
    asset, page, icon = [await client.get(f"/ui/{path}") for path in ("assets/index-Ab12.js", "", "icon.svg")]
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asset.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert page.headers["Cache-Control"] == icon.headers["Cache-Control"] == "no-cache"


async def test_who_has_the_page_already_is_told_so_until_it_changes(client: httpx.AsyncClient, directory: Path) -> None:
    tag = (await client.get("/ui/")).headers["ETag"]
    same = await client.get("/ui/alarms", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert "default-src 'self'" in same.headers["Content-Security-Policy"]
    (directory / "index.html").write_text(PAGE.replace("Lineside", "Newer"))
    changed = await client.get("/ui/", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert "Newer" in changed.text


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("*", "gzip"), ("br", ""), ("gzip;q=0", "")])
async def test_what_was_packed_when_it_was_built_goes_to_who_takes_it(
    client: httpx.AsyncClient, accepted: str, encoding: str
) -> None:
    answer = await client.get("/ui/assets/index-Ab12.js", headers={"Accept-Encoding": accepted})
    assert answer.text == SCRIPT
    assert answer.headers.get("Content-Encoding", "") == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert (int(answer.headers["Content-Length"]) < 200) is bool(encoding)


async def test_two_encodings_have_two_tags(client: httpx.AsyncClient) -> None:
    tags = {
        (await client.get("/ui/assets/index-Ab12.js", headers={"Accept-Encoding": accepted})).headers["ETag"]
        for accepted in ("gzip", "identity")
    }
    assert len(tags) == 2


@pytest.mark.parametrize("path", ["", "alarms", "assets/index-Ab12.js"])
async def test_head_says_what_get_would_and_sends_nothing(client: httpx.AsyncClient, path: str) -> None:
    told, given = await client.head(f"/ui/{path}"), await client.get(f"/ui/{path}")
    assert (told.status_code, told.content) == (200, b"")
    own = {"x-request-id"}
    assert {k: v for k, v in told.headers.items() if k not in own} == {
        k: v for k, v in given.headers.items() if k not in own
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_is_sent_to_the_console(client: httpx.AsyncClient, method: str) -> None:
    assert (await client.request(method, "/ui/")).status_code == 405


@pytest.mark.parametrize("path", ["", "assets/index-Ab12.js", "alarms"])
async def test_the_policy_lets_nothing_else_in(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(f"/ui/{path}")).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "set-cookie" not in headers


async def test_everybody_gets_the_same_files(cloud: Cloud, directory: Path) -> None:
    async with app_over(cloud, directory) as visitor:
        shown = [
            await visitor.get("/ui/settings", headers=headers)
            for headers in ({}, {"X-API-Key": "lsk_wrong_wrong"}, {"X-API-Key": cloud.key(Scope.ADMIN)})
        ]
    assert {answer.content for answer in shown} == {PAGE.encode()}
    assert {answer.status_code for answer in shown} == {200}


async def test_the_console_counts_towards_no_limit(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/ui/") for _ in range(150)]
    assert {answer.status_code for answer in answers} == {200}
    assert not [name for name in answers[-1].headers if name.startswith("x-ratelimit")]


async def test_browsers_are_sent_to_the_console(client: httpx.AsyncClient) -> None:
    root = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (root.status_code, root.headers["Location"]) == (307, "/ui/")
    assert (await client.get("/ui")).headers["Location"] == "/ui/"
    assert (await client.get("/")).json()["name"] == "Lineside"


async def test_without_a_built_console_a_page_says_how_to_build_it(cloud: Cloud, tmp_path: Path) -> None:
    async with app_over(cloud, tmp_path / "nothing") as visitor:
        root = await visitor.get("/", headers={"Accept": "text/html"})
        answers = [await visitor.get(f"/ui/{path}") for path in ("", "alarms", "assets/index-Ab12.js")]
    assert root.headers["Location"] == "/docs"
    for answer in answers:
        assert answer.status_code == 404
        assert "make console" in answer.text
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_console_is_no_operation_of_the_documents(client: httpx.AsyncClient) -> None:
    for document in ("/openapi.json", "/api/openapi.json"):
        assert not [path for path in (await client.get(document)).json()["paths"] if path.startswith("/ui")]


async def test_the_metrics_know_one_route_of_the_console(cloud: Cloud, directory: Path) -> None:
    async with app_over(cloud, directory) as visitor:
        for route in ROUTES[:4]:
            await visitor.get(f"/ui/{route}")
        text = (await visitor.get("/metrics")).text
    assert 'handler="/ui/{path:path}"' in text
    assert "pump-1" not in text
