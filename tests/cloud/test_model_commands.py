"""lineside-cloud model and rollout, by their effects."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from cloud.clock import SystemClock
from cloud.config import load_settings
from cloud.ingest.books import Books
from cloud.ingest.roster import Roster
from cloud.processes.ingest import open_readings
from protocols.delivery import State
from protocols.wanted import OWN, ModelStanding, Standing
from tests.support.package_client import PackageClient
from tests.support.plain_packages import package


def run(*arguments: str, config: Path) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lineside-cloud.yaml"
    assert run("init", config=path).exit_code == 0
    file = tmp_path / "pump.lsp"
    file.write_bytes(package().pack())
    for _ in range(2):
        assert run("model", "import", str(file), config=path).exit_code == 0
    return path


def tell_of_gateways(config: Path, count: int = 20) -> None:
    database = open_readings(load_settings(config))
    roster = Roster(database, Books.open(database, now_s=1_750_000_000).ledger)
    own = ModelStanding("pump-1", OWN, 1, Standing.SERVING)
    now_us = SystemClock().now_us()
    with database.transaction():
        for number in range(count):
            state = State(online=True, epoch=1, models=(own,))
            roster.state(f"gw-{number}", state, is_retained=False, now_us=now_us)
    database.close()


def test_init_says_what_to_do_with_the_keys_and_doctor_finds_them_until_they_are_gone(tmp_path: Path) -> None:
    config = tmp_path / "lineside-cloud.yaml"
    said = run("init", config=config).output
    keys = tmp_path / "data" / "offline-keys"
    assert f"{keys}: holds the keys" in said
    assert "Move that folder off this server" in said
    found = {one["name"]: one for one in json.loads(run("doctor", "--json", config=config).output)}
    assert not found["offline keys"]["is_well"]
    assert found["signing"]["is_well"]
    keys.rename(tmp_path / "safe")
    assert "offline keys" not in run("doctor", config=config).output
    assert "holds the keys" not in run("migrate", config=config).output


def test_an_older_installation_gets_its_keys_by_migrate(tmp_path: Path) -> None:
    config = tmp_path / "lineside-cloud.yaml"
    config.write_text("data: data\nmqtt: null\n")
    assert run("model", "root", config=config).exit_code == 1
    assert "holds the keys" in run("migrate", config=config).output
    assert json.loads(run("model", "root", config=config).output)["signed"]["_type"] == "root"


def test_models_are_listed_shown_and_signed(config: Path) -> None:
    assert "pump" in run("model", "list", config=config).output
    assert "pump@2 is signed as pump/2.lsp" in run("model", "publish", "pump", config=config).output
    (listed,) = json.loads(run("model", "list", "--json", config=config).output)
    assert [one["path"] for one in listed["versions"]] == ["pump/2.lsp", ""]
    assert "recall=0.9" in run("model", "show", "pump", config=config).output
    assert json.loads(run("model", "show", "pump", "--json", config=config).output) == listed


def test_a_client_enrolled_with_the_printed_root_follows_a_rotation(config: Path, tmp_path: Path) -> None:
    run("model", "publish", "pump", config=config)
    data = load_settings(config).data
    root = run("model", "root", config=config).stdout_bytes
    client = PackageClient(data / "packages", tmp_path / "client", root)
    assert client.fetch("pump/2.lsp")
    keys = (data / "offline-keys").rename(tmp_path / "stick")
    rotated = run("model", "rotate-root", "--keys", str(keys), "--online", config=config)
    assert "root 2 holds" in rotated.output, rotated.output
    run("model", "publish", "pump", "--version", "1", config=config)
    assert client.fetch("pump/1.lsp")


def test_a_rollout_is_started_and_handled_by_commands(config: Path) -> None:
    tell_of_gateways(config)
    started = run("rollout", "start", "pump", "--groups", "10,100", "--approve-each", config=config)
    assert started.exit_code == 0, started.output
    rollout = started.output.partition(":")[0]
    assert "20 pending" in started.output
    assert "is paused" in run("rollout", "pause", rollout, config=config).output
    assert "is running" in run("rollout", "resume", rollout, config=config).output
    assert "nothing waits" in run("rollout", "approve", rollout, config=config).output
    shown = json.loads(run("rollout", "show", rollout, "--json", config=config).output)
    assert len(shown["members"]) == 20
    assert "gw-7" in run("rollout", "show", rollout, config=config).output
    assert "noise" in run("rollout", "rollback", rollout, "--reason", "noise", config=config).output
    assert "rolling_back" in run("rollout", "list", config=config).output
    assert json.loads(run("rollout", "list", "--json", config=config).output)[0]["targets"]["pending"] == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("model", "show", "oven"), "there is no model 'oven'"),
        (("model", "import", "nowhere.lsp"), "nowhere.lsp"),
        (("model", "rotate-root", "--keys", "nowhere"), "--keys: nowhere holds no key"),
        (("rollout", "start", "pump"), "gateways: no gateway judges a device"),
        (("rollout", "start", "pump", "--groups", "a,b"), "--groups 'a,b'"),
        (("rollout", "start", "pump", "--error", "200"), "error_percent: 200.0 must be"),
        (("rollout", "show", "x"), "there is no rollout 'x'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(config: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run(*arguments, config=config)
    assert refused.exit_code == 1
    assert said in refused.output


def test_a_broken_package_is_refused_in_words(config: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.lsp").write_bytes(package().pack()[:-5])
    refused = run("model", "import", str(tmp_path / "bad.lsp"), config=config)
    assert (refused.exit_code, "error: package: the network has" in refused.output) == (1, True)
