"""lineside-cloud dataset, job and train: the same things as over the API."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from cloud.clock import SystemClock
from cloud.setup import migrate
from tests.support.cloud import settings_in

CSV = "speed,state\n" + "\n".join(f"{n},{'on' if n % 2 else 'off'}" for n in range(50)) + "\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give the configuration of a migrated installation."""
    path = tmp_path / "lineside-cloud.yaml"
    path.write_text("data: data\nmqtt: null\n")
    (tmp_path / "data").mkdir()
    migrate(settings_in(tmp_path, data="data"), SystemClock())
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_a_dataset_is_imported_listed_shown_and_deleted(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "pump.csv"
    file.write_text(CSV)
    made = json.loads(run(config, "dataset", "import", str(file), "--target", "state", "--json").stdout)
    assert (made["name"], made["rows"], made["target"]) == ("pump", 50, "state")
    assert [one["id"] for one in json.loads(run(config, "dataset", "list", "--json").stdout)] == [made["id"]]
    assert made["id"] in run(config, "dataset", "list").stdout
    assert json.loads(run(config, "dataset", "show", made["id"]).stdout) == made
    assert run(config, "dataset", "delete", made["id"]).exit_code == 0
    assert run(config, "dataset", "show", made["id"]).exit_code == 1


def test_a_bad_file_is_refused_in_words(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "pump.csv"
    file.write_text("a,b\n1,2\n3\n")
    told = run(config, "dataset", "import", str(file))
    assert told.exit_code == 1
    assert "row 3: has 1 cells, the header has 2" in told.output


def test_a_training_is_asked_for_shown_and_cancelled(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "pump.csv"
    file.write_text(CSV)
    made = json.loads(run(config, "dataset", "import", str(file), "--json").stdout)
    job_id = run(config, "train", made["id"], "--model", "pump").stdout.strip()
    (listed,) = json.loads(run(config, "job", "list", "--json").stdout)
    assert (listed["id"], listed["state"], listed["parameters"]["model"]) == (job_id, "queued", "pump")
    assert job_id in run(config, "job", "list").stdout
    assert "is cancelled" in run(config, "job", "cancel", job_id).stdout
    assert json.loads(run(config, "job", "show", job_id).stdout)["state"] == "cancelled"
    refused = run(config, "train", made["id"], "--model", "pump", "--target", "colour")
    assert refused.exit_code == 1
    assert "there is no column 'colour'" in refused.output
