"""The same models, detectors and rules with tflite-runtime, in an environment of its own."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edge_agent.detectors.loader import load_network
from protocols.scoring.fit import fit
from tests.support.judging import CHANNELS, PERIOD_S, healthy
from tests.support.packages import make_package

pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-tflite" / "bin" / "python"
SUITES = [
    "tests/contracts/test_network.py",
    "tests/contracts/test_detector.py",
    "tests/edge_agent/detectors/test_model.py",
]
"""Not how broken files are refused: tflite-runtime trusts them; a package is checked by sha256 and tried in a child."""
STEPS = 2
RUN = """
import sys
from pathlib import Path
import numpy as np
from protocols.scoring.loader import load_network
folder = Path(sys.argv[1])
network = load_network((folder / "model.tflite").read_bytes())
assert "tflite_runtime" in sys.modules
np.save(folder / "theirs.npy", network.run(np.load(folder / "rows.npy")))
"""


@pytest.fixture(scope="module", autouse=True)
def _environment() -> None:
    subprocess.run(["sh", str(ROOT / "deploy" / "setup" / "tflite.sh")], check=True)


def test_the_suites_of_models_hold_with_the_other_runtime() -> None:
    alone = ["--noconftest", "-c", "/dev/null", "--rootdir", str(ROOT), "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [PYTHON, "-m", "pytest", *alone, *SUITES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_both_runtimes_agree_to_within_two_steps(tmp_path: Path) -> None:
    fitted = fit(healthy(600), CHANNELS, period_s=PERIOD_S)
    ours = load_network(fitted.network)
    rows = np.random.default_rng(2).normal(size=(5_000, ours.inputs)).astype(np.float32) * 4
    (tmp_path / "model.tflite").write_bytes(fitted.network)
    np.save(tmp_path / "rows.npy", rows)
    subprocess.run([PYTHON, "-c", RUN, str(tmp_path)], cwd=ROOT, check=True)
    mine, theirs = ours.run(rows), np.load(tmp_path / "theirs.npy")
    step = np.diff(np.unique(mine)).min()
    assert np.abs(mine - theirs).max() <= STEPS * step * 1.001
    assert np.mean(np.abs(mine - theirs) > step / 2) < 0.05


def test_the_bench_of_a_package_runs_with_it(tmp_path: Path) -> None:
    path = tmp_path / "pump.lsp"
    path.write_bytes(make_package("pump", 7).pack())
    command = [str(PYTHON), "-c", "from edge_agent.cli import main; main()", "model", "bench", str(path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["runtime"] == "tflite_runtime"
    assert found["row_us"] > 0 < found["batched_us"]
