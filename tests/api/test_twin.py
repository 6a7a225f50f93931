"""What the twin says over HTTP: dashboard, health scores, predictions, recommendations, facts, handover notes."""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cloud.analysis.health.rounds import HealthRounds
from cloud.analysis.recommending.rounds import Recommender
from cloud.domain.scopes import Scope
from cloud.operations.raising import apply_steps
from cloud.readings import open_views
from protocols.reading import Quality
from tests.support.cloud import Cloud, arrival

SECOND = 1_000_000
JSON = {"Content-Type": "application/json"}
HOUR = 3600 * SECOND
PREFIXES = ("/api/v1", "/api")
ALL = (Scope.DATA_READ, Scope.DEVICES_WRITE, Scope.TASKS_UPDATE, Scope.ML_PREDICT, Scope.ALARMS_READ)
LIMITS = {"high_warn": 10.0, "high_crit": 20.0}
DASHBOARD = {
    "systemHealth", "activeDevices", "totalDevices", "efficiency", "energyUsage", "energyCost", "energySource",
    "statusDistribution", "timestamp", "devices", "alerts", "performanceData",
}  # fmt: skip


async def send(cloud: Cloud, value: float, *, device: str = "pump-1", hours: float = 1.0, every_s: int = 60) -> None:
    now = cloud.clock.now_us()
    times = now - every_s * SECOND * np.arange(int(hours * 3600 / every_s), -1, -1)
    noise = 0.1 * np.sin(np.arange(len(times)) * 1.7) + 0.05 * np.cos(np.arange(len(times)) * 0.9)
    await cloud.write(arrival(device=device, time_us=times.tolist(), value=value + noise, period_s=float(every_s)))


def judge(cloud: Cloud) -> None:
    views = open_views(cloud.settings, cloud.clock)
    rounds = HealthRounds(
        cloud.api.records,
        views.store,
        cloud.clock,
        presence=views.gateways.presence,
        raise_alarms=lambda session, steps: apply_steps(session, steps, by="health"),
    )
    rounds.look()
    Recommender(cloud.api.records, views.store, cloud.clock).look()
    views.close()


def numbers(told: Any) -> Iterator[float]:  # noqa: ANN401 - any JSON
    if isinstance(told, float):
        yield told
    elif isinstance(told, dict | list):
        for one in told.values() if isinstance(told, dict) else told:
            yield from numbers(one)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_dashboard_shows_the_documented_fields_of_a_judged_plant(cloud: Cloud, prefix: str) -> None:
    await send(cloud, 15.0)
    async with cloud.client(*ALL) as client:
        await client.put(f"{prefix}/devices/pump-1/limits/flow", json=LIMITS)
        judge(cloud)
        told = (await client.get(f"{prefix}/dashboard")).json()
    assert set(told) == DASHBOARD
    assert told["totalDevices"] == sum(told["statusDistribution"].values()) == 1
    assert (told["activeDevices"], told["statusDistribution"]["warning"]) == (1, 1)
    assert 40 <= told["systemHealth"] < 70
    assert (told["energySource"], told["energyUsage"], told["energyCost"]) == ("none", 0.0, 0.0)
    assert told["devices"][0]["health_score"] == pytest.approx(told["systemHealth"] / 100, abs=0.006)
    assert [set(point) for point in told["performanceData"]] == [
        {"timestamp", "systemHealth", "efficiency", "energyUsage"}
    ]


async def test_an_empty_plant_has_an_empty_dashboard(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_READ) as client:
        told = (await client.get("/api/dashboard")).json()
    assert (told["systemHealth"], told["totalDevices"], told["devices"], told["performanceData"]) == (None, 0, [], [])


async def test_alerts_are_shown_only_to_those_who_may_read_them(cloud: Cloud) -> None:
    await send(cloud, 25.0)
    async with cloud.client(*ALL) as client, cloud.client(Scope.DATA_READ) as reader:
        await client.put("/api/devices/pump-1/limits/flow", json=LIMITS)
        judge(cloud)
        shown = (await client.get("/api/dashboard")).json()["alerts"]
        hidden = (await reader.get("/api/dashboard")).json()["alerts"]
    assert [alert["rule_name"] for alert in shown] == ["health"]
    assert hidden == []


async def test_health_scores_are_an_object_of_numbers_or_with_details_of_what_they_are_made_of(cloud: Cloud) -> None:
    await send(cloud, 15.0)
    await send(cloud, 1.0, device="pump-2")
    async with cloud.client(*ALL) as client:
        await client.put("/api/devices/pump-1/limits/flow", json=LIMITS)
        judge(cloud)
        plain = (await client.get("/api/health_scores")).json()
        one = (await client.get("/api/health_scores", params={"device_id": ["pump-1"], "details": True})).json()
        missing = await client.get("/api/health_scores", params={"device_id": ["pump-1", "nobody"]})
    assert set(plain) == {"pump-1", "pump-2"}
    assert plain["pump-2"] is None
    assert 0 < plain["pump-1"] == one["pump-1"]["score"] < 0.7
    assert one["pump-1"]["components"]["limit_margin"] == pytest.approx(0.5, abs=0.02)
    assert set(one) == {"pump-1"}
    assert missing.status_code == 404


