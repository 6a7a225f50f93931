"""What the README shows works as it is shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.config.load import load

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"^    (lineside-[a-z]+ [a-z]+)", README, re.MULTILINE)))


def test_the_example_of_a_configuration_loads(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert example is not None
    path = tmp_path / "agent.yaml"
    path.write_text(example[1])
    settings = load(path, {})
    assert (settings.gateway, [device.id for device in settings.devices]) == ("gw-1", ["pump-1"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shown_is_there(command: str) -> None:
    program, verb = command.split()
    done = subprocess.run([Path(sys.executable).parent / program, verb, "--help"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_commands_are_shown() -> None:
    assert {"lineside-agent check", "lineside-agent run", "lineside-cloud serve"} <= set(COMMANDS)
