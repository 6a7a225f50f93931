"""Trainings and jobs over HTTP: three documents' words for one queue, and what is wrong said before a job begins."""

from typing import Any

import httpx
import pytest

from cloud.domain.job import Failing, Failure, Job, JobState, Progress
from cloud.domain.scopes import Scope
from cloud.records.database import Records
from cloud.records.jobs import Outcome, claim_job, conclude, note_progress, succeed
from tests.support.cloud import Cloud

CSV = b"speed,load,fails\n" + b"".join(b"%d,%d,%s\n" % (n, n * n % 7, b"yes" if n % 3 else b"no") for n in range(60))
SCOPES = (Scope.LEARNING_READ, Scope.LEARNING_WRITE)


async def upload(client: httpx.AsyncClient, data: bytes = CSV) -> str:
    answer = await client.post("/api/v1/upload", files={"file": ("data.csv", data)})
    return str(answer.json()["file_id"])


async def begun(client: httpx.AsyncClient, **more: Any) -> str:  # noqa: ANN401 - fields of the body
    answer = await client.post("/api/v1/train", json={"file_id": await upload(client), **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def claimed(cloud: Cloud) -> tuple[Records, Job]:
    """Take the next job as a worker does."""
    records = cloud.api.records
    with records.writing() as session:
        job = claim_job(session, "run", cloud.api.services.jobs.now())
    assert job is not None
    return records, job


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_training_is_asked_for_and_told_from_queued_to_completed(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(*SCOPES) as client:
        asked = await client.post(
            f"{prefix}/train",
            json={
                "file_id": await upload(client),
                "model_type": "classification",
                "training_params": {"test_split": 0.25, "random_state": 7, "max_training_time": 60},
            },
        )
        body = asked.json()
        assert (asked.status_code, body["status"], set(body)) == (
            202,
            "started",
            {"job_id", "status", "estimated_time", "start_time"},
        )
        path = f"{prefix}/training/{body['job_id']}"
        assert (await client.get(path)).json()["status"] == "queued"
        records, job = claimed(cloud)
        assert job.limits.seconds == 60
        assert (job.parameters["test_split"], job.parameters["seed"], job.parameters["model"]) == (0.25, 7, "data")
        with records.writing() as session:
            note_progress(session, "run", Progress(0.4, "learning"))
        running = (await client.get(path)).json()
        assert (running["status"], running["progress"], running["current_step"]) == ("in_progress", 40, "learning")
        assert {"elapsed_time", "estimated_remaining"} <= set(running)
        made = {"model": "data", "metrics": {"accuracy": 0.9, "f1": 0.8}, "confusion_matrix": [[1, 0], [0, 1]]}
        with records.writing() as session:
            assert succeed(session, "run", Outcome(dict(made)), cloud.api.services.jobs.now())
        done = (await client.get(path)).json()
    assert (done["status"], done["progress"], done["model_id"]) == ("completed", 100, "data")
    assert done["metrics"]["f1_score"] == 0.8
    assert done["metrics"]["confusion_matrix"] == [[1, 0], [0, 1]]


async def test_a_training_that_failed_says_why_with_the_documented_code(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        job_id = await begun(client)
        records, _ = claimed(cloud)
        with records.writing() as session:
            conclude(session, "run", Failure(Failing.TIME_LIMIT, "stopped: too long"), cloud.api.services.jobs.now())
        told = (await client.get(f"/api/v1/training/{job_id}")).json()
        own = (await client.get(f"/api/v1/jobs/{job_id}")).json()
    assert (told["status"], told["code"], told["error"]) == ("failed", "TRAINING_FAILED", "stopped: too long")
    assert (own["state"], own["error"]["reason"]) == ("failed", "time_limit")


async def test_jobs_are_listed_and_cancelled(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        first, second = await begun(client), await begun(client)
        cancelled = await client.delete(f"/api/v1/jobs/{first}")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, JobState.CANCELLED.value)
        listed = await client.get("/api/v1/jobs", params={"limit": 1})
        assert ([one["id"] for one in listed.json()], listed.headers["X-Total-Count"]) == ([second], "2")
        waiting = (await client.get("/api/v1/jobs", params={"state": "queued", "kind": "train"})).json()
        assert [one["id"] for one in waiting] == [second]
        assert "model" in waiting[0]["parameters"]
        assert (await client.get("/api/v1/jobs", params={"state": "asleep"})).status_code == 422
        assert (await client.get("/api/v1/jobs/job_nothing")).json()["error_code"] == "JOB_NOT_FOUND"


@pytest.mark.parametrize(
    ("data", "body", "status", "told"),
    [
        (CSV, {"file_id": "file_" + "0" * 32}, 404, "dataset"),
        (CSV, {"target_column": "colour"}, 422, "colour"),
        (CSV, {"model_type": "magic"}, 422, "model_type"),
        (CSV, {"training_params": {"test_split": 1.5}}, 422, "test_split"),
        (CSV, {"model_name": "Not A Name"}, 422, "model"),
        (b"a,b,t\n1,5,x\n2,5,y\n3,5,x\n", {}, 422, "column 'b': always the same"),
        (b"a,t\n1,x\n2,x\n3,x\n", {"target_column": "t"}, 422, "one class only"),
    ],
)
async def test_what_no_training_could_make_good_is_refused_at_once(
    cloud: Cloud, data: bytes, body: dict[str, Any], status: int, told: str
) -> None:
    async with cloud.client(*SCOPES) as client:
        answer = await client.post("/api/v1/train", json={"file_id": await upload(client, data)} | body)
        assert (await client.get("/api/v1/jobs")).json() == []
    assert answer.status_code == status, answer.text
    assert told in answer.text


async def test_a_retraining_is_for_admins_and_needs_a_model_or_devices(cloud: Cloud) -> None:
    body = {"model_name": "pump", "training_days": 7}
    async with cloud.client(*SCOPES) as user, cloud.client(Scope.ADMIN) as admin:
        assert (await user.post("/api/v1/models/retrain", json=body)).status_code == 403
        missing = await admin.post("/api/v1/models/retrain", json=body)
        asked = await admin.post("/api/v1/models/retrain", json=body | {"devices": ["gw-1/pump-1"]})
        wrong = await admin.post("/api/v1/models/retrain", json=body | {"devices": ["pump-1"]})
    assert (missing.status_code, missing.json()["error_code"]) == (404, "MODEL_NOT_FOUND")
    assert (wrong.status_code, asked.status_code) == (422, 202)
    assert asked.json()["status"] == "queued"
    assert asked.json()["estimated_duration_minutes"] == 15


async def test_a_dataset_of_readings_is_asked_for_by_devices_and_time(cloud: Cloud) -> None:
    body = {"name": "week", "devices": ["gw-1/pump-1"], "start": "2026-01-01T00:00:00Z", "end": "2026-01-08T00:00:00Z"}
    async with cloud.client(*SCOPES) as client:
        asked = await client.post("/api/v1/datasets/from-readings", json=body)
        turned = await client.post("/api/v1/datasets/from-readings", json=body | {"end": "2025-01-01T00:00:00Z"})
        naive = await client.post("/api/v1/datasets/from-readings", json=body | {"start": "2026-01-01T00:00:00"})
    assert (asked.status_code, asked.json()["kind"]) == (202, "draw_dataset")
    assert (turned.status_code, naive.status_code) == (422, 422)