async def test_predictions_of_a_device_need_its_id_and_a_day_of_data(cloud: Cloud) -> None:
    await send(cloud, 1.0)
    async with cloud.client(*ALL) as client:
        without = await client.get("/api/predictions")
        young = await client.get("/api/predictions", params={"device_id": "pump-1"})
        nobody = await client.get("/api/predictions", params={"device_id": "../etc"})
    assert (without.status_code, young.status_code, nobody.status_code) == (400, 404, 404)
    assert without.json()["detail"]


async def test_predictions_tell_anomalies_of_the_last_hour_and_chances_of_failure(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=49)
    now = cloud.clock.now_us()
    times = now - 60 * SECOND * np.arange(9, -1, -1)
    await cloud.write(arrival(time_us=times.tolist(), value=[9.0] * 10, period_s=60.0))
    async with cloud.client(*ALL) as client:
        await client.put("/api/devices/pump-1/limits/flow", json=LIMITS)
        told = (await client.get("/api/predictions", params={"device_id": "pump-1"})).json()
    found, failure = told["anomaly_prediction"], told["failure_prediction"]
    assert found["sample_count"] == len(found["anomaly_scores"]) == len(found["timestamps"]) <= 500
    assert found["anomaly_count"] == len(found["anomaly_indices"]) >= 5
    assert min(found["anomaly_indices"]) >= found["sample_count"] - 12
    assert all(found["anomaly_scores"][index] >= found["threshold"] == 0.5 for index in found["anomaly_indices"])
    assert found["model_version"].startswith("own@")
    assert len(failure["predictions"]) == len(failure["failure_probabilities"]) == 24
    assert failure["high_risk_count"] == sum(failure["predictions"])


async def test_a_device_without_limits_has_no_failure_prediction(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=49)
    async with cloud.client(*ALL) as client:
        told = (await client.get("/api/predictions", params={"device_id": "pump-1"})).json()
    assert told["failure_prediction"] is None


async def test_a_recommendation_is_accepted_into_the_inbox_once(cloud: Cloud) -> None:
    await send(cloud, 25.0)
    async with cloud.client(*ALL) as client:
        await client.put("/api/v1/devices/pump-1/limits/flow", json=LIMITS)
        judge(cloud)
        listed = await client.get("/api/v1/recommendations")
        (one,) = listed.json()
        where = f"/api/v1/recommendations/{one['id']}"
        accepted = await client.post(f"{where}/accept")
        again = await client.post(f"{where}/dismiss", json={"note": "too late"})
        shown = (await client.get(where)).json()
    assert one["composite_score"] == pytest.approx((one["urgency"] + one["impact"]) / 2)
    assert one["evidence"][0] == {"kind": "health_score", "id": "pump-1", "facts": one["evidence"][0]["facts"]}
    assert (listed.headers["X-Total-Count"], one["source"], one["rule"]) == (
        "1",
        "historical_analysis",
        "critical_health",
    )
    assert accepted.json()["request_id"].startswith("req_")
    assert (again.status_code, shown["state"]) == (409, "accepted")


async def test_what_is_told_of_a_device_is_kept(cloud: Cloud) -> None:
    await send(cloud, 1.0)
    body = {
        "criticality": 0.8,
        "rated_interval_s": 60.0,
        "tariff_per_kwh": 0.3,
        "energy": {"power": "flow"},
        "running": {"tag": "flow", "above": 0.5, "steps": [2.0]},
    }
    async with cloud.client(*ALL) as client:
        told = (await client.put("/api/devices/pump-1/facts", json=body)).json()
        limits = await client.put("/api/devices/pump-1/limits/flow", json=LIMITS)
        reset = (await client.post("/api/devices/pump-1/baseline/reset", json={"note": "new bearing"})).json()
        kept = (await client.get("/api/devices/pump-1/facts")).json()
        gone = await client.delete("/api/devices/pump-1/limits/flow")
        again = await client.delete("/api/devices/pump-1/limits/flow")
        none = (await client.get("/api/devices/pump-1/limits")).json()
    assert (told["criticality"], told["energy"]["power"], told["running"]["steps"]) == (0.8, "flow", [2.0])
    assert limits.json() == LIMITS | {"tag": "flow", "low_crit": None, "low_warn": None}
    assert kept == reset
    assert kept["baseline_reset_at"] is not None
    assert (kept["limits"][0]["high_crit"], kept["rated_interval_s"]) == (20.0, 60.0)
    assert (gone.status_code, again.status_code, none) == (200, 404, [])


