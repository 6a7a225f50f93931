"""The calls of the documented SDK examples, in Python and in JavaScript, against a running cloud."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.client import AsyncClient, AuthenticationFailed, Client, NotFound, RequestInvalid
from tests.support.seeded import CLASSES, NUMBERS, PASSWORD, ROW, SeededPlant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
SALE: dict[str, Any] = {
    "event_type": "flash_sale",
    "name": "Backlog",
    "start_time": "2099-11-29T00:00:00Z",
    "end_time": "2099-11-29T23:59:59Z",
}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededPlant]:
    """Give a cloud with an administrator."""
    with SeededPlant(tmp_path_factory.mktemp("plant"), are_models_seeded=False) as running:
        running.people()
        yield running


@pytest.fixture
def client(plant: SeededPlant) -> Iterator[Client]:
    """Give a client that logs in, as the first document's does."""
    with Client(base_url=f"{plant.url}/api", username="admin", password=PASSWORD) as made:
        yield made


def test_the_detector_example_works_as_written(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(NUMBERS)
    detector = client.detectors.create(name="Fraud Detection", algorithm_name="IsolationForest", contamination_rate=0.1)
    dataset = client.datasets.upload(file_path=str(file), name="Transaction Data")
    trained = client.detection.train(detector_id=detector.id, dataset_id=dataset.id)
    assert trained.success
    predictions = client.detection.predict(detector_id=detector.id, data=[ROW])
    assert len(predictions.predictions) == len(predictions.anomaly_scores) == 1
    with pytest.raises(RequestInvalid, match=r"flow|column"):
        client.detection.predict(detector_id=detector.id, data=[{"amount": 1500.0, "hour": 3}])


def test_the_scaling_example_works_as_written(plant: SeededPlant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_BASE_URL", plant.url)
    with Client(api_key=plant.ids["key"]) as client:
        assert client.predictions.current(service="api").predictions is not None
        event = client.events.create(**SALE, impact_multiplier=5.0)
        again = client.events.create(**SALE, expected_impact_multiplier=5.0)
        assert {event.id, again.id} <= {one.id for one in client.events.active().events}
        assert client.scaling.status().service_name
        assert client.events.cancel(event.id).status == "cancelled"


def test_a_training_is_waited_for_and_its_model_predicts(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "classes.csv"
    file.write_bytes(CLASSES)
    job = client.training.start(client.training.upload(file).file_id, model_name="client-classes")
    done = client.training.wait(job.job_id)
    assert client.jobs.wait(job.job_id).state == "succeeded"
    client.models.deploy(done.model_id)
    (said,) = client.models.predict(done.model_id, [{"speed": 3, "load": 2}]).predictions
    assert said.confidence == max(said.probabilities.values())


def test_readings_are_sent_once_under_one_key_and_read_back(client: Client) -> None:
    first = client.readings.send("TEMP_7", 21.5, "temperature", "celsius", idempotency_key="once")
    again = client.readings.send("TEMP_7", 21.5, "temperature", "celsius", idempotency_key="once")
    assert (first.status, again.status, again.event_id) == ("event_published", "duplicate_ignored", first.event_id)
    assert client.devices.history("TEMP_7", hours=1)["values"] == [21.5]
    assert "pump-1" in {one.device_id for one in client.devices.list()}


def test_a_report_is_begun_waited_for_and_fetched(client: Client) -> None:
    task = client.tasks.wait(client.reports.start().task_id)
    assert client.reports.download(task.result.report_path.rpartition("/")[2]).strip()


def test_what_goes_wrong_is_a_typed_error(plant: SeededPlant, client: Client) -> None:
    with pytest.raises(NotFound) as raised:
        client.datasets.get("0" * 32)
    assert (raised.value.code, bool(raised.value.request_id)) == ("DATASET_NOT_FOUND", True)
    with Client(plant.url, username="admin", password=PASSWORD[1:]) as stranger, pytest.raises(AuthenticationFailed):
        stranger.devices.list()


def test_the_asynchronous_client_does_the_same(plant: SeededPlant) -> None:
    async def calls() -> None:
        async with AsyncClient(plant.url, username="admin", password=PASSWORD) as client:
            names = {one.device_id for one in await client.devices.list()}
            made = await client.experiments.create("Async")
            assert made.id in {one.id for one in await client.experiments.list()}
            assert "pump-1" in names
            assert (await client.system.health()).status == "healthy"

    asyncio.run(calls())


@pytest.mark.parametrize("script", ["example.mjs", "example.cjs"])
def test_the_javascript_example_works_as_module_and_as_commonjs(plant: SeededPlant, script: str) -> None:
    dataset = plant.dataset(f"numbers of {script}")
    command = ["node", str(HERE / script), f"{plant.url}/api", PASSWORD, dataset, json.dumps(ROW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["predictions"], told["missing"]) == (1, "ApiError 404 DATASET_NOT_FOUND")
