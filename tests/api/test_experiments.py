"""/experiments and /algorithms: trainings join an experiment, and its best run is worked out from them."""

import asyncio
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from cloud.domain.scopes import Scope
from cloud.jobs.doing import do_job
from cloud.jobs.kinds import KINDS
from cloud.jobs.order import Order
from cloud.processes.job import open_bench
from cloud.records.jobs import claim_job
from tests.support.cloud import Cloud

SCOPES = (Scope.LEARNING_READ, Scope.LEARNING_WRITE)
ROWS = (b"%d,%d,%d\n" % (n % 13 + 90 * (n % 40 == 39), n * n % 7, n % 40 == 39) for n in range(400))
CSV = b"speed,load,fails\n" + b"".join(ROWS)
NEW = {"name": "Bearings", "description": "Two of them", "tags": ["bearings", "comparison"]}
URL = "/api/v1/experiments"
NOBODY = "0197f3a2-5c1e-7d40-9a6b-001122334455"


async def made(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the body
    answer = await client.post(URL, json=NEW | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def work(cloud: Cloud) -> None:
    """Do the next job as its process does it."""
    records = cloud.api.records
    with records.writing() as session:
        job = claim_job(session, "run", cloud.api.services.jobs.now())
    assert job is not None
    with ExitStack() as closing:
        do_job(open_bench(cloud.settings, closing), Order(job.id, "run", "", 60, 1024), KINDS)


async def trained(cloud: Cloud, client: httpx.AsyncClient, experiment: str, alarm_share: float) -> str:
    file = await client.post("/api/v1/upload", files={"file": ("data.csv", CSV)})
    body = {
        "file_id": file.json()["file_id"],
        "model_type": "anomaly",
        "algorithm": "whitening",
        "target_column": "fails",
        "settings": {"alarm_share": alarm_share},
        "experiment_id": experiment,
    }
    answer = await client.post("/api/v1/train", json=body)
    assert answer.status_code == 202, answer.text
    await asyncio.to_thread(work, cloud)
    return str(answer.json()["job_id"])


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_an_experiment_without_runs_has_no_best_one(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(*SCOPES) as client:
        answer = await client.post(f"{prefix}/experiments", json=NEW)
        listed = await client.get(f"{prefix}/experiments")
    assert answer.status_code == 201
    assert NEW.items() <= answer.json().items()
    assert (answer.json()["metrics"]["best_algorithm"], answer.json()["metrics"]["best_f1_score"]) == (None, None)
    assert (listed.json(), listed.headers["X-Total-Count"]) == ([answer.json()], "1")


async def test_trainings_join_as_runs_and_the_best_is_the_arg_max(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        experiment = (await made(client))["id"]
        jobs = [await trained(cloud, client, experiment, share) for share in (0.05, 0.001)]
        shown = (await client.get(f"{URL}/{experiment}")).json()
        compared = (await client.get(f"{URL}/{experiment}/compare")).json()
        by_recall = (await client.get(f"{URL}/{experiment}/compare", params={"metric": "recall"})).json()
    runs = {run["id"]: run for run in shown["runs"]}
    assert {f"job_{identity.replace('-', '')}" for identity in runs} == set(jobs)
    best = max(shown["runs"], key=lambda run: float(run["metrics"]["f1"]))
    metrics = shown["metrics"]
    assert (metrics["best_f1_score"], metrics["best_run_id"]) == (best["metrics"]["f1"], best["id"])
    assert (metrics["best_algorithm"], metrics["runs"]) == ("Whitening", 2)
    assert [run["version"] for run in shown["runs"]] == [1, 2]
    values = [run["value"] for run in compared["runs"]]
    assert (values, compared["varied"]) == (sorted(values, reverse=True), ["alarm_share"])
    assert by_recall["metric"] == "recall"


async def test_a_training_for_an_experiment_that_is_not_there_never_begins(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        file = await client.post("/api/v1/upload", files={"file": ("data.csv", CSV)})
        body = {"file_id": file.json()["file_id"], "target_column": "fails", "experiment_id": NOBODY}
        answer = await client.post("/api/v1/train", json=body)
        jobs = (await client.get("/api/v1/jobs")).headers["X-Total-Count"]
    assert (answer.status_code, answer.json()["error_code"], jobs) == (404, "EXPERIMENT_NOT_FOUND", "0")


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 201}, {"name": " "}, {"tags": ["t"] * 51}, {"tags": "t"}, {"color": "red"}],
)
async def test_an_experiment_that_cannot_be_is_422_and_not_kept(cloud: Cloud, wrong: dict[str, Any]) -> None:
    async with cloud.client(*SCOPES) as client:
        answer = await client.post(URL, json=NEW | wrong)
        kept = (await client.get(URL)).json()
    assert (answer.status_code, kept) == (422, [])


@pytest.mark.parametrize("identity", [NOBODY, "..%2f..%2fetc", "s3://bucket/key", "x" * 300])
async def test_an_unknown_experiment_is_404(cloud: Cloud, identity: str) -> None:
    async with cloud.client(Scope.LEARNING_READ) as client:
        for path in (f"{URL}/{identity}", f"{URL}/{identity}/compare"):
            assert (await client.get(path)).status_code == 404


async def test_readers_may_not_make_experiments(cloud: Cloud) -> None:
    async with cloud.client(Scope.LEARNING_READ) as client:
        assert (await client.post(URL, json=NEW)).status_code == 403


async def test_algorithms_are_static_and_known_by_their_etag(cloud: Cloud) -> None:
    async with cloud.client(Scope.LEARNING_READ) as client:
        first = await client.get("/api/algorithms")
        again = await client.get("/api/v1/algorithms", headers={"If-None-Match": first.headers["ETag"]})
        other = await client.get("/api/v1/algorithms", headers={"If-None-Match": '"else"'})
    known = {one["name"]: one for one in first.json()}
    assert known["isolation_forest"]["aliases"] == ["IsolationForest"]
    assert known["isolation_forest"]["parameters"]["contamination"]["maximum"] == 0.5
    assert (again.status_code, again.content, other.content) == (304, b"", first.content)
