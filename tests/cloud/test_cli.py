"""The commands of lineside-cloud, by their effects."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from cloud.commands.keys import expiry
from cloud.errors import Invalid

NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lineside-cloud.yaml"
    assert run("init", config=path).exit_code == 0
    return path


def run(*arguments: str, config: Path) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_init_makes_everything_and_leaves_what_is_there(tmp_path: Path) -> None:
    config, key_file = tmp_path / "plant" / "lineside-cloud.yaml", tmp_path / "key"
    first = run("init", "--key-file", str(key_file), config=config)
    assert first.exit_code == 0, first.output
    config.write_text(config.read_text().replace("8000", "8123"))
    assert "is there already" in run("init", config=config).output
    assert "8123" in config.read_text()
    assert stat.S_IMODE((config.parent / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert key_file.read_text().startswith("lsk_")


def test_a_key_file_is_never_overwritten(config: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("precious")
    refused = run("init", "--key-file", str(tmp_path / "key"), config=config)
    assert refused.exit_code == 1
    assert (tmp_path / "key").read_text() == "precious"


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(config: Path) -> None:
    made = json.loads(run("key", "create", "line 1", "--scope", "data:ingest", "--json", config=config).output)
    listed = run("key", "list", "--json", config=config).output
    assert made["key"].split("_")[2] not in listed
    assert json.loads(listed)[0]["scopes"] == ["data:ingest"]
    assert "is revoked" in run("key", "revoke", made["prefix"], config=config).output
    assert json.loads(run("key", "list", "--json", config=config).output)[0]["revoked_at"] is not None
    assert "line 1" in run("key", "list", config=config).output


def test_an_unknown_scope_or_key_is_refused(config: Path) -> None:
    assert run("key", "create", "x", "--scope", "everything", config=config).exit_code == 2
    assert run("key", "create", "x", config=config).exit_code == 2
    assert run("key", "revoke", "nope", config=config).exit_code == 1


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("12h", NOW + timedelta(hours=12)),
        ("30d", NOW + timedelta(days=30)),
        ("8w", NOW + timedelta(weeks=8)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_span_or_a_date(text: str, ends: datetime) -> None:
    assert expiry(text, now=NOW) == ends


@pytest.mark.parametrize("text", ["soon", "30", "d", "-1d", "2020-01-01", "30m"])
def test_an_expiry_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="--expires"):
        expiry(text, now=NOW)


def test_the_doctor_names_what_is_wrong_and_what_to_do(config: Path) -> None:
    found = run("doctor", "--json", config=config)
    checks = {check["name"]: check for check in json.loads(found.output)}
    assert found.exit_code == 1
    assert checks["records"]["is_well"]
    assert checks["readings"]["is_well"]
    assert checks["keys"]["fix"].startswith("lineside-cloud key create")
    assert checks["ingest"]["fix"] == "lineside-cloud serve"


def test_the_doctor_sees_that_nothing_was_set_up(tmp_path: Path) -> None:
    config = tmp_path / "lineside-cloud.yaml"
    config.write_text("data: nowhere\nmqtt: null\n")
    found = run("doctor", config=config)
    assert found.exit_code == 1
    assert "lineside-cloud init" in found.output
    assert "Traceback" not in found.output


def test_commands_on_records_of_another_age_say_migrate(tmp_path: Path) -> None:
    config = tmp_path / "lineside-cloud.yaml"
    config.write_text("mqtt: null\n")
    refused = run("key", "list", config=config)
    assert refused.exit_code == 1
    assert "lineside-cloud migrate" in refused.output
    assert run("migrate", config=config).exit_code == 0
    assert run("key", "list", config=config).exit_code == 0


def test_a_wrong_configuration_is_told_in_words(tmp_path: Path) -> None:
    config = tmp_path / "lineside-cloud.yaml"
    config.write_text("prot: 1\n")
    refused = run("doctor", config=config)
    assert refused.exit_code == 1
    assert "prot: unknown key" in refused.output


def test_the_document_is_printed_for_both_mounts() -> None:
    runner = CliRunner()
    assert "/api/v1/devices" in json.loads(runner.invoke(app, ["openapi"]).output)["paths"]
    assert "/api/devices" in json.loads(runner.invoke(app, ["openapi", "--aliases"]).output)["paths"]
    assert runner.invoke(app, ["version"]).output.strip()
