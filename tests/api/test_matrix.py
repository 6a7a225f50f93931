"""Who may call what: every operation of both OpenAPI documents, and the doors in neither, for everybody there is.

Nobody gets a 2xx without the right, and nobody with it is turned away: the four roles, callers without a credential or
with a wrong one, for each operation a key that holds its scopes alone and one that holds all but those; in the loop
tests every scope's key at every operation.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.app import alias_api, web
from cloud.domain.role import ROLES, Role
from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SHARED = pytest.mark.asyncio(loop_scope="module")
OURS = version("lineside")
NOBODY = "0197f3a2-5c1e-7d40-9a6b-001122334455"
SIX = {
    Scope.DATA_INGEST: "/data/ingest",
    Scope.REPORTS_GENERATE: "/reports/generate",
    Scope.TASKS_UPDATE: "/decisions/submit",
    Scope.ML_PREDICT: "/ml/predict",
    Scope.ML_ANOMALY: "/ml/detect_anomaly",
    Scope.ML_DRIFT: "/ml/check_drift",
}
PASSWORD = "correct-horse-battery-7"  # noqa: S105 - of users that live as long as a test
REFUSED = (401, 403)
TURNED_AWAY = ("MISSING_API_KEY", "MISSING_SCOPE", "PERMISSION_DENIED", "UNAUTHENTICATED")
WAYS_IN = {"/metrics", *(f"{mount}/auth/{name}" for mount in ("/api/v1", "/api") for name in ("login", "token"))}
"""Open, though 401 is an answer: to a wrong password, and where `metrics_require_key` is set."""
REGISTRY = "/api/2.0/mlflow"
DOORS = [
    ("GET", f"{REGISTRY}/registered-models/list", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/registered-models/search", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/registered-models/get?name=x", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/registered-models/get-latest-versions", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/model-versions/search", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/experiments/search", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/runs/search", Scope.MODELS_READ),
    ("GET", "/reports/report.html", Scope.REPORTS_GENERATE),
    ("GET", "/exports/export.json", Scope.REPORTS_GENERATE),
]
"""Doors in neither document whose right is one scope."""


@dataclass(frozen=True)
class Operation:
    """One operation of a document; scopes: what it asks for; is_open: it asks for no credential."""

    method: str
    path: str
    scopes: frozenset[Scope]
    is_open: bool

    @property
    def url(self) -> str:
        """Return the path with ids of nothing."""
        parts = self.path.split("/")
        return "/".join(NOBODY if "{" in part else part for part in parts)


def operations() -> Iterator[Operation]:
    for document in (web(OURS, docs=True).openapi(), alias_api(OURS).openapi()):
        for path, item in document["paths"].items():
            for method, what in item.items():
                scopes = {Scope(scope) for way in what.get("security", []) for names in way.values() for scope in names}
                is_open = "401" not in what["responses"] or path in WAYS_IN
                yield Operation(method.upper(), path, frozenset(scopes), is_open)


EVERY = list(operations())


@dataclass(frozen=True)
class Visitor:
    """Somebody with or without a credential."""

    name: str
    scopes: frozenset[Scope]
    headers: Mapping[str, str]
    is_known: bool = True

    def may(self, scopes: frozenset[Scope]) -> bool:
        """Return whether the scopes that an operation asks for are held."""
        return self.is_known and (Scope.ADMIN in self.scopes or scopes <= self.scopes)


@dataclass(frozen=True)
class Gate:
    """A cloud without rate limits, and everybody who comes to it."""

    cloud: Cloud
    client: httpx.AsyncClient
    roles: Mapping[Role, Visitor]
    nobody: Visitor
    stranger: Visitor
    keyed: Mapping[frozenset[Scope], Visitor]

    def holder(self, scopes: Collection[Scope]) -> Visitor:
        """Return who has a key with these scopes and no others."""
        return self.keyed[frozenset(scopes)]

    def near(self, operation: Operation) -> list[Visitor]:
        """Return whom an operation tells apart: each role, no credential, a wrong one, its scopes alone, all others."""
        found = [*self.roles.values(), self.nobody, self.stranger]
        if operation.scopes:
            found += [self.holder(operation.scopes), self.holder(others(operation.scopes))]
        return found

    async def wrong(self, visitor: Visitor, method: str, url: str, scopes: frozenset[Scope], **sent: Any) -> list[str]:  # noqa: ANN401 - JSON
        """Return what is wrong with an answer, nothing where it is right."""
        answer = await self.client.request(method, url, headers=visitor.headers, **sent)
        if visitor.may(scopes):
            is_refused = answer.status_code in REFUSED and code_of(answer) in TURNED_AWAY
            problem = f"is turned away with {answer.status_code}" if is_refused else ""
        else:
            wanted = 403 if visitor.is_known else 401
            problem = "" if answer.status_code == wanted else f"gets {answer.status_code}, not {wanted}"
        return [f"{visitor.name} {problem}: {method} {url}: {answer.text[:120]}"] if problem else []


def code_of(answer: httpx.Response) -> str:
    """Return the code of an error in any of the three shapes."""
    told = answer.json()
    inner = told.get("error")
    return str(told.get("error_code") or (inner.get("code") if isinstance(inner, dict) else inner))


def others(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Return every scope but these, and but the one that is all of them."""
    return frozenset(Scope) - scopes - {Scope.ADMIN}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gate]:
    """Give the cloud, with a user of each role and a key of each kind."""
    wanted = {one.scopes for one in EVERY if one.scopes} | {frozenset({scope}) for scope in Scope}
    wanted |= {others(scopes) for scopes in wanted}
    limits = {"profile": "off"}
    async with (
        running_cloud(template, tmp_path_factory.mktemp("matrix"), limits=limits) as cloud,
        cloud.client() as http,
    ):
        keyed = {
            scopes: Visitor(f"key {' '.join(sorted(scopes))}", scopes, {"X-API-Key": cloud.key(*scopes)})
            for scopes in wanted
        }
        roles = {role: await user(cloud, role) for role in Role}
        nobody = Visitor("nobody", frozenset(), {}, is_known=False)
        stranger = Visitor("stranger", frozenset(), {"X-API-Key": "ls_wrong_wrong"}, is_known=False)
        yield Gate(cloud, http, roles, nobody, stranger, keyed)


