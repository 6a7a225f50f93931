"""The systemd unit says what the agent needs: notify, a watchdog, and as few rights as will do."""

import re
import shlex
from collections import defaultdict
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "lineside-agent.service"


@pytest.fixture(scope="module")
def unit() -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = defaultdict(dict)
    section = ""
    for line in UNIT.read_text().splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            assert re.fullmatch(r"[A-Z]\w+", key), line
            assert key not in sections[section], f"{key} is there twice"
            sections[section][key] = value
    return sections


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("Restart", "always"),
        ("RestartPreventExitStatus", "3"),
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("KillSignal", "SIGTERM"),
        ("StateDirectory", "lineside-agent"),
    ],
)
def test_the_service_is_bounded(unit: dict[str, dict[str, str]], key: str, value: str) -> None:
    assert unit["Service"][key] == value


def test_the_watchdog_leaves_time_to_be_fed_and_stopping_time_to_drain(unit: dict[str, dict[str, str]]) -> None:
    assert int(unit["Service"]["WatchdogSec"]) >= 2 * 30
    assert int(unit["Service"]["TimeoutStopSec"]) > 10 + 3 + 2 * 5


def test_memory_is_bounded(unit: dict[str, dict[str, str]]) -> None:
    assert re.fullmatch(r"\d+M", unit["Service"]["MemoryMax"])


def test_it_starts_what_the_command_line_knows(unit: dict[str, dict[str, str]]) -> None:
    program, word, config = shlex.split(unit["Service"]["ExecStart"])
    assert (Path(program).name, word, Path(config).suffix) == ("lineside-agent", "run", ".yaml")
    assert unit["Install"]["WantedBy"] == "multi-user.target"
