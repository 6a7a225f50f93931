"""The documented command lines, run by curl as they are written, on freshly seeded servers: all of them."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.seeded import PASSWORD, SeededPlant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def replayed(prepared: Path, tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    shutil.copytree(prepared, tmp_path / "secured")
    (tmp_path / "anonymous").mkdir()
    secured = SeededPlant(tmp_path / "secured")
    anonymous = SeededPlant(tmp_path / "anonymous", mode="auth: {anonymous: true}\n", are_models_seeded=False)
    with secured, anonymous:
        secured.people()
        place: dict[str, Any] = {
            "SECURED": secured.url,
            "ANONYMOUS": anonymous.url,
            "REGISTRY": secured.registry_url,
            "API_KEY": secured.ids["key"],
            "TOKEN": secured.ids["token"],
            "PASSWORD": PASSWORD,
            "DETECTOR_ID": secured.detector("Cards"),
            "DATASET_ID": secured.dataset("numbers"),
        }
        command = ["sh", str(HERE / "replay.sh")]
        return subprocess.run(
            command, env={**os.environ, **place, **more}, capture_output=True, text=True, check=False, timeout=600
        )


def test_the_command_lines_answer_as_documented(prepared: Path, tmp_path: Path) -> None:
    done = replayed(prepared, tmp_path)
    assert done.stdout.splitlines()[-1] == "27 of 27", done.stdout + done.stderr


@pytest.mark.loop
def test_all_of_them_with_two_minutes_of_load_do(prepared: Path, tmp_path: Path) -> None:
    subprocess.run(["sh", str(ROOT / "deploy/setup/load.sh")], check=True)
    locust = ROOT / ".venv-load/bin/locust"
    done = replayed(prepared, tmp_path, LOCUST=str(locust), LOCUST_DIRECTORY=str(ROOT / "deploy/load"))
    assert done.stdout.splitlines()[-1] == "28 of 28", done.stdout + done.stderr