async def user(cloud: Cloud, role: Role) -> Visitor:
    """Return somebody who logged in with a role."""
    name = f"some-{role.value}"
    body = {"username": name, "email": f"{name}@plant.example", "password": PASSWORD, "role": role.value}
    async with cloud.client(Scope.ADMIN) as admin:
        assert (await admin.post("/api/v1/users", json=body)).status_code == 201
        told = await admin.post("/api/v1/auth/token", data={"username": name, "password": PASSWORD})
    return Visitor(role.value, ROLES[role], {"Authorization": f"Bearer {told.json()['access_token']}"})


@SHARED
async def test_an_operation_opens_to_those_with_the_right_and_to_nobody_else(gate: Gate) -> None:
    closed = [one for one in EVERY if not one.is_open]
    assert len(closed) > 200
    wrong: list[str] = []
    for one in closed:
        for visitor in gate.near(one):
            wrong += await gate.wrong(visitor, one.method, one.url, one.scopes)
    assert wrong == []


@SHARED
@pytest.mark.loop
async def test_a_key_of_one_scope_opens_what_names_that_scope_and_nothing_else(gate: Gate) -> None:
    wrong: list[str] = []
    for one in EVERY:
        for scope in Scope:
            if not one.is_open:
                wrong += await gate.wrong(gate.holder([scope]), one.method, one.url, one.scopes)
    assert wrong == []


