"""Schemathesis asks every operation of both documents what its schema allows and forbids: no server error, no surprise.

`make test-schemas` takes 50 examples an operation of both, the slow tests a few of the first; ids are the plant's.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.seeded import SeededPlant

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(7200)]
EXAMPLES = os.environ.get("LINESIDE_SCHEMA_EXAMPLES", "3")
PROGRAM = Path(sys.executable).with_name("schemathesis")
SPARE = "999"
"""An id of nothing, for what would end the run itself: its own key, its own user."""
RULES = """
[checks]
# Rules between fields, ids in bodies and what was made before are in no schema: such a request may be refused.
positive_data_acceptance.expected-statuses = ["2xx", "304", "4xx", "501", "503"]
negative_data_rejection.expected-statuses = ["4xx", "304", "501", "503"]
"""


@pytest.fixture(scope="module")
def plant(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededPlant]:
    """Give a seeded plant of its own: what is asked changes it."""
    directory = tmp_path_factory.mktemp("plant")
    shutil.copytree(prepared, directory, dirs_exist_ok=True)
    with SeededPlant(directory) as running:
        yield running.seed()


def rules(plant: SeededPlant) -> str:
    """Return the configuration with the plant's ids in paths."""
    names = ("device_id", "dataset_id", "detector_id", "model_id", "event_id", "alert_id", "task_id", "experiment_id")
    known = [f'"path.{name}" = "{plant.ids[name]}"' for name in names]
    spared = [f'"path.{name}" = "{SPARE}"' for name in ("key_id", "user_id")]
    return "\n".join([RULES, "[parameters]", *known, *spared, ""])


@pytest.mark.parametrize("document", ["/openapi.json", "/api/openapi.json"])
def test_no_operation_fails_or_answers_what_it_does_not_document(
    plant: SeededPlant, tmp_path: Path, document: str
) -> None:
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.ndjson"
    config.write_text(rules(plant), encoding="utf-8")
    command = [str(PROGRAM), "--config-file", str(config), "run", f"{plant.url}{document}"]
    command += ["--url", plant.url, "--header", f"X-API-Key: {plant.ids['key']}", "--checks", "all"]
    command += ["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing" if int(EXAMPLES) > 9 else "fuzzing"]
    command += ["--seed", "7", "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all"]
    command += ["--request-timeout", "90", "--report", "ndjson", "--report-ndjson-path", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    found = failures(report)
    assert plant.http.get("/api/v1/auth/me").status_code == 200, "the key was lost on the way"
    assert done.returncode == 0, "\n".join([*summary(found), done.stdout[-20_000:]])


def failures(report: Path) -> list[tuple[str, str, str]]:
    """Return check, operation and status of everything that was found."""
    found: list[tuple[str, str, str]] = []
    for line in report.read_text(encoding="utf-8").splitlines() if report.exists() else []:
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario:
            found.extend(_of(scenario))
    return found


def _of(scenario: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    recorder = scenario["recorder"]
    for case, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] == "failure":
                answer = recorder.get("interactions", {}).get(case, {}).get("response") or {}
                yield check["name"], recorder["label"], str(answer.get("status_code"))


def summary(found: list[tuple[str, str, str]]) -> list[str]:
    """Return a line a kind of failure, the most frequent first."""
    return [f"{count:6} {' '.join(what)}" for what, count in Counter(found).most_common()]
