"""/api/2.0/mlflow: models, experiments and runs as stock registry clients read them."""

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cloud.api.mlflow_filter import parse_filter
from cloud.domain.experiment import Run
from cloud.domain.model import Task
from cloud.domain.scopes import Scope
from cloud.errors import Malformed
from cloud.records.experiments import add_run
from tests.support.cloud import BASE, Cloud

URL = "/api/2.0/mlflow"
AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
LATEST = f"{URL}/registered-models/get-latest-versions"


def grown(cloud: Cloud, name: str, versions: int, champion: int | None = None) -> None:
    models = cloud.api.services.models
    for _ in range(versions):
        models.add_version(name, algorithm="whitening", task=Task.ANOMALY, by="test", files={"a.json": b"{}"})
    if champion is not None:
        models.set_alias(name, "champion", champion, by="test")


def ran(cloud: Cloud, experiment: str, number: int, **metrics: float) -> None:
    run = Run(
        f"{number:032x}", experiment, "pump", number, "whitening", "anomaly", "", {"k": number}, metrics, AT, AT, "t"
    )
    with cloud.api.records.writing() as session:
        add_run(session, run)


async def test_models_are_listed_with_the_newest_version_of_each_stage(cloud: Cloud) -> None:
    grown(cloud, "pump", 3, champion=2)
    async with cloud.client(Scope.MODELS_READ) as client:
        listed = (await client.get(f"{URL}/registered-models/list")).json()["registered_models"]
        latest = (await client.post(LATEST, json={"name": "pump"})).json()["model_versions"]
        staged = (await client.post(LATEST, json={"name": "pump", "stages": ["production"]})).json()["model_versions"]
        got = await client.get(LATEST, params={"name": "pump"})
    assert {"name", "creation_timestamp", "last_updated_timestamp", "latest_versions"} <= set(listed[0])
    assert [(one["version"], one["current_stage"]) for one in latest] == [("3", "None"), ("2", "Production")]
    assert [one["version"] for one in staged] == ["2"]
    assert got.json() == {"model_versions": latest}


async def test_a_search_filters_and_goes_on_by_its_token(cloud: Cloud) -> None:
    for name in ("fan", "pump-1", "pump-2"):
        grown(cloud, name, 1)
    async with cloud.client(Scope.MODELS_READ) as client:
        query: dict[str, Any] = {"filter": "name LIKE 'pump%'", "max_results": 1}
        first = (await client.get(f"{URL}/registered-models/search", params=query)).json()
        query["page_token"] = first["next_page_token"]
        second = (await client.get(f"{URL}/registered-models/search", params=query)).json()
        versions = (await client.get(f"{URL}/model-versions/search", params={"filter": "name = 'fan'"})).json()
    assert [one["name"] for one in (first["registered_models"] + second["registered_models"])] == ["pump-1", "pump-2"]
    assert "next_page_token" not in second
    assert [(one["name"], one["version"]) for one in versions["model_versions"]] == [("fan", "1")]


async def test_experiments_and_their_runs_are_found(cloud: Cloud) -> None:
    experiment = cloud.api.services.experiments.create("Bearings", by="test", description="two")
    ran(cloud, experiment.id, 1, f1=0.8)
    ran(cloud, experiment.id, 2, f1=0.9)
    async with cloud.client(Scope.MODELS_READ) as client:
        found = (await client.post(f"{URL}/experiments/search", json={"max_results": 10})).json()["experiments"]
        identity = found[0]["experiment_id"]
        body = {"experiment_ids": [identity], "order_by": ["metrics.f1 ASC"]}
        runs = (await client.post(f"{URL}/runs/search", json=body)).json()["runs"]
        good = (await client.post(f"{URL}/runs/search", json=body | {"filter": "metrics.f1 > 0.85"})).json()["runs"]
    assert found[0]["name"] == "Bearings"
    assert [run["data"]["metrics"][0]["value"] for run in runs] == [0.8, 0.9]
    assert [(run["info"]["status"], run["data"]["params"]) for run in good] == [
        ("FINISHED", [{"key": "k", "value": "2"}])
    ]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("registered-models/get", {"name": "nobody"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("registered-models/get", {}, 422, "INVALID_PARAMETER_VALUE"),
        ("registered-models/search", {"filter": "name ~ 'x'"}, 400, "INVALID_PARAMETER_VALUE"),
        ("registered-models/search", {"page_token": "x"}, 400, "INVALID_PARAMETER_VALUE"),
    ],
)
async def test_errors_have_the_registrys_own_body(
    cloud: Cloud, path: str, query: dict[str, str], status: int, code: str
) -> None:
    async with cloud.client(Scope.MODELS_READ) as client:
        answer = await client.get(f"{URL}/{path}", params=query)
    assert (answer.status_code, set(answer.json())) == (status, {"error_code", "message"})
    assert answer.json()["error_code"] == code


async def test_without_the_right_nothing_is_told(cloud: Cloud) -> None:
    grown(cloud, "pump", 1)
    async with cloud.client() as nobody, cloud.client(Scope.DATA_READ) as other:
        assert (await nobody.get(f"{URL}/registered-models/list")).status_code == 401
        answer = await other.get(f"{URL}/registered-models/list")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("client_host", "headers", "status"),
    [("127.0.0.1", {}, 200), ("10.0.0.7", {}, 401), ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 401)],
)
async def test_the_registrys_own_port_is_open_to_this_machine_alone(
    cloud: Cloud, client_host: str, headers: dict[str, str], status: int
) -> None:
    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        scope["alias"] = "registry"
        await cloud.api.app(scope, receive, send)

    transport = httpx.ASGITransport(app, client=(client_host, 5))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        assert (await client.get(f"{URL}/registered-models/list")).status_code == status
        assert (await client.get("/api/v1/models")).status_code == 401


def holds(text: str, **facts: object) -> bool:
    return all(one.holds(facts) for one in parse_filter(text))


def test_conditions_are_joined_by_and() -> None:
    assert holds("name ILIKE 'PUMP_1' and version_number >= 2", name="pump-1", version_number=2)
    assert not holds("name LIKE 'pump%' AND version_number < 2", name="pump-1", version_number=2)
    assert holds('attributes.name != "fan"', name="pump")
    assert not holds("name = '[p]ump'", name="pump")
    assert holds("", name="pump")


@pytest.mark.parametrize("text", ["name", "name = ", "name = 'a' or name = 'b'", "name > 'a'", "x LIKE 3", "= 'a'"])
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="filter: cannot read"):
        parse_filter(text)
