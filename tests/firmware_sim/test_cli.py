"""The command as its users run it: a process, its files, its exit codes."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_agent.config.load import load
from firmware_sim.cli import app
from firmware_sim.endpoints import read_ready
from tests.support.plant import PlantProcess, modbus_plant

PROGRAM = [sys.executable, "-c", "from firmware_sim.cli import main; main()"]
READ = bytes.fromhex("0001 0000 0006 01 03 0000 000e")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def read_once(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(READ)
        return connection.recv(512)


def test_sigterm_ends_it_with_0_and_the_truth_of_the_last_answer(tmp_path: Path) -> None:
    with PlantProcess(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        port = int(plant.ready.endpoint("pump-1").url.rpartition(":")[2])
        answers = [read_once(port) for _ in range(3)]
        assert plant.stop() == 0
        assert len(plant.truth()) == len(answers) == 3
    shown = run("truth", tmp_path / "truth.jsonl")
    assert "3 answers, 21 values, 0 faults" in shown.stdout


def test_the_control_port_can_stop_it(tmp_path: Path) -> None:
    with PlantProcess(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        assert plant.ask(do="stop") == {"ok": True}
        assert plant.process.wait(timeout=10) == 0


def test_the_configuration_that_is_written_is_also_printed(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    options = ("--broker", "localhost:1884")
    with PlantProcess(tmp_path, modbus_plant({"id": "pump-1"}), "--agent-config", str(path), *options):
        printed = CliRunner().invoke(app, ["config", str(tmp_path / "plant.json"), *options])
        assert printed.output == path.read_text()
        assert load(path, {}).uplink.port == 1884


def test_a_recording_needs_no_plant_file(tmp_path: Path) -> None:
    rows = "".join(f"2020-01-01 00:00:0{second},{second}.5,0\n" for second in range(5))
    (tmp_path / "r.csv").write_text("datetime,x,anomaly\n" + rows)
    files = [f"--{name}={tmp_path / name}" for name in ("truth", "ready-file", "agent-config")]
    program = [*PROGRAM, "serve", f"--replay={tmp_path / 'r.csv'}", "--speed=20", *files]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        listens = any("control at" in line for line in process.stderr)
        process.terminate()
        process.communicate(timeout=10)
    assert listens
    assert process.returncode == 0
    endpoint = read_ready(tmp_path / "ready-file").endpoint("replay-1")
    assert [tag.name for tag in endpoint.tags] == ["row", "x"]
    assert endpoint.period_s == pytest.approx(0.05)
    assert load(tmp_path / "agent-config", {}).devices[0].period_s == 0.01


def test_wrong_input_ends_with_1_and_one_line_that_says_what(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text("plant: x\nmachines: []\n")
    result = run("serve", tmp_path / "plant.yaml", "--truth", tmp_path / "t")
    assert result.returncode == 1
    assert f"{tmp_path}/plant.yaml: servers: Field required" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_ends_with_3(tmp_path: Path) -> None:
    with PlantProcess(tmp_path / "first", modbus_plant({"id": "pump-1"})) as plant:
        document = modbus_plant({"id": "pump-1"})
        document["servers"][0]["port"] = int(plant.ready.endpoint("pump-1").url.rpartition(":")[2])
        second = PlantProcess(tmp_path / "second", document)
        with pytest.raises(RuntimeError, match=r"cannot listen on 127\.0\.0\.1"):
            second.__enter__()
        assert second.process.wait(timeout=10) == 3


@pytest.mark.parametrize(
    "arguments",
    [["serve"], ["serve", "demo", "--replay", "x.csv"], ["serve", "demo", "--broker", "nowhere"], ["dance"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_check_says_what_a_plant_that_comes_with_it_holds() -> None:
    assert CliRunner().invoke(app, ["check", "demo"]).output == "demo: 4 machines on 2 servers\n"


def test_help_shows_an_example_of_each_command() -> None:
    for command in ("serve", "config", "check", "truth"):
        shown = CliRunner().invoke(app, [command, "--help"])
        assert f"lineside-sim {command}" in shown.output
