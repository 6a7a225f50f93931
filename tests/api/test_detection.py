"""/detection/predict, /detection/explain and /ml/detect_anomaly: lengths, scores, reasons, sensitivity, refusals."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cloud.domain.scopes import Scope
from tests.support import learned
from tests.support.cloud import Cloud, arrival

USUAL = {"amount": 80.0, "shop": "grocery", "hour": 12}
STRANGE = {"amount": 90_000.0, "shop": "casino", "hour": 3}
START_US = 1_750_000_000_000_000
PREFIXES = pytest.mark.parametrize("prefix", ["/api/v1", "/api"])


@pytest_asyncio.fixture
async def client(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    models = cloud.api.services.models
    learned.keep(models, "payments", learned.forest())
    learned.keep(
        models,
        "anomaly_detector_refined_v2",
        learned.series_detector(),
        input="standardised",
        scales={"temperature": {"center": 20.0, "spread": 2.0}},
    )
    async with cloud.client(Scope.ML_ANOMALY, Scope.LEARNING_READ, Scope.LEARNING_WRITE) as opened:
        yield opened


async def asked(client: httpx.AsyncClient, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def readings(*values: float, sensor: str = "sensor_001", kind: str = "temperature") -> list[dict[str, Any]]:
    return [
        {
            "sensor_id": sensor,
            "sensor_type": kind,
            "value": value,
            "unit": "celsius",
            "timestamp": f"2024-01-01T12:{number // 60:02}:{number % 60:02}Z",
            "quality": 0.95,
        }
        for number, value in enumerate(values)
    ]


@PREFIXES
async def test_inline_rows_are_judged_by_the_detectors_own_threshold(client: httpx.AsyncClient, prefix: str) -> None:
    told = await asked(client, f"{prefix}/detection/predict", detector_id="payments", data=[STRANGE, USUAL])
    assert (told["predictions"], told["anomaly_count"], told["anomaly_rate"]) == ([1, 0], 1, 0.5)
    assert told["threshold_used"] == 0.5
    high, low = told["anomaly_scores"]
    assert 0 <= low < 0.5 < high <= 1
    assert told["summary"] == {
        "total_samples": 2, "max_score": high, "min_score": low, "avg_score": pytest.approx((high + low) / 2),
    }  # fmt: skip
    strict = await asked(
        client,
        f"{prefix}/detection/predict",
        detector_id="payments",
        data=[STRANGE, USUAL],
        threshold=0,
        return_scores=False,
    )
    assert (strict["predictions"], strict["anomaly_scores"], strict["threshold_used"]) == ([1, 1], None, 0.0)


async def test_a_dataset_is_judged_row_by_row_in_the_order_of_its_file(client: httpx.AsyncClient) -> None:
    columns = learned.payments(60, seed=5)
    columns["at"] = [f"2026-01-01T00:{59 - row:02}:00Z" for row in range(60)]
    columns["amount"][7] = 90_000.0
    dataset = await learned.upload(client, columns)
    told = await asked(client, "/api/detection/predict", detector_id="payments", dataset_id=dataset)
    assert len(told["predictions"]) == len(told["anomaly_scores"]) == told["summary"]["total_samples"] == 60
    assert told["predictions"][7] == 1
    assert told["anomaly_scores"][7] == told["summary"]["max_score"]
    lacking = await learned.upload(client, {"amount": range(60), "other": range(60)})
    refused = await client.post("/api/detection/predict", json={"detector_id": "payments", "dataset_id": lacking})
    assert (refused.status_code, "'shop'" in refused.text) == (422, True)


NOT_JUDGED: list[tuple[dict[str, Any], int, str]] = [
    ({"detector_id": "payments"}, 422, "exactly one"),
    ({"detector_id": "payments", "data": [USUAL], "dataset_id": "x"}, 422, "exactly one"),
    ({"detector_id": "payments", "data": [{"amount": 1500.0, "hour": 3}]}, 422, "'shop'"),
    ({"detector_id": "payments", "data": [USUAL | {"day": 3}]}, 422, "'day'"),
    ({"detector_id": "payments", "data": [USUAL | {"amount": None}]}, 422, "amount"),
    ({"detector_id": "payments", "data": [USUAL], "threshold": 2}, 422, "threshold"),
    ({"detector_id": "payments", "dataset_id": "0" * 32}, 404, "dataset"),
    ({"detector_id": "nothing", "data": [USUAL]}, 404, "detector"),
]


async def test_what_cannot_be_judged_is_refused_with_its_reason(client: httpx.AsyncClient) -> None:
    for body, status, told in NOT_JUDGED:
        answer = await client.post("/api/detection/predict", json=body)
        assert answer.status_code == status, (body, answer.text)
        assert told in answer.text


@pytest.mark.parametrize(("prefix", "method"), [("/api/v1", "shap"), ("/api", "lime")])
async def test_a_reason_says_which_method_was_really_used(client: httpx.AsyncClient, prefix: str, method: str) -> None:
    names = ["hour", "amount", "shop"]
    told = await asked(
        client,
        f"{prefix}/detection/explain",
        detector_id="payments",
        instance=USUAL | {"amount": 90_000},
        method=method,
        feature_names=names,
    )
    importance = told["explanation"]["feature_importance"]
    assert (told["method_used"], told["shap_space"]) == ("occlusion", None)
    assert told["explanation"]["values"] == [importance[name] for name in names]
    assert sum(importance.values()) == pytest.approx(1.0)
    assert next(iter(importance)) == "amount"
    assert 0.5 < told["prediction"] <= told["confidence"] <= 1


async def test_trees_are_explained_exactly(cloud: Cloud, client: httpx.AsyncClient) -> None:
    learned.keep(cloud.api.services.models, "failures", learned.classifier())
    row = {"speed": 1.0, "load": 0.5, "kind": "M"}
    told = await asked(client, "/api/detection/explain", detector_id="failures", instance=row)
    assert (told["method_used"], told["shap_space"]) == ("shap", "raw")
    wrong = {"detector_id": "failures", "instance": row, "feature_names": ["colour"]}
    assert (await client.post("/api/detection/explain", json=wrong)).status_code == 422


@PREFIXES
async def test_readings_are_judged_in_the_spread_of_their_sensor(client: httpx.AsyncClient, prefix: str) -> None:
    told = await asked(
        client, f"{prefix}/ml/detect_anomaly", sensor_readings=readings(20.5, 19.0, 85.5), sensitivity=0.7
    )
    assert [one["value"] for one in told["anomalies_detected"]] == [85.5]
    assert (told["anomaly_count"], told["total_readings_analyzed"]) == (1, 3)
    assert told["scales"] == {"sensor_001": "model"}
    assert told["model_info"]["name"] == "anomaly_detector_refined_v2"


async def test_more_sensitivity_never_finds_fewer(client: httpx.AsyncClient) -> None:
    sent = readings(*(20 + 0.35 * number for number in range(40)), sensor="s", kind="other")
    counts = [
        (await asked(client, "/api/ml/detect_anomaly", sensor_readings=sent, sensitivity=step / 4))["anomaly_count"]
        for step in range(5)
    ]
    assert counts == sorted(counts)


async def test_what_is_stored_of_a_sensor_says_how_it_usually_is(cloud: Cloud, client: httpx.AsyncClient) -> None:
    values = [1000 + (number * 7 % 11) for number in range(120)]
    times = [START_US + number * 1_000_000 for number in range(120)]
    await cloud.write(arrival(device="press", tag="force", source="", time_us=times, value=values))
    sent = [{"sensor_id": "press", "value": value, "timestamp": "2025-06-15T15:10:00Z"} for value in (1005.0, 1200.0)]
    told = await asked(client, "/api/ml/detect_anomaly", sensor_readings=sent)
    assert told["scales"] == {"press": "stored"}
    assert [one["value"] for one in told["anomalies_detected"]] == [1200.0]


async def test_a_sensor_that_nobody_knows_is_not_judged_and_that_is_said(client: httpx.AsyncClient) -> None:
    poor = readings(20.0)[0] | {"quality": 0.1}
    told = await asked(
        client, "/api/ml/detect_anomaly", sensor_readings=[*readings(1.0, sensor="x", kind="other"), poor]
    )
    assert (told["total_readings_analyzed"], told["anomaly_count"]) == (0, 0)
    assert "x" in told["not_judged"]


async def test_readings_of_one_moment_are_judged_together_and_the_channel_is_named(
    cloud: Cloud, client: httpx.AsyncClient
) -> None:
    learned.keep(cloud.api.services.models, "pump", learned.whitening())
    sent = [one for name in ("flow", "pressure", "current") for one in readings(*([0.0] * 30), sensor=name)]
    for number in range(20, 30):
        sent[30 + number]["value"] = 40.0
    told = await asked(client, "/api/ml/detect_anomaly", sensor_readings=sent, model_name="pump")
    assert told["total_readings_analyzed"] == 30
    assert {one["sensor_id"] for one in told["anomalies_detected"]} == {"pressure"}
    stranger = readings(1.0, sensor="colour")
    refused = await client.post("/api/ml/detect_anomaly", json={"sensor_readings": stranger, "model_name": "pump"})
    assert (refused.status_code, "colour" in refused.text) == (422, True)


NOT_ASKED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "sensor_readings"),
    ({"sensor_readings": []}, 422, "sensor_readings"),
    ({"sensor_readings": [{"sensor_id": "x"}]}, 400, "value"),
    ({"sensor_readings": readings(1.0), "sensitivity": 1.5}, 422, "sensitivity"),
    ({"sensor_readings": readings(1.0), "model_name": "nothing"}, 404, "nothing"),
    ({"sensor_readings": readings(1.0), "model_version": "77"}, 404, "77"),
]


async def test_what_is_no_question_about_readings_is_refused(client: httpx.AsyncClient) -> None:
    for body, status, told in NOT_ASKED:
        answer = await client.post("/api/v1/ml/detect_anomaly", json=body)
        assert answer.status_code == status, (body, answer.text)
        assert told in answer.text


async def test_anomalies_need_their_scope(cloud: Cloud) -> None:
    async with cloud.client(Scope.ML_PREDICT) as reader:
        for path in ("detection/predict", "detection/explain", "ml/detect_anomaly"):
            assert (await reader.post(f"/api/{path}", json={})).status_code in (400, 403, 422)
        body = {"detector_id": "x", "data": [USUAL]}
        assert (await reader.post("/api/detection/predict", json=body)).status_code == 403
