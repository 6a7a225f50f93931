"""Inference: laws of what models say, the memory they take, rows that cannot be judged."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.clock import SystemClock
from cloud.domain.model import CHAMPION, ModelVersion, Task
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.learning import inference
from cloud.learning.algorithm import Portable, Trained
from cloud.learning.algorithms.scored import open_network
from cloud.learning.inference import Inference, answers, false_alarm_share, level_at, reason, shares_of, table_of
from cloud.learning.packaging import About, make_package
from cloud.learning.registry import Registry
from cloud.learning.rows import alike
from cloud.learning.shelf import Ready, Shelf
from cloud.storage.files import DirectoryFiles
from protocols.package import Lineage
from tests.cloud.learning.test_retraining import NoPublisher
from tests.support import learned
from tests.support.records import new_records

NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
_AT = datetime(2026, 1, 15, tzinfo=UTC)
SHARE = st.floats(0, 1, allow_nan=False)


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Registry]:
    """Give an empty registry."""
    records = new_records(tmp_path)
    yield Registry(records, DirectoryFiles(tmp_path / "files"), SystemClock(), NoPublisher())
    records.close()


def ready_of(trained: Trained, lookback: int = 0) -> Ready:
    told = trained.learned
    version = ModelVersion(
        "pump", 1, told.algorithm, Task(told.task.value), {}, {}, {}, {}, "", created_at=_AT, created_by="test"
    )
    return Ready(version, trained, 0, lookback)


@given(st.lists(st.tuples(NUMBER, NUMBER, st.sampled_from(["L", "M"])), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_probabilities_add_up_to_one_and_confidence_is_the_highest(rows: list[tuple[float, float, str]]) -> None:
    ready = ready_of(learned.classifier())
    table = table_of(ready, [{"speed": a, "load": b, "kind": c} for a, b, c in rows], field="data")
    found = answers(ready, table)
    assert len(found) == len(rows)
    for one in found:
        assert sum(one.probabilities.values()) == pytest.approx(1.0, abs=1e-12)
        assert one.confidence == max(one.probabilities.values()) == one.probabilities[f"{one.prediction}"]


@given(speed=NUMBER, load=NUMBER)
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("algorithm", ["random_forest_classifier", "gradient_boosting_classifier"])
def test_what_features_add_and_the_base_are_what_the_trees_say(algorithm: str, speed: float, load: float) -> None:
    ready = ready_of(learned.classifier(algorithm))
    table = table_of(ready, [{"speed": speed, "load": load, "kind": "L"}], field="features")
    why = reason(ready, table)
    (said,) = answers(ready, table)
    odds = float(np.log(said.probabilities["yes"] / said.probabilities["no"]))
    assert (why.method, why.space, why.is_exact) == ("shap", "raw", True)
    assert why.base + sum(why.contributions.values()) == pytest.approx(why.output, abs=1e-6)
    assert why.output == pytest.approx(odds, abs=1e-6)
    assert sum(why.importances.values()) == pytest.approx(1.0, abs=1e-9)


@given(st.lists(st.floats(-1e300, 1e300, allow_nan=False), min_size=1, max_size=20))
def test_importances_are_never_negative_and_add_up_to_one(added: list[float]) -> None:
    shares = shares_of(np.array(added))
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1.0, abs=1e-9)


@given(one=SHARE, other=SHARE)
@pytest.mark.parametrize("kind", ["forest", "whitening"])
def test_more_sensitivity_never_raises_the_level_that_a_score_must_pass(kind: str, one: float, other: float) -> None:
    trained = getattr(learned, kind)()
    less, more = sorted((one, other))
    levels = [level_at(trained, false_alarm_share(value)) for value in (less, more)]
    assert levels[0] >= levels[1]
    assert all(0 <= level <= 1 for level in levels)


def test_sensitivity_is_the_share_of_normal_rows_that_it_calls_anomalies() -> None:
    assert false_alarm_share(0) == pytest.approx(1e-4)
    assert false_alarm_share(0.5) == pytest.approx(1e-3)
    assert false_alarm_share(1) == pytest.approx(1e-2)
    trained = learned.whitening()
    assert level_at(trained, 0.01) == pytest.approx(0.5, abs=0.02)


@given(amount=NUMBER, hour=st.integers(-100, 100), shop=st.text(max_size=10))
@settings(max_examples=25, deadline=None)
def test_every_row_gets_a_score_between_0_and_1_whatever_its_category(amount: float, hour: int, shop: str) -> None:
    ready = ready_of(learned.forest())
    table = table_of(ready, [{"amount": amount, "hour": hour, "shop": shop}], field="data")
    (score,) = inference.scores_of(ready, table).score
    assert 0 <= score <= 1


def test_a_category_that_was_never_seen_is_stranger_than_the_commonest() -> None:
    ready = ready_of(learned.forest())
    rows = [{"amount": 80.0, "hour": 12, "shop": shop} for shop in ("grocery", "casino")]
    usual, unseen = inference.scores_of(ready, table_of(ready, rows, field="data")).score
    assert unseen > usual


def test_a_row_without_a_past_is_judged_as_if_it_had_always_been_so(models: Registry) -> None:
    version = learned.keep(models, "pump", learned.whitening())
    asked = Inference(models, Shelf(models, most_bytes=1 << 30))
    columns = learned.whitening().learned.columns
    scores = asked.score_rows("pump", columns, np.zeros((3, 3)))
    assert np.isfinite(scores.score).all()
    assert scores.score[0] == pytest.approx(scores.score[1], abs=0.05)
    assert scores.version == version.label
    assert asked.score_rows("pump", columns, np.full((1, 3), 50.0)).is_over.all()


def test_a_column_that_a_device_lacks_is_named(models: Registry) -> None:
    learned.keep(models, "pump", learned.whitening())
    asked = Inference(models, Shelf(models, most_bytes=1 << 30))
    with pytest.raises(Invalid, match="'pressure'"):
        asked.score_rows("pump", ("flow",), np.zeros((3, 1)))


def test_a_package_that_gateways_run_answers_here_as_well(models: Registry) -> None:
    trained = learned.whitening()
    assert isinstance(trained, Portable)
    fitted, rows = trained.fitted(), np.random.default_rng(1).normal(size=(100, 3))
    about = About("pump", Lineage(made_at_us=1, made_by="test", algorithm="whitening", rows=100), {})
    package = make_package(fitted, open_network(fitted.network), rows, about)
    models.add_version("pump", algorithm="whitening", task=Task.ANOMALY, package=package, by="test")
    learned.keep(models, "other", trained)
    asked = Inference(models, Shelf(models, most_bytes=1 << 30))
    told = [asked.score_rows(name, trained.learned.columns, rows, version=1).score for name in ("pump", "other")]
    np.testing.assert_array_equal(told[0], told[1])


def test_models_leave_the_memory_in_the_order_in_which_they_were_last_asked(models: Registry) -> None:
    versions = [learned.keep(models, f"model-{number}", learned.forest()) for number in range(3)]
    size = Shelf(models, most_bytes=1 << 30).take(versions[0]).size
    shelf = Shelf(models, most_bytes=2 * size)
    first = shelf.take(versions[0])
    second = shelf.take(versions[1])
    assert shelf.take(versions[0]) is first
    shelf.take(versions[2])
    assert shelf.bytes <= 2 * size
    assert shelf.take(versions[0]) is first
    assert shelf.take(versions[1]) is not second


def test_a_model_whose_file_was_changed_is_not_asked(models: Registry, tmp_path: Path) -> None:
    version = learned.keep(models, "pump", learned.forest())
    for file in (tmp_path / "files" / "models").iterdir():
        file.write_bytes(b"{}")
    with pytest.raises(Unavailable):
        Shelf(models, most_bytes=1 << 30).take(version)


def test_a_kind_that_does_not_run_here_is_a_conflict(models: Registry) -> None:
    models.add_version("x", algorithm="other", task=Task.CLASSIFICATION, files={"trees.txt": b"x"}, by="test")
    with pytest.raises(Conflict, match="other"):
        Shelf(models, most_bytes=1).take(models.version("x"))


def test_auto_is_the_champion_else_the_newest_judged_version(models: Registry) -> None:
    asked = Inference(models, Shelf(models, most_bytes=1 << 30))
    learned.keep(models, "pump", learned.forest(), serves=False)
    second = learned.keep(models, "pump", learned.forest(), serves=False)
    assert asked.chosen("pump")[1].version.version == second.version
    with pytest.raises(Conflict, match="not deployed"):
        asked.serving("pump")
    models.set_alias("pump", CHAMPION, 1, by="test")
    assert asked.chosen("pump")[1].version.version == 1
    assert asked.chosen("pump", "2")[1].version.version == 2
    assert asked.chosen("pump", "champion")[1].version.version == 1
    for wrong in ("3", "x", "", "٣"):
        with pytest.raises(NotFound):
            asked.chosen("pump", wrong)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"speed": 1.0, "kind": "L"}, r"data\[0\]: lacks 'load'"),
        ({"speed": 1.0, "load": 1.0, "kind": "L", "hour": 3}, "'hour', unknown to the model"),
        ({"speed": "fast", "load": 1.0, "kind": "L"}, "'fast' is no number"),
        ({"speed": True, "load": 1.0, "kind": "L"}, "True is no number"),
        ({"speed": None, "load": 1.0, "kind": "L"}, "has no value"),
        ({"speed": float("nan"), "load": 1.0, "kind": "L"}, "no finite number"),
        ({"speed": 10**400, "load": 1.0, "kind": "L"}, "no finite number"),
        ({"speed": 1.0, "load": 1.0, "kind": "X"}, r"category not seen in training; seen: 'L', 'M'"),
        ({"speed": 1.0, "load": 1.0, "kind": [1]}, "is no text"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_place(row: dict[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        table_of(ready_of(learned.classifier()), [row], field="data")


def test_the_target_of_its_dataset_and_a_time_may_be_sent_along() -> None:
    ready = ready_of(learned.classifier())
    ready = replace(ready, version=replace(ready.version, lineage={"target": "fails"}))
    row = {"speed": 1.0, "load": 1.0, "kind": "L", "fails": "yes", "timestamp": "2026-01-15T10:30:00Z"}
    assert table_of(ready, [row], field="data").columns == ("speed", "load", "kind")
    with pytest.raises(Invalid, match="is no time"):
        table_of(ready, [row | {"timestamp": "noon"}], field="data")


def test_feature_names_may_be_written_with_other_signs() -> None:
    told = replace(learned.classifier().learned, columns=("Air temperature [K]", "Torque [Nm]"))
    assert alike(told, {"Air_temperature_K": 1, "torque_nm": 2}) == {"Air temperature [K]": 1, "Torque [Nm]": 2}
    assert alike(told, {"Air temperature [K]": 1, "air_temperature_k": 2}) == {
        "Air temperature [K]": 1,
        "air_temperature_k": 2,
    }
