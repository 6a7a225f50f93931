"""POST /ml/check_drift, GET /devices/{id}/failure and the forecasts, as callers see them."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, arrival

SECOND = 1_000_000
WEEK = 7 * 86_400 * SECOND


async def send(cloud: Cloud, values: list[float], *, end_us: int, step_s: int = 10) -> None:
    times = [end_us - step_s * SECOND * (len(values) - index) for index in range(len(values))]
    await cloud.write(arrival(time_us=times, value=values))


def finite(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Return the body; fail where it holds NaN or infinity."""
    assert answer.status_code == 200, answer.text

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in an answer")

    return json.loads(answer.content, parse_constant=refuse)


async def test_drift_is_told_twice_plainly_and_corrected(cloud: Cloud) -> None:
    generator, now = np.random.default_rng(1), cloud.clock.now_us()
    await send(cloud, generator.standard_normal(3000).tolist(), end_us=now - WEEK)
    await send(cloud, (generator.standard_normal(300) + 2).tolist(), end_us=now)
    async with cloud.client(Scope.ML_DRIFT) as client:
        found = finite(await client.post("/api/v1/ml/check_drift", json={"sensor_id": "pump-1"}))
        kept = finite(await client.get("/api/v1/ml/drift_checks", params={"sensor_id": "pump-1"}))
    assert (found["drift_detected"], found["corrected"]["drift_detected"]) == (True, True)
    assert found["p_value"] < 0.05
    assert found["ks_statistic"] > 0.5
    assert [(one["tag"], one["origin"]) for one in kept] == [("flow", "request")]


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_an_unknown_sensor_has_no_drift_and_the_notes_say_why(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(Scope.ML_DRIFT) as client:
        found = finite(await client.post(f"{prefix}/ml/check_drift", json={"sensor_id": "sensor_001"}))
    assert found["drift_detected"] is False
    assert "sensor_001" in found["notes"]


@pytest.mark.parametrize(
    "body",
    [
        {"sensor_id": "pump-1", "p_value_threshold": 0},
        {"sensor_id": "pump-1", "window_minutes": 0},
        {"sensor_id": "pump-1", "min_samples": 1},
        {"sensor_id": ""},
        {"sensor_id": "pump-1", "colour": "red"},
        {},
    ],
)
async def test_a_question_of_drift_that_makes_no_sense_is_422(cloud: Cloud, body: dict[str, Any]) -> None:
    async with cloud.client(Scope.ML_DRIFT) as client:
        assert (await client.post("/api/v1/ml/check_drift", json=body)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/api/v1/ml/check_drift", Scope.ML_PREDICT),
        ("GET", "/api/v1/ml/drift_checks", Scope.DATA_READ),
        ("GET", "/api/v1/devices/pump-1/failure", Scope.DATA_READ),
        ("GET", "/api/v1/predictions/current", Scope.ML_DRIFT),
        ("GET", "/api/v1/predictions/history", Scope.ML_DRIFT),
        ("GET", "/api/v1/metrics/accuracy", Scope.ML_DRIFT),
    ],
)
async def test_each_needs_its_own_scope(cloud: Cloud, method: str, path: str, scope: Scope) -> None:
    async with cloud.client(scope) as client:
        assert (await client.request(method, path, json={"sensor_id": "x"})).status_code == 403


async def test_a_device_without_a_day_of_data_has_no_failure_estimate(cloud: Cloud) -> None:
    await send(cloud, [1.0] * 10, end_us=cloud.clock.now_us())
    async with cloud.client(Scope.ML_PREDICT) as client:
        young = await client.get("/api/v1/devices/pump-1/failure")
        unknown = await client.get("/api/v1/devices/nobody/failure")
    assert (young.status_code, young.json()["error_code"]) == (404, "NO_RECENT_DATA")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "DEVICE_NOT_FOUND")


async def test_a_failure_estimate_says_how_it_was_made(cloud: Cloud) -> None:
    values = np.random.default_rng(2).standard_normal(24 * 5)
    await send(cloud, values.tolist(), end_us=cloud.clock.now_us(), step_s=3600)
    rule = {"name": "hot", "kind": "limit", "device_id": "pump-1", "tag": "flow", "high": 9.0, "severity": "critical"}
    async with cloud.client(Scope.ML_PREDICT, Scope.ALARMS_WRITE) as client:
        made = await client.post("/api/v1/alarm-rules", json=rule)
        assert made.is_success, made.text
        found = finite(await client.get("/api/v1/devices/pump-1/failure", params={"horizon_hours": 48}))
    prediction = found["failure_prediction"]
    assert (prediction["method"], prediction["calibrated"], prediction["horizon_hours"]) == ("first_passage", False, 48)
    assert len(prediction["predictions"]) == len(prediction["failure_probabilities"]) == 24
    assert prediction["high_risk_count"] == sum(prediction["predictions"])


async def test_forecasts_are_empty_before_any_was_made(cloud: Cloud) -> None:
    async with cloud.client(Scope.ML_PREDICT) as client:
        current = finite(await client.get("/api/v1/predictions/current", params={"horizon": "short"}))
        history = finite(await client.get("/api/v1/predictions/history"))
        accuracy = finite(await client.get("/api/v1/metrics/accuracy", params={"window": "7d"}))
    assert current["predictions"] == []
    assert history == {"predictions": [], "total_count": 0, "accuracy_metrics": {"mape": None, "rmse": None}}
    assert (accuracy["sample_count"], accuracy["accuracy"]["long_term"]) == (0, None)
