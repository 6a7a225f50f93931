"""/predict and /ml/predict over the real application: the documented shapes, and rows that no model can judge."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from tests.support import learned
from tests.support.cloud import Cloud

ROW = {"speed": 1.2, "load": 0.4, "kind": "L"}
PREFIXES = pytest.mark.parametrize("prefix", ["/api/v1", "/api"])


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    learned.keep(cloud.api.services.models, "failures", learned.classifier())
    async with cloud.client(Scope.ML_PREDICT, Scope.MODELS_READ, Scope.MODELS_WRITE) as opened:
        yield opened


async def answer(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@PREFIXES
async def test_rows_are_foretold_with_classes_confidence_and_probabilities(
    client: httpx.AsyncClient, prefix: str
) -> None:
    told = await answer(client, f"{prefix}/predict/failures", {"data": [ROW, ROW | {"speed": -3}]})
    model = (await client.get("/api/models/failures")).json()["id"]
    assert (told["model_id"], len(told["predictions"])) == (model, 2)
    first, second = told["predictions"]
    assert (first["prediction"], second["prediction"]) == ("yes", "no")
    assert set(first["probabilities"]) == {"yes", "no"}
    assert sum(first["probabilities"].values()) == pytest.approx(1.0)
    assert first["confidence"] == max(first["probabilities"].values())
    assert (await answer(client, f"{prefix}/predict/{model}", {"data": [ROW]}))["predictions"] == [first]


async def test_a_value_and_an_anomaly_are_no_classes(cloud: Cloud, client: httpx.AsyncClient) -> None:
    models = cloud.api.services.models
    learned.keep(models, "life", learned.regressor())
    learned.keep(models, "payments", learned.forest())
    (value,) = (await answer(client, "/api/predict/life", {"data": [{"flow": 1, "pressure": 0, "current": 0}]}))[
        "predictions"
    ]
    row = {"amount": 90_000, "shop": "casino", "hour": 3}
    (strange,) = (await answer(client, "/api/predict/payments", {"data": [row]}))["predictions"]
    assert (isinstance(value["prediction"], float), value["confidence"], value["probabilities"]) == (True, None, {})
    assert (strange["prediction"], strange["anomaly_score"] > 0.5) == ("anomaly", True)


@PREFIXES
async def test_one_row_is_foretold_with_the_reasons_of_trees(client: httpx.AsyncClient, prefix: str) -> None:
    told = await answer(client, f"{prefix}/ml/predict", {"model_name": "failures", "features": ROW})
    assert (told["prediction"], told["model_info"]["version"], told["shap_space"]) == ("yes", 1, "raw")
    total = told["shap_base_value"] + sum(told["shap_values"].values())
    assert total == pytest.approx(told["model_output"], abs=1e-6)
    assert set(told["shap_values"]) == set(told["feature_importance"]) == set(ROW)
    assert sum(told["feature_importance"].values()) == pytest.approx(1.0)
    spelled = {"Speed": 1.2, "LOAD": 0.4, "kind": "L"}
    again = await answer(client, f"{prefix}/ml/predict", {"model_name": "failures", "features": spelled})
    assert again["model_output"] == told["model_output"]


async def test_reasons_that_are_no_shap_values_are_not_called_so(cloud: Cloud, client: httpx.AsyncClient) -> None:
    learned.keep(cloud.api.services.models, "payments", learned.forest())
    body = {"model_name": "payments", "features": {"amount": 90_000, "shop": "fuel", "hour": 9}}
    plain = await answer(client, "/api/ml/predict", body)
    told = await answer(client, "/api/ml/predict", body | {"explain": True})
    assert (plain["feature_importance"], plain["shap_values"]) == (None, None)
    assert (told["method_used"], told["shap_values"]) == ("occlusion", None)
    assert max(told["feature_importance"], key=told["feature_importance"].get) == "amount"


REFUSED: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("/predict/nothing", {"data": [ROW]}, 404, "MODEL_NOT_FOUND", "nothing"),
    ("/predict/waiting", {"data": [ROW]}, 409, "MODEL_NOT_DEPLOYED", "deploy"),
    ("/predict/failures", {"data": [{"speed": 1, "kind": "L"}]}, 422, "INVALID_PARAMETERS", "'load'"),
    ("/predict/failures", {"data": [ROW | {"hour": 1}]}, 422, "INVALID_PARAMETERS", "'hour'"),
    ("/predict/failures", {"data": [ROW, ROW | {"kind": "X"}]}, 422, "INVALID_PARAMETERS", "data[1].kind"),
    ("/predict/failures", {"data": []}, 422, "INVALID_PARAMETERS", "data"),
    ("/predict/failures", {"data": [[1]]}, 422, "INVALID_PARAMETERS", "data"),
    ("/predict/failures", {"data": [ROW], "extra": 1}, 422, "INVALID_PARAMETERS", "extra"),
    ("/ml/predict", {"model_name": "nothing", "features": ROW}, 404, "MODEL_NOT_FOUND", "nothing"),
    (
        "/ml/predict",
        {"model_name": "failures", "model_version": "9", "features": ROW},
        404,
        "MODEL_VERSION_NOT_FOUND",
        "auto",
    ),
    ("/ml/predict", {"model_name": "failures", "features": {"speed": 1}}, 422, "INVALID_PARAMETERS", "'load'"),
    ("/ml/predict", {"model_name": "failures"}, 400, "INVALID_REQUEST", "features"),
]


async def test_what_cannot_be_foretold_is_refused_with_its_reason(cloud: Cloud, client: httpx.AsyncClient) -> None:
    learned.keep(cloud.api.services.models, "waiting", learned.classifier(), serves=False)
    for path, body, status, code, told in REFUSED:
        answer = await client.post(f"/api/v1{path}", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (status, code), (path, body, answer.text)
        assert told in answer.text


async def test_bodies_that_are_no_json_or_no_numbers_are_refused(client: httpx.AsyncClient) -> None:
    broken = await client.post("/api/predict/failures", content=b"{", headers={"Content-Type": "application/json"})
    endless = await client.post(
        "/api/predict/failures",
        content=b'{"data": [{"speed": NaN, "load": Infinity, "kind": "L"}]}',
        headers={"Content-Type": "application/json"},
    )
    assert (broken.status_code, broken.json()["code"]) == (400, "INVALID_FORMAT")
    assert endless.status_code == 422


async def test_a_deployed_model_answers_and_one_whose_files_are_lost_is_not_deployed(
    cloud: Cloud, client: httpx.AsyncClient
) -> None:
    models = cloud.api.services.models
    learned.keep(models, "waiting", learned.classifier(), serves=False)
    deployed = (await client.post("/api/models/waiting/deploy")).json()
    assert (deployed["status"], deployed["endpoint"]) == ("deployed", f"/api/predict/{deployed['model_id']}")
    assert len((await answer(client, deployed["endpoint"], {"data": [ROW]}))["predictions"]) == 1
    version = learned.keep(models, "lost", learned.regressor(), serves=False)
    for file in version.files.values():
        (cloud.settings.files_path / file.name).write_bytes(b"rubbish")
    refused = await client.post("/api/models/lost/deploy")
    assert (refused.status_code, refused.json()["code"]) == (500, "DEPLOYMENT_FAILED")
    assert "lost@1" in refused.json()["detail"]
    assert (await client.get("/api/models/lost")).json()["status"] == "trained"
    models.archive("lost", 1, by="test")
    archived = await client.post("/api/models/lost/deploy", json={"version": 1})
    assert (archived.status_code, archived.json()["error_code"]) == (409, "MODEL_ARCHIVED")


async def test_predictions_need_their_scope(cloud: Cloud, client: httpx.AsyncClient) -> None:
    assert client
    async with cloud.client(Scope.MODELS_READ) as reader:
        assert (await reader.post("/api/predict/failures", json={"data": [ROW]})).status_code == 403
        assert (
            await reader.post("/api/ml/predict", json={"model_name": "failures", "features": ROW})
        ).status_code == 403


async def test_a_file_becomes_a_deployed_model_that_predicts(cloud: Cloud) -> None:
    scopes = (Scope.LEARNING_READ, Scope.LEARNING_WRITE, Scope.MODELS_READ, Scope.MODELS_WRITE, Scope.ML_PREDICT)
    async with cloud.client(*scopes) as client:
        model = await learned.trained(cloud, client, learned.failures(), model_type="auto")
        first = await client.post(f"/api/predict/{model}", json={"data": [ROW]})
        assert (first.status_code, first.json()["error_code"]) == (409, "MODEL_NOT_DEPLOYED")
        deployed = (await client.post(f"/api/models/{model}/deploy")).json()
        assert (await answer(client, deployed["endpoint"], {"data": [ROW]}))["model_id"] == model
        await learned.trained(cloud, client, learned.failures(seed=2), model_name="data")
        shown = (await client.get(f"/api/models/{model}")).json()
    assert shown["training_data"]["features"] == ["speed", "load", "kind"]
    newest, oldest = shown["versions"]
    assert oldest["comparison"] is None
    assert (newest["comparison"]["champion"], newest["comparison"]["rows"]) == (1, 60)
