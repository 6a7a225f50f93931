"""Training from datasets, as jobs do it: each task, the version with its lineage, each bad dataset by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cloud.clock import SystemClock
from cloud.domain.dataset import Dataset
from cloud.errors import CloudError, Invalid
from cloud.learning.algorithm import quiet
from cloud.learning.datasets import Datasets
from cloud.learning.registry import Registry
from cloud.learning.train_request import TrainRequest, parse_train_request
from cloud.learning.training import Trainer, train
from cloud.records.database import Records
from cloud.storage.files import DirectoryFiles
from tests.cloud.learning.test_retraining import NoPublisher
from tests.support.plant_rows import healthy
from tests.support.records import new_records
from tests.support.uploads import datasets_in, upload


@dataclass(frozen=True)
class School:
    """Datasets, and who trains on them."""

    records: Records
    datasets: Datasets
    registry: Registry
    files: DirectoryFiles

    def dataset(self, text: str, target: str = "") -> Dataset:
        """Upload a CSV."""
        return self.datasets.upload(upload(text.encode(), target=target))

    def train(self, dataset: Dataset, **more: object) -> dict[str, object]:
        """Check, train and keep, as a job does."""
        request = TrainRequest(dataset.id, "pump", **more)  # type: ignore[arg-type]
        request.check_against(dataset)
        parts = Trainer(self.records, SystemClock(), self.registry, self.files)
        outcome = train(parts, parse_train_request(request.parameters()), by="test", progress=quiet)
        with self.records.writing() as session:
            outcome.keep(session)
        return outcome.result


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """Give a school without datasets."""
    records = new_records(tmp_path)
    files = DirectoryFiles(tmp_path / "files")
    registry = Registry(records, files, SystemClock(), NoPublisher())
    yield School(records, datasets_in(tmp_path / "files", records), registry, files)
    records.close()


def classes(n: int = 240, *, seed: int = 1) -> str:
    rng = np.random.default_rng(seed)
    speed, load, kind = rng.normal(size=n), rng.normal(size=n), rng.choice(["L", "M"], n)
    fails = np.where(speed + load > 1, "yes", "no")
    rows = zip(speed.tolist(), load.tolist(), kind.tolist(), fails.tolist(), strict=True)
    return "speed,load,kind,fails\n" + "\n".join(f"{a:.4f},{b:.4f},{c},{d}" for a, b, c, d in rows)


def test_the_last_column_is_foretold_as_classes_and_judged_on_rows_not_seen(school: School) -> None:
    result = school.train(school.dataset(classes()), settings={"trees": 60})
    metrics = result["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["accuracy"] > 0.85
    confusion = np.array(result["confusion_matrix"])
    assert confusion.shape == (2, 2)
    assert confusion.sum() == 48
    version = school.registry.version("pump")
    assert (version.version, version.algorithm, version.has_package) == (1, "gradient_boosting_classifier", False)
    assert version.lineage["features"] == ["speed", "load", "kind"]
    assert version.metrics["accuracy"] == metrics["accuracy"]


def test_a_target_of_values_is_a_regression(school: School) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 2))
    text = "a,b,life\n" + "\n".join(f"{a:.4f},{b:.4f},{100 + 20 * a - 5 * b:.4f}" for a, b in x.tolist())
    result = school.train(school.dataset(text))
    assert (result["task"], result["confusion_matrix"]) == ("regression", None)
    metrics = result["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["r2"] > 0.7


def test_a_detector_becomes_a_package_that_gateways_run(school: School) -> None:
    rows = healthy(1_500, seed=8)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    lines = (
        ",".join([(begin + timedelta(seconds=second)).isoformat(), *(f"{one:.5f}" for one in row)])
        for second, row in enumerate(rows.tolist())
    )
    result = school.train(school.dataset("time,flow,pressure,speed,vibration\n" + "\n".join(lines)), task="anomaly")
    version = school.registry.version("pump")
    assert (result["algorithm"], version.has_package, version.card["name"]) == ("whitening", True, "pump")
    assert "expected_alarms_per_day" in version.metrics


def test_a_training_that_keeps_nothing_adds_no_version(school: School) -> None:
    result = school.train(school.dataset(classes()), save=False)
    assert "version" not in result
    assert school.registry.list() == []


CONSTANT = "a,b,t\n" + "\n".join(f"{i},5,{'x' if i % 2 else 'y'}" for i in range(100))
ONE_CLASS = "a,b,t\n" + "\n".join(f"{i},{i * i},same" for i in range(100))
MISSING = "a,b,t\n" + "\n".join(f"{i},{'' if i == 17 else i * i},{'x' if i % 2 else 'y'}" for i in range(100))
NO_TARGET = "a,b,t\n" + "\n".join(f"{i},{i * i},{'' if i == 17 else 'x' if i % 2 else 'y'}" for i in range(100))
ALL_MISSING = "a,b,t\n" + "\n".join(f"{i},,{'x' if i % 2 else 'y'}" for i in range(100))
FEW = "a,t\n" + "\n".join(f"{i},{'x' if i % 2 else 'y'}" for i in range(10))


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        (CONSTANT, {}, "column 'b': always the same"),
        (ONE_CLASS, {"target": "t"}, "column 't': one class only"),
        (ONE_CLASS, {"target": "colour"}, "target_column: there is no column 'colour'"),
        (MISSING, {}, "column 'b': row"),
        (NO_TARGET, {}, "column 't': row 18 has no value"),
        (ALL_MISSING, {}, "column 'b': "),
        (FEW, {}, "rows"),
        (classes(), {"algorithm": "magic"}, "algorithm: there is no 'magic'; there are"),
        (classes(), {"algorithm": "gradient_boosting_regressor", "task": "classification"}, "is for regression"),
        (classes(), {"task": "regression"}, "column 'fails' holds texts"),
        (classes(), {"features": ("speed", "height")}, "features: there is no column 'height'"),
        (classes(), {"settings": {"trees": 0}}, "trees"),
        (classes(), {"settings": {"branches": 3}}, "branches"),
        (classes(), {"group": "speed"}, "group_column"),
    ],
)
def test_a_dataset_that_teaches_nothing_is_refused_by_name_and_nothing_changes(
    school: School, text: str, more: dict[str, object], told: str
) -> None:
    dataset = school.dataset(text)
    with pytest.raises(CloudError) as refused:
        school.train(dataset, **more)
    assert told in str(refused.value)
    assert school.registry.list() == []
    assert school.datasets.list() == [dataset]


@pytest.mark.parametrize("parameters", [{}, {"dataset_id": "x", "model": "Bad Name"}, {"dataset_id": 1, "model": "m"}])
def test_parameters_that_are_none_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        parse_train_request(parameters)
