"""Who may call what: every operation of both OpenAPI documents, and the doors in neither, for everybody there is.

Nobody gets a 2xx without the right, and nobody with it is turned away: keys with one scope each, a key with none, the
four roles, callers without a credential.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.app import alias_api, bare_api
from cloud.domain.role import ROLES, Role
from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
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
REGISTRY = "/api/2.0/mlflow"
DOORS = [
    ("GET", f"{REGISTRY}/registered-models/list", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/registered-models/search", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/registered-models/get?name=x", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/registered-models/get-latest-versions", Scope.MODELS_READ),
    ("GET", f"{REGISTRY}/model-versions/search", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/experiments/search", Scope.MODELS_READ),
    ("POST", f"{REGISTRY}/runs/search", Scope.MODELS_READ),
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
    for document in (bare_api("0").openapi(), alias_api("0").openapi()):
        for path, item in document["paths"].items():
            for method, what in item.items():
                scopes = {Scope(scope) for way in what.get("security", []) for names in way.values() for scope in names}
                yield Operation(method.upper(), path, frozenset(scopes), "401" not in what["responses"])


EVERY = list(operations())


@dataclass(frozen=True)
class Visitor:
    """Somebody with or without a credential."""

    name: str
    scopes: frozenset[Scope]
    client: httpx.AsyncClient
    is_known: bool = True

    def may(self, scopes: frozenset[Scope]) -> bool:
        """Return whether the scopes that an operation asks for are held."""
        return self.is_known and (Scope.ADMIN in self.scopes or scopes <= self.scopes)


@pytest_asyncio.fixture
async def visitors(template: Template, tmp_path: Path) -> AsyncIterator[list[Visitor]]:
    """Give everybody there is, before a cloud without rate limits."""
    async with running_cloud(template, tmp_path, limits={"profile": "off"}) as cloud:
        keyed = [(scope.value, frozenset({scope}), cloud.client(scope)) for scope in SIX]
        found = [Visitor(f"key {name}", scopes, client) for name, scopes, client in keyed]
        found += [await user(cloud, role) for role in Role]
        found.append(Visitor("nobody", frozenset(), cloud.client(), is_known=False))
        yield found
        for visitor in found:
            await visitor.client.aclose()


async def user(cloud: Cloud, role: Role) -> Visitor:
    """Return somebody who logged in with a role."""
    name = f"some-{role.value}"
    body = {"username": name, "email": f"{name}@plant.example", "password": PASSWORD, "role": role.value}
    client = cloud.client()
    async with cloud.client(Scope.ADMIN) as admin:
        assert (await admin.post("/api/v1/users", json=body)).status_code == 201
    told = await client.post("/api/v1/auth/token", data={"username": name, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {told.json()['access_token']}"
    return Visitor(role.value, ROLES[role], client)


def verdict(visitor: Visitor, scopes: frozenset[Scope], answer: httpx.Response) -> str:
    """Return what is wrong with an answer, empty where nothing is."""
    if visitor.may(scopes):
        is_refused = answer.status_code in REFUSED and answer.json().get("error_code") in TURNED_AWAY
        return f"is turned away with {answer.status_code}" if is_refused else ""
    wanted = 403 if visitor.is_known else 401
    return "" if answer.status_code == wanted else f"gets {answer.status_code}, not {wanted}"


async def test_an_operation_opens_to_those_with_the_right_and_to_nobody_else(visitors: list[Visitor]) -> None:
    closed = [one for one in EVERY if not one.is_open]
    assert len(closed) > 200
    wrong: list[str] = []
    for visitor in visitors:
        for one in closed:
            answer = await visitor.client.request(one.method, one.url)
            problem = verdict(visitor, one.scopes, answer)
            if problem:
                wrong.append(f"{visitor.name} {problem}: {one.method} {one.path}: {answer.text[:120]}")
    assert wrong == []


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_of_six_scopes_each_opens_its_own_route_alone(visitors: list[Visitor], prefix: str) -> None:
    by_name = {visitor.name: visitor.client for visitor in visitors}
    opened = {
        (scope, wanted)
        for scope in SIX
        for wanted, path in SIX.items()
        if (await by_name[f"key {scope}"].post(f"{prefix}{path}", json={})).status_code not in REFUSED
    }
    assert opened == {(scope, scope) for scope in SIX}


async def test_the_doors_in_neither_document_ask_for_the_right_too(visitors: list[Visitor]) -> None:
    wrong: list[str] = []
    for visitor in visitors:
        for method, url, scope in DOORS:
            answer = await visitor.client.request(method, url, json={"name": "x"} if method == "POST" else None)
            problem = verdict(visitor, frozenset({scope}), answer)
            if problem:
                wrong.append(f"{visitor.name} {problem}: {method} {url}")
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/reports/report.html", "/exports/export.json", "/socket.io/?EIO=4&transport=polling"]
)
async def test_files_and_feeds_open_to_nobody_without_a_credential(visitors: list[Visitor], path: str) -> None:
    nobody = visitors[-1].client
    answer = await nobody.get(path)
    assert answer.status_code in (401, 403, 404) or "unauthorized" in answer.text
    assert answer.status_code != 200 or "sid" not in answer.json()
