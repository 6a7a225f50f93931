"""`lineside-agent model`: what it shows of the shelf, what a package costs, and back without an agent."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.ports import free_port
from edge_agent.commands.app import app
from edge_agent.models.errand import Reason
from edge_agent.models.shelf import Shelf
from edge_agent.models.slot import Kept, Slot
from protocols.wanted import Wanted
from tests.support.model_gateway import wish
from tests.support.packages import make_package

RUNNER = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(
        f"gateway: gw-1\nwatch: {{port: {free_port()}}}\nuplink: {{port: {free_port()}}}\ndetect: true\ndevices:\n"
        "  - {id: pump-1, protocol: modbus, url: 'tcp://127.0.0.1:1',\n"
        "     tags: [{name: flow, address: 0, type: float32}]}\n"
    )
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "models")
    kept = [put(shelf, version) for version in (1, 2)]
    slot = Slot(current=kept[1], previous=kept[0]).refused(wish(3), Reason.SELF_TEST, "a score is 0.4 off")
    shelf.keep_slot("pump-1", slot)
    shelf.keep_wanted(Wanted(5, (wish(3),)))
    return shelf


def put(shelf: Shelf, version: int) -> Kept:
    data = make_package("pump", version).pack()
    return Kept("pump", version, shelf.put("pump-1", data), len(data))


def test_status_shows_what_serves_and_what_was_refused_without_an_agent(config: Path, shelf: Shelf) -> None:
    outcome = RUNNER.invoke(app, ["model", "status", str(config), "--json"])
    (row,) = json.loads(outcome.stdout)
    assert (row["device"], row["current"], row["previous"], row["wanted"]) == ("pump-1", "pump@2", "pump@1", "pump@3")
    assert (row["refused"], row["reason"]) == ("pump@3", "self_test: a score is 0.4 off")
    assert shelf.slot("pump-1").current is not None


def test_status_of_a_gateway_without_packages_shows_its_own_model(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["model", "status", str(config)])
    assert (outcome.exit_code, "pump-1" in outcome.output, " own " in outcome.output) == (0, True, True)


def test_status_names_a_damaged_shelf(config: Path, shelf: Shelf) -> None:
    (shelf.directory / "wanted.json").write_text("{")
    outcome = RUNNER.invoke(app, ["model", "status", str(config)])
    assert (outcome.exit_code, "wanted.json" in outcome.output) == (1, True)


def test_bench_shows_what_a_row_costs(tmp_path: Path) -> None:
    path = tmp_path / "pump.lsp"
    path.write_bytes(make_package("pump", 7).pack())
    outcome = RUNNER.invoke(app, ["model", "bench", str(path), "--json"])
    found = json.loads(outcome.stdout)
    assert (found["name"], found["version"], found["channels"]) == ("pump", 7, 3)
    assert found["row_us"] > 0 < found["batched_us"]
    assert found["package_bytes"] == path.stat().st_size > found["network_bytes"] > 0


def test_bench_says_why_a_package_would_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "pump.lsp"
    path.write_bytes(make_package("pump", 7).pack()[:-1])
    outcome = RUNNER.invoke(app, ["model", "bench", str(path)])
    assert (outcome.exit_code, "its card says" in outcome.output) == (1, True)


def test_rollback_without_an_agent_changes_what_serves_at_the_next_start(config: Path, shelf: Shelf) -> None:
    outcome = RUNNER.invoke(app, ["model", "rollback", "pump-1", str(config)])
    assert outcome.exit_code == 0
    assert "pump-1 goes back from pump@2 to pump@1 at the next start" in outcome.output
    slot = shelf.slot("pump-1")
    assert slot.current is not None
    assert (slot.current.version, slot.previous) == (1, None)


def test_rollback_where_nothing_is_before_says_so(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["model", "rollback", "pump-1", str(config), "--json"])
    assert outcome.exit_code == 1
    assert json.loads(outcome.stdout)["message"] == "pump-1 is on the gateway's own model already"


def test_rollback_of_a_device_that_does_not_exist_names_it(config: Path) -> None:
    outcome = RUNNER.invoke(app, ["model", "rollback", "../pump", str(config)])
    assert (outcome.exit_code, "no Device ../pump" in outcome.output) == (1, True)
