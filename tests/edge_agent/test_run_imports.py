"""`run` starts fast and small, because of what it does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
import os
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from edge_agent.config.load import load
from edge_agent.wiring.run import buffer_file, run_agent
from edge_agent.wiring.assembly import Assembly
from edge_agent.wiring.site import SystemClock
from edge_agent.buffers.thread import BufferThread
import asyncio

OURS = ("edge_agent.detectors", "edge_agent.models", "protocols.scoring")

async def build():
    settings = load(Path(sys.argv[1]), {})
    buffer = BufferThread(buffer_file(settings, SystemClock()).open)
    assembly = Assembly(settings, {}, buffer)
    assembly.agent()
    import paho.mqtt.client
    await buffer.close()

asyncio.run(build())
print(*sorted({name.partition(".")[0] for name in sys.modules} | {n for n in sys.modules if n.startswith(OURS)}))
"""
CONFIG = """\
gateway: gw-1
devices:
  - {id: pump-1, protocol: modbus, url: "tcp://127.0.0.1:1", tags: [{name: flow, address: 0}]}
"""
FORBIDDEN = ["typer", "rich", "click", "sqlite_utils", "pydantic", "asyncua", "cryptography", "prometheus_client"]


def imports(config: Path, text: str) -> set[str]:
    config.write_text(text)
    command = [sys.executable, "-c", SCRIPT, str(config)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return imports(tmp_path_factory.mktemp("run") / "agent.yaml", CONFIG)


@pytest.mark.parametrize("library", FORBIDDEN)
def test_a_modbus_agent_does_without(library: str, imported: set[str]) -> None:
    assert library not in imported


def test_it_does_use_what_it_needs(imported: set[str]) -> None:
    assert {"numpy", "msgspec", "yaml", "zstandard", "paho", "pymodbus"} <= imported


def test_the_entry_point_reaches_run_without_the_commands() -> None:
    source = (Path(__file__).parents[2] / "edge_agent" / "cli.py").read_text()
    assert source.index('case ["run"') < source.index("edge_agent.commands")


def test_an_agent_that_judges_nothing_brings_nothing_that_judges(imported: set[str]) -> None:
    ours = {
        name for name in imported if name.startswith(("edge_agent.detectors", "edge_agent.models", "protocols.scoring"))
    }
    assert ours <= {"protocols.scoring", "protocols.scoring.model", "protocols.scoring.network"}


def test_one_that_judges_brings_its_runtime_only_when_there_is_a_model(tmp_path: Path) -> None:
    judging = imports(tmp_path / "agent.yaml", f"{CONFIG}detect: {{channels: [flow]}}\n")
    assert "edge_agent.detectors.model" in judging
    assert not judging & {"ai_edge_litert", "tflite_runtime", "tuf", "scipy", *FORBIDDEN}
