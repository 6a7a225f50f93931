"""Learned: jobs of a cloud in a test, done at once in this process as a worker's processes do them."""

import asyncio
from functools import cache
from typing import Any

import httpx
import numpy as np

from cloud.domain.model import CHAMPION, ModelVersion
from cloud.domain.model import Task as ModelTask
from cloud.jobs.bench import Bench
from cloud.jobs.doing import do_job
from cloud.jobs.kinds import KINDS
from cloud.jobs.opening import open_models
from cloud.jobs.order import Order
from cloud.learning.algorithm import Algorithm, Task, Trained, quiet, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.preparing import Preparing
from cloud.learning.registry import Registry
from cloud.learning.table import Floats, Table
from cloud.ports import ReadingStore
from cloud.records.jobs import claim_job
from cloud.storage.files import DirectoryFiles
from tests.support.cloud import Cloud
from tests.support.learning import table_for

PLAIN_SETTINGS = {"trees": 30, "threshold_folds": 2}


def do_jobs(cloud: Cloud) -> int:
    """Do what waits in the queue, and return how many jobs that were."""
    records, done = cloud.api.records, 0
    while True:
        with records.writing() as session:
            job = claim_job(session, f"run-{done}", cloud.api.services.jobs.now())
        if job is None:
            return done
        settings, clock = cloud.settings, cloud.clock
        files, registry = DirectoryFiles(settings.files_path), open_models(settings, records, clock)
        bench = Bench(settings, clock, records, files, registry, _no_readings)
        do_job(bench, Order(job.id, job.run, "", 60, 4096), KINDS)
        done += 1


def _no_readings() -> ReadingStore:
    raise AssertionError("this job reads no readings")


def csv_of(columns: dict[str, Any]) -> bytes:
    """Return columns as a CSV with a header."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]).encode()


def payments(n: int = 400, *, seed: int = 1) -> dict[str, Any]:
    """Return rows with numbers and a category."""
    rng = np.random.default_rng(seed)
    amount: Floats = rng.gamma(4.0, 20.0, n).round(2)
    shop = rng.choice(["grocery", "online", "fuel"], n, p=[0.6, 0.3, 0.1])
    return {"amount": amount.tolist(), "shop": shop.tolist(), "hour": rng.integers(6, 23, n).tolist()}


def failures(n: int = 300, *, seed: int = 1) -> dict[str, Any]:
    """Return rows with a target of two classes."""
    rng = np.random.default_rng(seed)
    speed, load = rng.normal(size=n).round(4), rng.normal(size=n).round(4)
    fails = np.where(speed + load + rng.normal(size=n) * 0.3 > 1, "yes", "no")
    kind = rng.choice(["L", "M"], n)
    return {"speed": speed.tolist(), "load": load.tolist(), "kind": kind.tolist(), "fails": fails.tolist()}


async def upload(client: httpx.AsyncClient, columns: dict[str, Any], *, target: str = "") -> str:
    """Upload columns as a dataset and return its id."""
    answer = await client.post(
        "/api/datasets", files={"file": ("data.csv", csv_of(columns))}, data={"name": "data", "target_column": target}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def trained(cloud: Cloud, client: httpx.AsyncClient, columns: dict[str, Any], **body: Any) -> str:  # noqa: ANN401 - fields of the body
    """Upload, train by the document's way, and return the model's id."""
    sent = await client.post("/api/upload", files={"file": ("data.csv", csv_of(columns))})
    asked = await client.post(
        "/api/train", json={"file_id": sent.json()["file_id"], "settings": PLAIN_SETTINGS, **body}
    )
    assert asked.status_code == 202, asked.text
    do_jobs(cloud)
    told = (await client.get(f"/api/training/{asked.json()['job_id']}")).json()
    assert told["status"] == "completed", told
    return str(told["model_id"])


async def fitted(cloud: Cloud, client: httpx.AsyncClient, columns: dict[str, Any], **wish: Any) -> str:  # noqa: ANN401 - fields of the body
    """Set up a detector, fit it on columns, and return its id."""
    body = {"name": "Payments", "algorithm_name": "IsolationForest", "hyperparameters": {"n_estimators": 20}, **wish}
    made = await client.post("/api/detectors", json=body)
    assert made.status_code == 201, made.text
    detector_id = str(made.json()["id"])
    await fit(cloud, client, detector_id, await upload(client, columns))
    return detector_id


async def fit(cloud: Cloud, client: httpx.AsyncClient, detector_id: str, dataset_id: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Fit a detector and return what the page says."""
    asking = asyncio.ensure_future(
        client.post("/api/detection/train", json={"detector_id": detector_id, "dataset_id": dataset_id, **more})
    )
    while not asking.done():
        await asyncio.to_thread(do_jobs, cloud)
        await asyncio.sleep(0.01)
    return asking.result().json()


@cache
def classifier(algorithm: str = "random_forest_classifier") -> Trained:
    """Return trees that learned from `failures`, quickly."""
    columns = failures()
    levels = ("L", "M")
    values = np.column_stack(
        [columns["speed"], columns["load"], [float(levels.index(kind)) for kind in columns["kind"]]]
    )
    target = np.array([float(one == "yes") for one in columns["fails"]])
    table = Table(("speed", "load", "kind"), values, target, levels={"kind": levels}, classes=("no", "yes"))
    return _learn(ALGORITHMS[algorithm], table, {"trees": 15, "threshold_folds": 2, "min_rows_a_leaf": 5})


@cache
def regressor() -> Trained:
    """Return trees that learned a value."""
    return _learn(ALGORITHMS["gradient_boosting_regressor"], table_for(Task.REGRESSION, n=200), {"trees": 15})


@cache
def forest() -> Trained:
    """Return a detector that learned from `payments`, quickly."""
    columns = payments()
    levels = ("grocery", "online", "fuel")
    shop = [float(levels.index(one)) for one in columns["shop"]]
    values = np.column_stack([columns["amount"], shop, columns["hour"]])
    table = Table(("amount", "shop", "hour"), values, levels={"shop": levels})
    return _learn(Preparing(ALGORITHMS["isolation_forest"]), table, {"n_estimators": 20, "contamination": 0.05})


@cache
def series_detector() -> Trained:
    """Return a detector of single series in units of their own spread, as the documented one."""
    rng = np.random.default_rng(3)
    table = Table(("value",), rng.normal(size=(400, 1)))
    return _learn(Preparing(ALGORITHMS["isolation_forest"], lags=5), table, {"n_estimators": 20})


@cache
def whitening() -> Trained:
    """Return a detector that looks back over rows and runs on gateways."""
    return _learn(ALGORITHMS["whitening"], table_for(Task.ANOMALY, n=400), {})


def _learn(algorithm: Algorithm, table: Table, settings: dict[str, object]) -> Trained:
    return algorithm.fit(table, read_settings(algorithm.settings, settings), quiet, 7)


def keep(models: Registry, name: str, trained: Trained, *, serves: bool = True, **card: object) -> ModelVersion:
    """Register a model, and let it serve."""
    learned = trained.learned
    version = models.add_version(
        name,
        algorithm=learned.algorithm,
        task=ModelTask(learned.task.value),
        by="test",
        files=trained.files(),
        metrics={"accuracy": 0.9},
        lineage={"target": "fails"},
        card={"settings": learned.settings.model_dump(mode="json"), **card},
    )
    if serves:
        models.set_alias(name, CHAMPION, version.version, by="test")
    return version