BAD: tuple[tuple[str, object], ...] = (
    ("limits/flow", {}),
    ("limits/flow", {"high_warn": 10.0}),
    ("limits/flow", {"high_warn": 20.0, "high_crit": 10.0}),
    ("limits/flow", {"high_warn": 1.0, "high_crit": 1.0}),
    ("limits/flow", {**LIMITS, "unknown": 1}),
    ("limits/flow", {"high_warn": "hot", "high_crit": 10.0}),
    ("facts", {"criticality": 1.5}),
    ("facts", {"rated_interval_s": 0}),
    ("facts", {"tariff_per_kwh": -1}),
    ("facts", {"energy": {"voltage": "u"}}),
    ("facts", {"energy": {"phases": 2}}),
    ("facts", {"running": {"tag": "", "above": 1}}),
    ("facts", {"running": {"tag": "flow", "above": 1, "steps": [3, 2]}}),
    ("facts", [1]),
)


async def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=0.1)
    async with cloud.client(*ALL) as client:
        before = (await client.get("/api/devices/pump-1/facts")).json()
        refused = [await client.put(f"/api/devices/pump-1/{path}", json=body) for path, body in BAD]
        after = (await client.get("/api/devices/pump-1/facts")).json()
    assert [answer.status_code for answer in refused] == [422] * len(BAD)
    fields = {"error", "detail", "error_code", "errors", "timestamp", "request_id"}
    assert all(fields <= set(answer.json()) for answer in refused)
    assert after == before


async def test_numbers_that_are_none_and_broken_json_are_refused(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=0.1)
    texts = ('{"high_warn": NaN, "high_crit": 1}', '{"high_warn": 1e999, "high_crit": 1}', "{")
    async with cloud.client(*ALL) as client:
        where = "/api/v1/devices/pump-1/limits"
        codes = [(await client.put(f"{where}/flow", content=text, headers=JSON)).status_code for text in texts]
        kept = (await client.get(where)).json()
    assert set(codes) <= {400, 422}
    assert codes[-1] == 400
    assert kept == []


async def test_shifts_leave_notes_to_one_another(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=0.1)
    where = "/api/v1/handover-notes"
    async with cloud.client(*ALL) as client:
        first = await client.post(where, json={"text": "runs warm", "shift": "early", "device_id": "pump-1"})
        await client.post(where, json={"text": "all quiet"})
        listed = await client.get(where)
        about = (await client.get(where, params={"device_id": "pump-1"})).json()
        wrong = [
            (await client.post(where, json=body)).status_code
            for body in (
                {"text": ""},
                {"text": "x" * 4001},
                {"text": "x", "device_id": "nobody"},
                {"text": "x", "by": "y"},
            )
        ]
    assert first.status_code == 201
    assert [note["text"] for note in listed.json()] == ["all quiet", "runs warm"]
    assert (listed.headers["X-Total-Count"], about) == ("2", [first.json()])
    assert wrong == [422, 422, 404, 422]


GUARDED = (
    ("GET", "dashboard"),
    ("GET", "health_scores"),
    ("GET", "predictions?device_id=pump-1"),
    ("GET", "recommendations"),
    ("POST", "recommendations/rec_1/accept"),
    ("GET", "devices/pump-1/facts"),
    ("PUT", "devices/pump-1/facts"),
    ("POST", "devices/pump-1/baseline/reset"),
    ("GET", "handover-notes"),
    ("POST", "handover-notes"),
)


async def test_who_has_no_right_is_told_nothing(cloud: Cloud) -> None:
    async with cloud.client() as stranger, cloud.client(Scope.GATEWAYS_READ) as other:
        unknown = [(await stranger.request(how, f"/api/v1/{path}", json={})).status_code for how, path in GUARDED]
        forbidden = [(await other.request(how, f"/api/v1/{path}", json={})).status_code for how, path in GUARDED]
    assert (set(unknown), set(forbidden)) == ({401}, {403})


async def test_ids_that_are_paths_or_addresses_are_not_found(cloud: Cloud) -> None:
    odd = ("recommendations/..%2F..%2Fetc", "recommendations/file:%2F%2Fx", "devices/..%2Fx/facts")
    async with cloud.client(*ALL) as client:
        assert [(await client.get(f"/api/v1/{path}")).status_code for path in odd] == [404] * len(odd)


async def test_no_answer_holds_what_is_no_number(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=30)
    now = cloud.clock.now_us()
    odd = [math.nan, math.inf, -math.inf, 1e308]
    times = [now - 4 * SECOND + index * SECOND for index in range(4)]
    await cloud.write(arrival(time_us=times, value=odd, quality=[int(Quality.NOT_A_NUMBER), 0, 0, 0], period_s=60.0))
    paths = ("dashboard", "devices", "devices/pump-1", "health_scores?details=true", "predictions?device_id=pump-1")
    async with cloud.client(*ALL) as client:
        await client.put("/api/devices/pump-1/limits/flow", json=LIMITS)
        judge(cloud)
        answers = [await client.get(f"/api/{path}") for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert all(math.isfinite(one) for answer in answers for one in numbers(json.loads(answer.text)))


async def test_a_device_is_found_by_its_number_too(cloud: Cloud) -> None:
    await send(cloud, 1.0, hours=0.1)
    async with cloud.client(*ALL) as client:
        assert (await client.get("/api/devices/1")).json()["device_id"] == "pump-1"
