"""/models and /rollouts over the real application: shapes of both documents, deeds, refusals by field."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from cloud.clock import SystemClock
from cloud.domain.model import CHAMPION, Task
from cloud.domain.scopes import Scope
from cloud.fleet.repository import PackageRepository
from cloud.ingest.books import Books
from cloud.ingest.roster import Roster
from cloud.storage.chunks.database import Database
from protocols.delivery import State
from protocols.wanted import OWN, ModelStanding, Standing
from tests.support import learned
from tests.support.cloud import Cloud, Template, running_cloud
from tests.support.plain_packages import package


def _fleet(path: Path) -> None:
    """Let 20 gateways have said that they judge a pump each."""
    database = Database(path, minimum_free=0.0)
    books = Books.open(database, now_s=1_750_000_000)
    roster = Roster(database, books.ledger)
    with database.transaction():
        for number in range(20):
            own = ModelStanding("pump-1", OWN, 1, Standing.SERVING, rows=500, over=0.01)
            state = State(online=True, epoch=1, models=(own,))
            roster.state(f"gw-{number}", state, is_retained=False, now_us=1_750_000_000_000_000)
    database.close()


@pytest_asyncio.fixture
async def plant(template: Template, tmp_path: Path) -> AsyncIterator[Cloud]:
    async with running_cloud(template, tmp_path, prepare=_fleet) as cloud:
        PackageRepository(cloud.settings.packages_path, SystemClock()).create(cloud.settings.offline_keys_path)
        models = cloud.api.services.models
        for _ in range(2):
            models.add_version("pump", algorithm="whitening", task=Task.ANOMALY, package=package(), by="test")
        models.add_version(
            "failures",
            algorithm="lightgbm",
            task=Task.CLASSIFICATION,
            files={"trees.txt": b"x"},
            metrics={"accuracy": 0.97},
            lineage={"dataset": "file_1", "rows": 10},
            by="test",
        )
        yield cloud


@pytest_asyncio.fixture
async def client(plant: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    async with plant.client(Scope.MODELS_READ, Scope.MODELS_WRITE, Scope.GATEWAYS_READ) as opened:
        yield opened


async def get(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 JSON
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_prefix_lists_models_as_its_document_says(plant: Cloud, client: httpx.AsyncClient) -> None:
    assert (await get(client, "/api/v1/models"))["models"] == []
    plant.api.services.models.set_alias("pump", CHAMPION, 1, by="test")
    (active,) = (await get(client, "/api/v1/models"))["models"]
    assert (active["name"], active["version"], active["status"]) == ("pump", 1, "active")
    everything = await get(client, "/api/models?sort=name")
    assert [one["name"] for one in everything["models"]] == ["failures", "pump"]
    assert {key: everything[key] for key in ("total", "page", "limit")} == {"total": 2, "page": 1, "limit": 20}
    assert [one["status"] for one in everything["models"]] == ["trained", "deployed"]
    assert {"id", "name", "type", "accuracy", "status", "created_at", "deployed_at"} <= set(everything["models"][0])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=deployed", ["pump"]),
        ("status=active", ["pump"]),
        ("status=trained", ["failures"]),
        ("status=all&sort=accuracy", ["failures", "pump"]),
        ("status=archived", []),
        ("status=all&limit=1&page=2&sort=name", ["pump"]),
    ],
)
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_lists_are_filtered_sorted_and_paged(
    plant: Cloud, client: httpx.AsyncClient, prefix: str, query: str, names: list[str]
) -> None:
    plant.api.services.models.set_alias("pump", CHAMPION, 1, by="test")
    found = await get(client, f"{prefix}/models?{query}")
    assert [one["name"] for one in found["models"]] == names


async def test_a_model_shows_versions_training_data_and_gateways(client: httpx.AsyncClient) -> None:
    shown = await get(client, "/api/models/pump")
    assert [one["version"] for one in shown["versions"]] == [2, 1]
    assert shown["training_data"] == {"file_id": "", "rows": 400, "features": ["flow", "pressure"]}
    assert await get(client, f"/api/models/{shown['id']}") == shown
    other = await get(client, "/api/models/failures")
    assert (other["accuracy"], other["training_data"]["file_id"]) == (0.97, "file_1")


async def test_publishing_signs_once(plant: Cloud, client: httpx.AsyncClient) -> None:
    first = await client.post("/api/v1/models/pump/publish", json={"version": 1})
    assert (first.status_code, first.json()["path"]) == (200, "pump/1.lsp")
    assert (await client.post("/api/v1/models/pump/publish", json={"version": 1})).json() == first.json()
    newest = await client.post("/api/v1/models/pump/publish")
    assert newest.json()["path"] == "pump/2.lsp"
    assert len(list((plant.settings.packages_path / "targets/pump").iterdir())) == 2


async def test_a_model_is_deployed_in_the_cloud_at_once(plant: Cloud, client: httpx.AsyncClient) -> None:
    learned.keep(plant.api.services.models, "trees", learned.regressor(), serves=False)
    answer = await client.post("/api/models/trees/deploy")
    body = answer.json()
    assert (answer.status_code, body["status"], body["rollout_id"]) == (200, "deployed", None)
    assert body["endpoint"] == f"/api/predict/{body['model_id']}"
    assert (await get(client, "/api/models/trees"))["status"] == "deployed"


async def test_a_model_with_a_package_is_rolled_out(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/models/pump/deploy", json={"target": "edge", "canary_percent": 10, "cohort": ["gw-?"]}
    )
    body = answer.json()
    assert (answer.status_code, body["status"], body["version"]) == (200, "deploying", 2)
    rollout = await get(client, f"/api/rollouts/{body['rollout_id']}")
    assert (rollout["groups"], len(rollout["members"])) == ([10.0, 100.0], 10)


async def test_a_rollout_is_started_shown_paused_resumed_and_rolled_back(client: httpx.AsyncClient) -> None:
    wish = {"model": "pump", "version": 1, "groups": [10, 100], "needs_approval": True, "soak_s": 0}
    started = await client.post("/api/v1/rollouts", json=wish)
    assert started.status_code == 200, started.text
    place = f"/api/v1/rollouts/{started.json()['id']}"
    assert [one["group"] for one in started.json()["members"]] == [1] * 2 + [2] * 18
    listed = await client.get("/api/v1/rollouts")
    assert (listed.headers["X-Total-Count"], listed.json()[0]["targets"]) == ("1", {"pending": 20, "back": 0})
    states = [(await client.post(f"{place}/{deed}")).json()["state"] for deed in ("pause", "resume")]
    assert states == ["paused", "running"]
    assert (await client.post(f"{place}/approve")).status_code == 409
    back = await client.post(f"{place}/rollback", json={"reason": "noise"})
    assert (back.json()["state"], back.json()["reason"]) == ("rolling_back", "noise")
    assert (await client.post(f"{place}/pause")).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"groups": [50]}, "groups"),
        ({"groups": [9, 5, 100]}, "groups"),
        ({"groups": "all"}, "groups"),
        ({"success_percent": 0}, "success_percent"),
        ({"error_percent": 101}, "error_percent"),
        ({"answer_s": 0}, "answer_s"),
        ({"max_over": -1}, "max_over"),
        ({"shadow_rows": 1e99}, "shadow_rows"),
        ({"phase": "dark"}, "phase"),
        ({"gateways": ["nobody"]}, "gateways"),
        ({"canary": 5}, "canary"),
        ({"version": 0}, "version"),
    ],
)
async def test_a_wrong_rollout_is_refused_by_field_and_nothing_begins(
    client: httpx.AsyncClient, change: dict[str, object], field: str
) -> None:
    answer = await client.post("/api/v1/rollouts", json={"model": "pump", **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert await get(client, "/api/v1/rollouts") == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/models/nope", "MODEL_NOT_FOUND"),
        ("POST", "/models/nope/publish", "MODEL_NOT_FOUND"),
        ("POST", "/models/nope/deploy", "MODEL_NOT_FOUND"),
        ("GET", "/rollouts/nope", "ROLLOUT_NOT_FOUND"),
        ("POST", "/rollouts/nope/rollback", "ROLLOUT_NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, method: str, path: str, code: str) -> None:
    answer = await client.request(method, f"/api/v1{path}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, code)


async def test_readers_may_not_publish_or_roll_out(plant: Cloud) -> None:
    async with plant.client(Scope.MODELS_READ) as reader:
        paths = ("/models/pump/publish", "/models/pump/deploy", "/rollouts/x/pause", "/rollouts/x/rollback")
        statuses = [(await reader.post(f"/api/v1{path}")).status_code for path in paths]
        assert statuses == [403] * 4
        assert (await reader.get("/api/v1/rollouts")).status_code == 200


async def test_without_keys_publishing_is_refused_in_words(template: Template, tmp_path: Path) -> None:
    async with running_cloud(template, tmp_path) as cloud, cloud.client(Scope.MODELS_WRITE) as client:
        made = package()
        cloud.api.services.models.add_version("p", algorithm="w", task=Task.ANOMALY, package=made, by="t")
        answer = await client.post("/api/v1/models/p/publish")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "NO_SIGNING_KEYS")
    assert "lineside-cloud init" in answer.json()["detail"]


async def test_a_gateway_shows_how_its_devices_are_judged(client: httpx.AsyncClient) -> None:
    (told,) = (await get(client, "/api/v1/gateways/gw-3"))["models"]
    own = ModelStanding("pump-1", OWN, 1, Standing.SERVING, rows=500, over=0.01)
    assert told == msgspec.to_builtins(msgspec.structs.asdict(own))
