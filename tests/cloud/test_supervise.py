"""What the supervisor decides, and what ties a child to it."""

import json
import os
from pathlib import Path

import pytest

from cloud.processes.tether import Tether
from cloud.supervise import Household, pause_s


def test_pauses_double_up_to_a_bound() -> None:
    pauses = [pause_s(deaths, draw=lambda: 0.5) for deaths in range(1, 12)]
    assert pauses[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert pauses[-1] == pytest.approx(10)
    assert pause_s(10_000, draw=lambda: 1.0) == pytest.approx(12)


def test_a_tether_survives_the_command_line() -> None:
    for tether in (Tether(Path("a b.yaml")), Tether(Path("c.yaml"), lifeline=3, ready=4, listen=5)):
        assert Tether.parse(tether.arguments()) == tether


def test_a_household_survives_the_command_line() -> None:
    for household in (Household(Path("a b.yaml"), 3, "info"), Household(Path("c.yaml"), 3, "debug", Path("r.json"))):
        assert Household.parse(household.arguments()) == household


def test_ready_is_said_once_through_the_pipe() -> None:
    heard, told = os.pipe()
    Tether(Path("c.yaml"), ready=told).tell_ready({"api": "http://localhost:1"})
    with os.fdopen(heard) as pipe:
        assert json.loads(pipe.read()) == {"api": "http://localhost:1"}


def test_the_ready_file_is_written_whole_and_taken_away(tmp_path: Path) -> None:
    household = Household(tmp_path / "c.yaml", 3, "info", tmp_path / "ready.json")
    household.tell_ready({"pid": 1})
    assert json.loads((tmp_path / "ready.json").read_text()) == {"pid": 1}
    household.forget_ready()
    household.forget_ready()
    assert list(tmp_path.iterdir()) == []
