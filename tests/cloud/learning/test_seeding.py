"""Seeding: the documented models come to be once, serve where they are good, and learn from a file where asked."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cloud.clock import SystemClock
from cloud.domain.model import CHAMPION
from cloud.errors import Invalid
from cloud.learning.generated import KINDS, MACHINING_COLUMNS, machining, sensors, series
from cloud.learning.inference import Inference, answers, table_of
from cloud.learning.registry import Registry
from cloud.learning.seeding import CLASSIFIER, DETECTOR, FORECASTER, LEAST_BETTER, naive_error, seed_models
from cloud.learning.sensed import STANDARDISED
from cloud.learning.shelf import Shelf
from cloud.storage.files import DirectoryFiles
from tests.cloud.learning.test_retraining import NoPublisher
from tests.support.learned import csv_of
from tests.support.records import new_records
from tests.support.uploads import read


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Registry]:
    """Give an empty registry."""
    records = new_records(tmp_path)
    yield Registry(records, DirectoryFiles(tmp_path / "files"), SystemClock(), NoPublisher())
    records.close()


def quiet(_text: str) -> None:
    pass


def test_generated_rows_are_the_same_for_the_same_seed_and_look_as_documented() -> None:
    one, same, other = machining(2_000, seed=1), machining(2_000, seed=1), machining(2_000, seed=2)
    np.testing.assert_array_equal(one.values, same.values)
    assert (one.values != other.values).any()
    assert one.columns == MACHINING_COLUMNS
    assert 0.01 < one.labels().mean() < 0.1
    table, types = sensors(100, seed=1)
    assert (len(table), types) == (100 * len(KINDS), tuple(KINDS))


def test_the_forecaster_beats_every_naive_one_by_a_fifth_and_is_made_once(models: Registry) -> None:
    (made,) = seed_models(models, by="test", only=FORECASTER, told=quiet)
    assert (made.is_new, made.serves) == (True, True)
    assert made.metrics["better_than_naive_percent"] >= LEAST_BETTER
    assert made.metrics["mae"] < 0.8 * made.metrics["naive_mae"]
    (again,) = seed_models(models, by="test", only=FORECASTER, told=quiet)
    assert (again.is_new, again.version) == (False, made.version)
    comparison = models.version(FORECASTER).card["comparison"]
    assert isinstance(comparison, dict)
    assert comparison["is_better"] is True
    _, ready = Inference(models, Shelf(models, most_bytes=1 << 30)).serving(FORECASTER)
    (said,) = answers(ready, table_of(ready, [{"timestamp": "2025-03-05T12:00:00Z"}], field="features"))
    assert said.quantiles["p10"] < said.prediction < said.quantiles["p90"]  # type: ignore[operator] # a number
    with pytest.raises(Invalid, match="timestamp"):
        answers(ready, table_of(ready, [{}], field="features"))


def test_a_forecaster_that_is_no_better_than_yesterday_does_not_serve(models: Registry) -> None:
    table = series(24 * 30, seed=1)
    walk = np.cumsum(np.random.default_rng(1).normal(size=len(table)))
    hours = [f"2025-01-{1 + hour // 24:02}T{hour % 24:02}:00:00Z" for hour in range(len(table))]
    sheet = read(csv_of({"timestamp": hours, "value": walk.tolist()}))
    (made,) = seed_models(models, by="test", only=FORECASTER, sheet=sheet, told=quiet)
    assert (made.is_new, made.serves) == (True, False)
    assert CHAMPION not in models.get(FORECASTER).aliases


def test_naive_errors_know_what_was_just_before() -> None:
    assert naive_error(np.arange(400.0), 168) == 1.0
    assert naive_error(np.tile(np.arange(24.0), 20), 168) == 0.0


def test_a_file_teaches_the_classifier_by_columns_written_otherwise(models: Registry) -> None:
    table = machining(400, seed=3)
    names = [
        "Air temperature [K]",
        "Process temperature [K]",
        "Rotational speed [rpm]",
        "Torque [Nm]",
        "Tool wear [min]",
    ]
    columns = dict(zip(names, table.values.T.tolist(), strict=True))
    sheet = read(csv_of(columns | {"Machine failure": table.labels().astype(int).tolist()}))
    (made,) = seed_models(models, by="test", only=CLASSIFIER, sheet=sheet, told=quiet)
    assert made.serves
    assert models.version(CLASSIFIER).lineage["features"] == [*MACHINING_COLUMNS]


def test_names_and_files_that_fit_nothing_are_refused_and_leave_nothing(models: Registry) -> None:
    sheet = read(csv_of({"a": range(9), "b": range(9)}))
    for wrong in ({"only": "other"}, {"sheet": sheet}, {"only": CLASSIFIER, "sheet": sheet}):
        with pytest.raises(Invalid, match=r"only|column"):
            seed_models(models, by="test", told=quiet, **wrong)
    assert models.list() == []


@pytest.mark.slow
def test_all_documented_models_are_made_and_serve(models: Registry) -> None:
    made = seed_models(models, by="test", told=quiet)
    assert [one.model for one in made] == [CLASSIFIER, DETECTOR, FORECASTER]
    assert all(one.serves for one in made)
    assert made[0].metrics["auc_roc"] > 0.9
    assert made[1].metrics["over_share"] < 0.05
    detector = models.version(DETECTOR)
    assert (detector.algorithm, detector.card["lag_features"]) == ("isolation_forest", 12)
    assert detector.card["input"] == STANDARDISED
