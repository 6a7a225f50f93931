"""The commands: what they print for people and programs, their exit codes, and an example in every help text."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from deploy.ports import free_port
from edge_agent import VERSION
from edge_agent.commands.app import app
from edge_agent.config.load import schema_text
from tests.support.agent import modbus_device

RUNNER = CliRunner()
COMMANDS = [
    ["run"],
    ["check"],
    ["test"],
    ["status"],
    ["doctor"],
    ["buffer", "stats"],
    ["buffer", "print"],
    ["buffer", "export"],
    ["buffer", "import"],
    ["buffer", "drop"],
    ["model", "status"],
    ["model", "bench"],
    ["model", "rollback"],
    ["scan", "modbus"],
    ["config", "schema"],
]


def words_of(command: object, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield list(path)
    for name, inner in below.items():
        yield from words_of(inner, (*path, name))


@pytest.fixture
def config(tmp_path: Path, modbus_port: int) -> Path:
    path = tmp_path / "agent.yaml"
    device = modbus_device(modbus_port, tags=2, more=", scale: 0.5, unit: bar")
    path.write_text(
        f"gateway: gw-1\nuplink: {{port: {free_port()}}}\nwatch: {{port: {free_port()}}}\ndevices:\n{device}\n"
    )
    return path


def test_these_are_all_the_commands() -> None:
    assert sorted(words_of(get_command(app))) == sorted(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_text_has_an_example(words: list[str]) -> None:
    shown = RUNNER.invoke(app, [*words, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0
    assert re.search(rf"Example: lineside-agent {' '.join(words)}", shown.output)
    assert "\x1b[" not in shown.output


def test_check_says_that_a_right_file_is_fine(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["check", str(config)])
    assert (outcome.exit_code, "gateway gw-1, 1 device, 2 tags" in outcome.output) == (0, True)


def test_check_prints_findings_as_json(config: Path) -> None:
    config.write_text(config.read_text().replace("uplink", "uplnk"))
    outcome = RUNNER.invoke(app, ["check", str(config), "--json"])
    document = json.loads(outcome.stdout)
    assert (outcome.exit_code, document["ok"]) == (3, False)
    assert document["findings"] == [
        {
            "file": str(config),
            "line": 2,
            "column": 1,
            "path": "uplnk",
            "message": "is not a setting",
            "suggestion": "did you mean uplink?",
        }
    ]


def test_wrong_usage_exits_with_2() -> None:
    assert RUNNER.invoke(app, ["chek"]).exit_code == 2


def test_test_shows_raw_and_scaled_values(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["test", "--once", str(config), "--json"])
    rows = json.loads(outcome.stdout)
    assert outcome.exit_code == 0
    assert [(row["tag"], row["unit"], row["quality"]) for row in rows] == [("r0", "bar", "good"), ("r1", "bar", "good")]
    assert all(row["raw"] * 0.5 == row["value"] and row["latency_ms"] > 0 for row in rows)


def test_test_says_which_device_does_not_answer(config: Path, modbus_port: int) -> None:
    config.write_text(config.read_text().replace(f":{modbus_port}", f":{free_port()}"))
    outcome = RUNNER.invoke(app, ["test", str(config), "--json"])
    assert outcome.exit_code == 1
    assert {(row["quality"], row["value"]) for row in json.loads(outcome.stdout)} == {("device lost", None)}
    assert all(row["error"] for row in json.loads(outcome.stdout))


def test_status_without_an_agent_says_how_to_start_one(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["status", str(config)])
    assert outcome.exit_code == 1
    assert f"lineside-agent run {config}" in outcome.output


def test_buffer_commands_without_a_buffer_say_so(config: Path) -> None:
    for words in (["stats"], ["print"], ["export", str(config.with_name("parcel"))], ["drop", "--yes"]):
        outcome = RUNNER.invoke(app, ["buffer", *words, str(config)])
        assert (outcome.exit_code, "there is no buffer at" in outcome.output) == (1, True)


def test_doctor_finds_a_broker_that_is_away_and_says_the_fix(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["doctor", str(config), "--json"])
    found = {each["subject"]: each for each in json.loads(outcome.stdout)}
    assert outcome.exit_code == 1
    assert found["clock"]["is_well"]
    assert not found["broker"]["is_well"]
    assert "start the broker" in found["broker"]["fix"]
    assert all(each["is_well"] or each["fix"] for each in found.values())


def test_config_schema_prints_the_published_schema() -> None:
    assert RUNNER.invoke(app, ["config", "schema"]).output == schema_text()


def test_the_version_is_that_of_the_distribution() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'\nversion = "{VERSION}"\n' in project
