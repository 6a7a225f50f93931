"""/detectors over the real application: set up, listed, changed, fitted, deleted; refusals by field."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from cloud.records.detectors import list_detectors
from cloud.records.jobs import count_jobs
from tests.support.cloud import Cloud
from tests.support.learned import fit, fitted, payments, upload

SCOPES = (Scope.LEARNING_READ, Scope.LEARNING_WRITE, Scope.MODELS_READ, Scope.MODELS_WRITE, Scope.ML_ANOMALY)
WISH = {
    "name": "Fraud Detection Model",
    "algorithm_name": "IsolationForest",
    "contamination_rate": 0.1,
    "hyperparameters": {"n_estimators": 100, "max_samples": "auto", "contamination": 0.1},
    "description": "Model for detecting fraudulent transactions",
}


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    async with cloud.client(*SCOPES) as opened:
        yield opened


async def made(client: httpx.AsyncClient, **more: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await client.post("/api/detectors", json=WISH | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_detector_is_set_up_and_shown_as_documented(client: httpx.AsyncClient, prefix: str) -> None:
    answer = await client.post(f"{prefix}/detectors", json=WISH)
    body = answer.json()
    assert answer.status_code == 201
    assert (body["is_fitted"], body["contamination_rate"]) == (False, 0.1)
    assert body["hyperparameters"] == {"n_estimators": 100, "max_samples": "auto"}
    assert (await client.get(f"{prefix}/detectors/{body['id']}")).json() == body
    listed = await client.get(f"{prefix}/detectors", params={"algorithm": "IsolationForest", "limit": 10})
    assert (listed.json(), listed.headers["X-Total-Count"]) == ([body], "1")
    assert listed.headers["X-RateLimit-Limit"] == "100"


async def test_detectors_are_chosen_by_any_name_of_the_algorithm_and_by_being_fitted(
    cloud: Cloud, client: httpx.AsyncClient
) -> None:
    plain = await made(client)
    known = await fitted(cloud, client, payments(200))
    await made(client, algorithm_name="whitening", hyperparameters={})
    by_name = (await client.get("/api/detectors", params={"algorithm": "isolation_forest"})).json()
    ready = (await client.get("/api/detectors", params={"is_fitted": True})).json()
    first = await client.get("/api/detectors", params={"limit": 1})
    assert [one["id"] for one in by_name] == [known, plain["id"]]
    assert [one["id"] for one in ready] == [known]
    assert (len(first.json()), "Link" in first.headers) == (1, True)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"algorithm_name": "Magic"}, "IsolationForest"),
    ({"algorithm_name": "LightGBMClassifier"}, "IsolationForest"),
    ({"contamination_rate": 0.8}, "contamination_rate"),
    ({"contamination_rate": -0.1}, "contamination_rate"),
    ({"contamination_rate": 0.2}, "hyperparameters.contamination"),
    ({"hyperparameters": {"contamination": "much"}}, "hyperparameters.contamination"),
    ({"hyperparameters": {"n_estimators": 1}}, "n_estimators"),
    ({"hyperparameters": {"colour": 1}}, "n_estimators"),
    ({"hyperparameters": {"random_state": -1}}, "random_state"),
    ({"name": " "}, "name"),
    ({"extra": 1}, "extra"),
]


async def test_what_is_no_detector_is_refused_by_field_and_not_kept(cloud: Cloud, client: httpx.AsyncClient) -> None:
    for wrong, told in REFUSED:
        answer = await client.post("/api/detectors", json=WISH | wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_PARAMETERS"), (wrong, answer.text)
        assert told in answer.text
    with cloud.api.records.reading() as session:
        assert list_detectors(session) == []


async def test_other_hyperparameters_unfit_it_and_another_name_does_not(
    cloud: Cloud, client: httpx.AsyncClient
) -> None:
    known = await fitted(cloud, client, payments(200))
    renamed = (await client.put(f"/api/detectors/{known}", json={"name": "Other"})).json()
    assert (renamed["name"], renamed["is_fitted"]) == ("Other", True)
    body = {"hyperparameters": {"n_estimators": 30, "max_samples": 0.8}}
    changed = (await client.put(f"/api/detectors/{known}", json=body)).json()
    assert (changed["is_fitted"], changed["hyperparameters"]) == (False, body["hyperparameters"])
    refused = await client.put(f"/api/detectors/{known}", json={"hyperparameters": {"n_estimators": 0}})
    assert refused.status_code == 422
    assert (await client.get(f"/api/detectors/{known}")).json() == changed
    rows = [{"amount": 1.0, "shop": "fuel", "hour": 9}]
    unfitted = await client.post("/api/detection/predict", json={"detector_id": known, "data": rows})
    assert (unfitted.status_code, unfitted.json()["error_code"]) == (409, "DETECTOR_NOT_FITTED")


async def test_a_detector_that_serves_is_deleted_by_force_alone_and_leaves_nothing(
    cloud: Cloud, client: httpx.AsyncClient
) -> None:
    known = await fitted(cloud, client, payments(200))
    model = (await client.get(f"/api/detectors/{known}")).json()["model_name"]
    assert (await client.post(f"/api/models/{model}/deploy")).status_code == 200
    refused = await client.delete(f"/api/detectors/{known}")
    assert (refused.status_code, refused.json()["error_code"]) == (409, "DETECTOR_IN_USE")
    folder = cloud.settings.files_path / "models"
    assert list(folder.iterdir())
    assert (await client.delete(f"/api/detectors/{known}", params={"force": True})).status_code == 204
    assert list(folder.iterdir()) == []
    for path in (f"/api/detectors/{known}", f"/api/models/{model}"):
        assert (await client.get(path)).status_code == 404


async def test_every_model_for_anomalies_is_a_detector(cloud: Cloud, client: httpx.AsyncClient) -> None:
    known = await fitted(cloud, client, payments(200))
    shown = (await client.get(f"/api/detectors/{known}")).json()
    model = (await client.get(f"/api/models/{shown['model_name']}")).json()
    for name in (shown["model_name"], model["id"]):
        assert (await client.get(f"/api/detectors/{name}")).json() == shown


async def test_an_unknown_detector_is_not_found(client: httpx.AsyncClient) -> None:
    for name in ("nothing", "0" * 32, "http%3A%2F%2Fx"):
        for method in ("GET", "DELETE"):
            assert (await client.request(method, f"/api/detectors/{name}")).status_code == 404
        asked = await client.post("/api/detection/train", json={"detector_id": name, "dataset_id": "0" * 32})
        assert (asked.status_code, asked.json()["error_code"]) == (404, "DETECTOR_NOT_FOUND")


async def test_a_fit_without_labels_tells_what_can_be_told_without(cloud: Cloud, client: httpx.AsyncClient) -> None:
    detector = await made(client, hyperparameters={"n_estimators": 10})
    dataset = await upload(client, payments(400))
    told = await fit(cloud, client, detector["id"], dataset, cross_validation=True)
    metrics = told["validation_metrics"]
    assert told["success"] is True
    assert {metrics[name] for name in ("precision", "recall", "f1_score", "auc_score")} == {None}
    assert -1 <= metrics["stability"] <= 1
    assert 0 <= metrics["score_separation"] <= 1
    assert metrics["expected_alarms_per_day"] is None
    assert metrics["cv"]["folds"] == 5
    assert set(metrics["cv"]["mean"]) == set(metrics["cv"]["std"])
    assert told["model_info"] == {
        "n_samples_trained": 320, "n_features": 3, "algorithm": "IsolationForest", "version": 1,
    }  # fmt: skip


async def test_a_fit_with_labels_is_measured_by_them(cloud: Cloud, client: httpx.AsyncClient) -> None:
    rows = payments(400)
    rows["fraud"] = [int(place % 20 == 0) for place in range(400)]
    rows["amount"] = [value + 900 * fraud for value, fraud in zip(rows["amount"], rows["fraud"], strict=True)]
    detector = await made(client, hyperparameters={"n_estimators": 10})
    told = await fit(cloud, client, detector["id"], await upload(client, rows, target="fraud"))
    assert told["validation_metrics"]["recall"] == 1.0
    assert told["validation_metrics"]["auc_score"] > 0.95


async def test_a_fit_that_is_not_to_be_saved_leaves_nothing(cloud: Cloud, client: httpx.AsyncClient) -> None:
    detector = await made(client, hyperparameters={"n_estimators": 10})
    told = await fit(cloud, client, detector["id"], await upload(client, payments(200)), save_model=False)
    assert (told["success"], told["model_info"]["version"]) == (True, None)
    assert (await client.get(f"/api/detectors/{detector['id']}")).json()["is_fitted"] is False


async def test_rows_that_teach_nothing_are_refused_with_the_column(cloud: Cloud, client: httpx.AsyncClient) -> None:
    detector = await made(client, hyperparameters={"n_estimators": 10})
    told = await fit(cloud, client, detector["id"], await upload(client, {"a": [1.0] * 100, "b": range(100)}))
    assert told["code"] == "TRAINING_FAILED"
    assert "'a'" in told["detail"]
    assert (await client.get(f"/api/detectors/{detector['id']}")).json()["is_fitted"] is False


async def test_a_reader_may_look_and_no_more(cloud: Cloud) -> None:
    async with cloud.client(Scope.LEARNING_READ) as reader:
        assert (await reader.get("/api/detectors")).status_code == 200
        assert (await reader.post("/api/detectors", json=WISH)).status_code == 403
        asked = await reader.post("/api/detection/train", json={"detector_id": "x", "dataset_id": "y"})
        assert asked.status_code == 403
        assert (await reader.delete("/api/detectors/x")).status_code == 403
    with cloud.api.records.reading() as session:
        assert count_jobs(session) == 0
