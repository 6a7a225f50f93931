"""Old datasets go at night, those that a model or a job needs stay, and it is the plant's night."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.domain.dataset import ColumnFacts, ColumnKind, Dataset, Origin
from cloud.domain.job import JobKind, JobLimits, NewJob
from cloud.domain.model import Model, ModelVersion, Task
from cloud.domain.setting import Value
from cloud.domain.times import to_us
from cloud.learning.cleanup import Cleanup
from cloud.learning.datasets import ROWS
from cloud.records.audit import list_audit
from cloud.records.datasets import add_dataset, list_datasets
from cloud.records.jobs import add_job
from cloud.records.models import add_model, add_version
from cloud.records.settings import keep_setting
from cloud.storage.files import DirectoryFiles
from tests.support.cloud_clock import HandClock
from tests.support.records import new_records

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Plant:
    """Records, files and a clock; datasets are named by their ids."""

    def __init__(self, directory: Path) -> None:
        self.records = new_records(directory)
        self.files = DirectoryFiles(directory / "files")
        self.clock = HandClock(to_us(NOON))
        self.cleanup = Cleanup(self.records, self.files, self.clock)

    def add(self, name: str, *, age_days: float) -> str:
        """Keep a dataset of this age and return its id."""
        identity = name.ljust(32, "0")
        column = ColumnFacts("x", ColumnKind.NUMBER, 0, 2, 0.0, 1.0, 0.5)
        made = Dataset(
            id=identity,
            name=name,
            description="",
            origin=Origin.UPLOAD,
            file_format="csv",
            n_rows=2,
            columns=(column,),
            target="",
            file=self.files.put(ROWS, name.encode()),
            sent_size=1,
            created_at=NOON - timedelta(days=age_days),
            created_by="test",
            lineage={},
        )
        with self.records.writing() as session:
            add_dataset(session, made)
        return identity

    def change(self, key: str, value: Value) -> None:
        """Change a setting."""
        with self.records.writing() as session:
            keep_setting(session, key, value, NOON, by="test")

    def names(self) -> set[str]:
        """Return the datasets that are there."""
        with self.records.reading() as session:
            return {one.name for one in list_datasets(session)}


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.records.close()


def test_old_datasets_go_with_their_files_and_it_is_in_the_audit(plant: Plant) -> None:
    old = plant.add("a1", age_days=31)
    plant.add("b2", age_days=29)
    plant.cleanup.look()
    assert plant.names() == {"b2"}
    assert len(list(plant.files.names(ROWS))) == 1
    with plant.records.reading() as session:
        assert [(one.action, one.actor) for one in list_audit(session, subject=old)] == [("dataset.delete", "cleanup")]


def test_what_a_model_was_made_of_or_a_job_waits_for_stays(plant: Plant) -> None:
    needed, wanted = plant.add("a1", age_days=99), plant.add("b2", age_days=99)
    plant.add("c3", age_days=99)
    with plant.records.writing() as session:
        add_model(session, Model("m" * 16, "pump", Task.ANOMALY, NOON))
        lineage: dict[str, object] = {"dataset": needed}
        add_version(session, ModelVersion("pump", 1, "a", Task.ANOMALY, {}, {}, lineage, {}, "0" * 64, NOON, "test"))
        parameters: dict[str, object] = {"dataset_id": f"file_{wanted}"}
        add_job(session, "j" * 32, NewJob(JobKind.TRAIN, parameters, JobLimits(60, 512), "test"), NOON)
    plant.cleanup.look()
    assert plant.names() == {"a1", "b2"}


@pytest.mark.parametrize(("key", "value"), [("data.autoCleanup", False), ("data.retentionDays", 100)])
def test_the_settings_say_whether_and_when(plant: Plant, key: str, value: Value) -> None:
    plant.add("a1", age_days=99)
    plant.change(key, value)
    plant.cleanup.look()
    assert plant.names() == {"a1"}


def test_it_is_done_once_a_day_in_the_night_of_the_plant(plant: Plant) -> None:
    plant.change("general.timezone", "Pacific/Auckland")  # 13 hours ahead: 01:00 there at noon here
    plant.add("a1", age_days=99)
    plant.cleanup.look()
    assert plant.names() == {"a1"}
    plant.clock.move(3600)
    plant.cleanup.look()
    assert plant.names() == set()
    plant.add("b2", age_days=99)
    plant.cleanup.look()
    assert plant.names() == {"b2"}
    plant.clock.move(86_400)
    plant.cleanup.look()
    assert plant.names() == set()
