"""Self-directed detection: chooses what suits the rows, finds what is strange, and says which column it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cloud.clock import SystemClock
from cloud.domain.dataset import Dataset
from cloud.errors import Invalid, NotFound
from cloud.learning.algorithm import quiet
from cloud.learning.datasets import Datasets
from cloud.learning.registry import Registry
from cloud.learning.self_directed import DetectRequest, detect
from cloud.learning.training import Trainer
from cloud.storage.files import DirectoryFiles
from tests.cloud.learning.test_retraining import NoPublisher
from tests.support.records import new_records
from tests.support.uploads import datasets_in, upload

N = 1_500


@dataclass(frozen=True)
class Lookout:
    """Datasets, and who looks at them."""

    parts: Trainer
    datasets: Datasets

    def dataset(self, text: str) -> Dataset:
        """Upload a CSV."""
        return self.datasets.upload(upload(text.encode()))

    def look(self, text: str, **more: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of the request
        """Return what is found in a CSV, kept as a job keeps it."""
        outcome = detect(self.parts, DetectRequest(self.dataset(text).id, **more), by="anna", progress=quiet)
        with self.parts.records.writing() as session:
            outcome.keep(session)
        return outcome.result


@pytest.fixture
def lookout(tmp_path: Path) -> Iterator[Lookout]:
    """Give one without datasets."""
    records = new_records(tmp_path)
    files = DirectoryFiles(tmp_path / "files")
    registry = Registry(records, files, SystemClock(), NoPublisher())
    yield Lookout(Trainer(records, SystemClock(), registry, files), datasets_in(tmp_path / "files", records))
    records.close()


def machine() -> NDArray[np.float64]:
    """Return rows of two channels that move together, shape (N, 2), and apart in rows 1,200 to 1,219."""
    random = np.random.default_rng(1)
    load = np.convolve(random.normal(size=N + 4), np.ones(5) / 2, "valid")
    rows = np.column_stack([load, 2 * load]) + random.normal(scale=0.05, size=(N, 2))
    rows[1_200:1_220, 1] += 3
    return rows


def in_time(rows: NDArray[np.float64], names: str) -> str:
    """Return a CSV with the second of each row."""
    lines = [
        f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z,"
        + ",".join(f"{value:.5f}" for value in row)
        for number, row in enumerate(rows)
    ]
    return f"time,{names}\n" + "\n".join(lines)


def test_channels_in_time_are_learned_together_and_the_fault_is_found_in_its_channel(lookout: Lookout) -> None:
    found = lookout.look(in_time(machine(), "flow,current"), most=5)
    assert found["algorithm"] == "whitening"
    assert found["profile"] == {
        "rows": N, "columns": 2, "categories": (), "missing_share": 0.0, "constant": (), "in_time": True,
    }  # fmt: skip
    assert 10 <= found["anomaly_count"] <= 20
    assert found["anomaly_rate"] == found["anomaly_count"] / N
    assert all(1_200 <= one["index"] < 1_260 and one["score"] > found["threshold"] for one in found["anomalies"])
    assert len(found["anomalies"]) == 5
    for one in found["anomalies"]:
        assert sum(one["explanation"].values()) == pytest.approx(1)
    version = lookout.parts.registry.version(found["model_id"])
    assert (version.version, version.algorithm) == (found["version"], "whitening")


def test_rows_with_categories_are_set_apart_and_a_constant_column_is_named(lookout: Lookout) -> None:
    random = np.random.default_rng(2)
    lines = [f"{value:.4f},{'a' if n % 2 else 'b'},7" for n, value in enumerate(random.normal(size=400))]
    lines[100] = "25.0,c,7"
    found = lookout.look("x,kind,fixed\n" + "\n".join(lines))
    assert found["algorithm"] == "isolation_forest"
    assert (found["profile"]["categories"], found["profile"]["constant"]) == (("kind",), ("fixed",))
    assert found["anomalies"][0]["index"] == 100


def test_an_algorithm_that_these_rows_do_not_suit_is_passed_over_with_the_reason(lookout: Lookout) -> None:
    found = lookout.look(in_time(machine()[:80, :1], "flow"))
    assert found["algorithm"] == "isolation_forest"
    assert "rows" in found["passed_over"]["novelty"]


def test_rows_that_teach_nothing_are_refused_by_name(lookout: Lookout) -> None:
    with pytest.raises(Invalid, match="nothing suits these rows"):
        lookout.look("x\n1\n1\n1")
    with pytest.raises(NotFound):
        detect(lookout.parts, DetectRequest("0" * 32), by="anna", progress=quiet)
    assert lookout.parts.registry.list() == []
