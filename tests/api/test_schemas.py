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

from tests.support.seeded import PASSWORD, SeededPlant

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(3600)]
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
REPLACED = """
[[operations]]
# All that can be wrong with it is its id, and in the place of a wrong number comes the plant's: nothing wrong is asked.
include-name-regex = "^GET .*/users/{user_id}$"
[operations.checks]
negative_data_rejection.expected-statuses = ["2xx", "304", "4xx", "501", "503"]
"""
MODE = (
    "auth: {registration: open}\njobs: {workers: 2, limit_s: 60}\nwebhooks: {allow_private: true, retry_delays_s: []}\n"
)
PARTS = {
    "plant": "dashboard data devices gateways health_scores historical_data packages predictions rollouts scaling",
    "operations": "alarm-rules alerts decisions events handover-notes labels recommendations",
    "people": "activity admin auth keys settings users",
    "outside": "export export_data exports notifications reports tasks webhooks",
    "learning": "algorithms autonomous datasets detection detectors experiments jobs ml models predict",
    "training": "train training upload",
}
"""Words that paths begin with: each part has a run and a plant of its own, so that no report waits for trainings."""
REST = "rest"


@pytest.fixture
def plant(prepared: Path, tmp_path: Path) -> Iterator[SeededPlant]:
    """Give a seeded plant of its own: what is asked changes it."""
    directory = tmp_path / "plant"
    shutil.copytree(prepared, directory)
    with SeededPlant(directory, mode=MODE) as running:
        yield running.seed()


def rules(plant: SeededPlant) -> str:
    """Return the configuration with ids of the plant in paths: to be deleted there are others."""
    names = ("device_id", "dataset_id", "detector_id", "model_id", "event_id", "alert_id", "task_id", "experiment_id")
    known = {name: plant.ids[name] for name in (*names, "job_id")} | made(plant, "shown")
    known |= {"key_id": SPARE}
    deleted = {"dataset_id": plant.dataset("deleted"), "detector_id": plant.detector("deleted")} | made(
        plant, "deleted"
    )
    parameters = [f'"path.{name}" = "{value}"' for name, value in known.items()]
    others = [f'"path.{name}" = "{value}"' for name, value in deleted.items()]
    section = ["[[operations]]", 'include-method = "DELETE"', "[operations.parameters]"]
    return "\n".join([RULES, "[parameters]", *parameters, *section, *others, REPLACED])


def made(plant: SeededPlant, name: str) -> dict[str, str]:
    """Return the ids of a user and a webhook that were made for this."""
    person = {"username": name, "email": f"{name}@plant.example", "password": PASSWORD, "role": "user"}
    hook = {"name": name, "url": "https://127.0.0.1:9/"}
    asked = {"user_id": ("/users", person), "webhook_id": ("/webhooks", hook)}
    return {key: str(plant.post(path, json=body)["id"]) for key, (path, body) in asked.items()}


def chosen(part: str) -> list[str]:
    """Return the options that choose the operations of a part."""
    words = " ".join(PARTS.values()) if part == REST else PARTS[part]
    pattern = f"^(/api(/v1)?)?/({'|'.join(words.split())})(/|$)"
    return ["--exclude-path-regex" if part == REST else "--include-path-regex", pattern]


@pytest.mark.parametrize("part", [*PARTS, REST])
@pytest.mark.parametrize("document", ["/openapi.json", "/api/openapi.json"])
def test_no_operation_fails_or_answers_what_it_does_not_document(
    plant: SeededPlant, tmp_path: Path, document: str, part: str
) -> None:
    config, report, schema = (tmp_path / name for name in ("schemathesis.toml", "report.ndjson", "openapi.json"))
    config.write_text(rules(plant), encoding="utf-8")
    schema.write_bytes(plant.http.get(document).content)
    command = [str(PROGRAM), "--config-file", str(config), "run", str(schema), *chosen(part)]
    command += ["--url", plant.url, "--header", f"X-API-Key: {plant.ids['key']}", "--checks", "all"]
    command += ["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing" if int(EXAMPLES) > 9 else "fuzzing"]
    command += ["--seed", "7", "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all"]
    command += ["--request-timeout", "90", "--max-response-time", "90"]
    command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
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
