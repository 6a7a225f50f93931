"""What `serve` starts is small, because of what its processes load only once it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.setup import make_signing_keys, migrate
from tests.support.cloud import settings_in

API = """
from cloud.processes import api
from cloud.wiring import open_api
app = open_api(settings, SystemClock())
app.close()
"""
WORKER = """
from cloud.processes import worker
from cloud.working import open_chores
chores, close = open_chores(settings, SystemClock())
for chore in chores:
    print(chore.name, chore.do(), file=sys.stderr)
close()
"""
INGEST = """
from cloud.processes import ingest
ingest.open_readings(settings).close()
"""
SETTINGS = """
import sys
from pathlib import Path
from cloud.clock import SystemClock
from cloud.config import load_settings
settings = load_settings(Path(sys.argv[1]))
"""
LOADED = 'print(*sorted({name.partition(".")[0] for name in sys.modules}))'
LEARNING = {"lightgbm", "sklearn", "scipy", "pandas", "pyarrow", "tensorflow", "ai_edge_litert", "matplotlib", "fpdf"}
SIGNING = {"tuf", "securesystemslib", "cryptography"}
COMMANDS = {"typer", "click", "alembic", "rich", "pygments"}
"""Uvicorn brings click to the API."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an installation as `init` makes it, with keys that sign packages."""
    directory = tmp_path_factory.mktemp("cloud")
    settings = settings_in(directory, data="data")
    settings.data.mkdir()
    migrate(settings, SystemClock())
    assert make_signing_keys(settings, SystemClock())
    path = directory / "lineside-cloud.yaml"
    path.write_text("data: data\nmqtt: null\n")
    return path


def imported(steps: str, config: Path) -> set[str]:
    command = [sys.executable, "-c", f"{SETTINGS}{steps}{LOADED}", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_api_carries_nothing_that_learns_or_signs(config: Path) -> None:
    found = imported(API, config)
    assert {"fastapi", "uvicorn", "sqlalchemy", "apsw"} <= found
    assert not found & (LEARNING | SIGNING | COMMANDS - {"click"})


def test_the_worker_carries_nothing_that_learns_or_signs_after_a_round_of_all_chores(config: Path) -> None:
    found = imported(WORKER, config)
    assert {"sqlalchemy", "apsw"} <= found
    assert not found & (LEARNING | SIGNING | COMMANDS | {"fastapi", "starlette", "uvicorn"})


def test_ingest_carries_neither_records_nor_routes(config: Path) -> None:
    found = imported(INGEST, config)
    assert {"numpy", "apsw"} <= found
    assert not found & (LEARNING | SIGNING | COMMANDS | {"sqlalchemy", "fastapi", "starlette", "uvicorn"})
