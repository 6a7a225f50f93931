"""/autonomous: levels, what families did, stopping them, and detection in one call."""

import pytest

from cloud.domain.autonomy import Level
from cloud.domain.scopes import Scope
from cloud.records.autonomy import level_of
from cloud.records.decisions import list_requests
from tests.support.cloud import Cloud


async def test_models_may_suggest_until_somebody_says_otherwise(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        before = (await client.get("/api/v1/autonomous")).json()
        assert before == {"level": "suggest", "levels": ["off", "suggest", "supervised"], "families": []}
        answer = await client.put("/api/v1/autonomous", json={"level": "supervised"})
        assert answer.json()["level"] == "supervised"
        assert (await client.get("/api/autonomous")).json()["level"] == "supervised"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"level": "wild"}, 422, "INVALID_PARAMETERS"),
        ({"level": "off", "family": "nobody"}, 404, "MODEL_NOT_FOUND"),
        ({"level": "off", "families": []}, 422, "INVALID_PARAMETERS"),
    ],
)
async def test_a_level_that_cannot_be_changes_nothing(
    cloud: Cloud, body: dict[str, object], status: int, code: str
) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        answer = await client.put("/api/v1/autonomous", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (status, code)
        assert (await client.get("/api/v1/autonomous")).json()["level"] == "suggest"


async def test_only_an_administrator_changes_or_stops_it(cloud: Cloud) -> None:
    async with cloud.client(Scope.LEARNING_WRITE, Scope.LEARNING_READ) as client:
        assert (await client.put("/api/v1/autonomous", json={"level": "off"})).status_code == 403
        assert (await client.post("/api/v1/autonomous/stop")).status_code == 403
        assert (await client.get("/api/v1/autonomous/runs")).json() == []


async def test_stopping_turns_every_family_off_and_is_written_down(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as client:
        await client.put("/api/v1/autonomous", json={"level": "supervised"})
        answer = await client.post("/api/v1/autonomous/stop")
        assert answer.json() == {"level": "off", "cancelled_jobs": [], "rolled_back": []}
    with cloud.api.records.reading() as session:
        assert level_of(session, "any") is Level.OFF
        assert list_requests(session)[1] == 0


async def test_an_unknown_dataset_is_not_looked_at(cloud: Cloud) -> None:
    async with cloud.client(Scope.ML_ANOMALY) as client:
        answer = await client.post("/api/v1/autonomous/detect", json={"dataset_id": "file_" + "0" * 32})
        assert (answer.status_code, answer.json()["error_code"]) == (404, "DATASET_NOT_FOUND")