@SHARED
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_of_six_scopes_each_opens_its_own_route_alone(gate: Gate, prefix: str) -> None:
    wrong: list[str] = []
    for scope in SIX:
        for wanted, path in SIX.items():
            wrong += await gate.wrong(gate.holder([scope]), "POST", f"{prefix}{path}", frozenset({wanted}), json={})
    assert wrong == []


@SHARED
async def test_the_doors_in_neither_document_ask_for_the_right_too(gate: Gate) -> None:
    wrong: list[str] = []
    visitors = [*gate.roles.values(), gate.nobody, gate.stranger, *(gate.holder([scope]) for scope in Scope)]
    for method, url, scope in DOORS:
        for visitor in visitors:
            sent = {"json": {"name": "x"}} if method == "POST" else {}
            wrong += await gate.wrong(visitor, method, url, frozenset({scope}), **sent)
    assert wrong == []


@SHARED
async def test_socket_io_says_nothing_but_no_to_whom_it_does_not_know(gate: Gate) -> None:
    for token in ("", "ls_wrong_wrong"):
        assert "unauthorized" in await socket_io(gate.client, token)
    for role in gate.roles.values():
        said = await socket_io(gate.client, role.headers["Authorization"].removeprefix("Bearer "))
        assert said.startswith("40{"), f"{role.name}: {said}"


async def socket_io(client: httpx.AsyncClient, token: str) -> str:
    """Return what is answered to the wish to connect, by Engine.IO's polling."""
    url = "/socket.io/?EIO=4&transport=polling"
    opened = json.loads((await client.get(url)).text.removeprefix("0"))
    url = f"{url}&sid={opened['sid']}"
    await client.post(url, content="40" + (json.dumps({"token": token}) if token else ""))
    return (await client.get(url)).text


@SHARED
async def test_the_websocket_closes_on_whom_it_does_not_know(gate: Gate) -> None:
    for token in ("", "ls_wrong_wrong"):
        assert (await websocket(gate.cloud, token))[-1] == {"type": "websocket.close", "code": 1008}
    for role in gate.roles.values():
        said = await websocket(gate.cloud, role.headers["Authorization"].removeprefix("Bearer "))
        assert said[-1]["type"] == "websocket.send", f"{role.name}: {said}"


async def websocket(cloud: Cloud, token: str) -> list[dict[str, Any]]:
    """Return what /ws sends until it says something or closes; who connects shows a token, then greets."""
    said: list[dict[str, Any]] = []
    coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": '{"type":"ping"}'}):
        coming.put_nowait(message)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        said.append({name: message[name] for name in ("type", "code", "text") if name in message})
        if message["type"] != "websocket.accept":
            coming.put_nowait({"type": "websocket.disconnect", "code": 1000})

    query = f"token={token}".encode() if token else b""
    headers = [(b"host", b"127.0.0.1")]
    scope = {"type": "websocket", "path": "/ws", "query_string": query, "headers": headers, "subprotocols": []}
    place = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "ws", "asgi": {"version": "3.0"}}
    await asyncio.wait_for(cloud.api.app({**scope, **place}, coming.get, send), 30)
    return said


def test_what_asks_for_a_credential_and_no_scope_is_about_the_caller_alone() -> None:
    bare = {one.path for one in EVERY if not one.scopes and not one.is_open}
    assert {path.rpartition("/")[2] for path in bare} == {"me", "password", "refresh"}


@SHARED
async def test_pages_of_the_console_are_the_same_for_everybody_and_hold_nothing_that_needs_a_right(gate: Gate) -> None:
    visitors = [*gate.roles.values(), gate.nobody, gate.stranger, gate.holder([Scope.ADMIN])]
    for path in ("/ui/", "/ui/settings", "/ui/assets/none.js", "/ui/%2e%2e/api/v1/users"):
        answers = [await gate.client.get(path, headers=one.headers) for one in visitors]
        said = {(one.status_code, one.content.partition(b'"timestamp"')[0]) for one in answers}
        assert len(said) == 1, path
        assert {status for status, _ in said} <= {200, 404}, path
