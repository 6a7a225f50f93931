"""The commands that see to users and to the keys of tokens."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from tests.support.people import PASSWORD


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lineside-cloud.yaml"
    assert run("init", config=path).exit_code == 0
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return path


def run(*arguments: str, config: Path, typed: str = "") -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], input=typed)


def make(config: Path, name: str, role: str = "user") -> Result:
    password = str(config.parent / "password")
    mail = f"{name}@example.com"
    return run("user", "create", name, "--email", mail, "--role", role, "--password-file", password, config=config)


def users(config: Path) -> dict[str, dict[str, object]]:
    return {one["username"]: one for one in json.loads(run("user", "list", "--json", config=config).output)}


def test_init_writes_a_set_up_token_for_its_owner_only_until_there_is_a_user(config: Path) -> None:
    token = config.parent / "data" / "setup-token"
    first = token.read_text()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE((config.parent / "data" / "token-keys.json").stat().st_mode) == 0o600
    run("init", config=config)
    assert token.read_text() == first
    token.unlink()
    run("init", config=config)
    assert token.read_text() != first
    make(config, "root", "admin")
    token.unlink()
    assert "first administrator" not in run("init", config=config).output
    assert not token.exists()


def test_users_are_made_listed_changed_shut_out_let_in_and_deleted(config: Path) -> None:
    make(config, "root", "admin")
    assert "may log in as operator" in make(config, "bob", "operator").output
    run("user", "role", "bob", "viewer", config=config)
    run("user", "disable", "bob", config=config)
    assert (users(config)["bob"]["role"], users(config)["bob"]["disabled"]) == ("viewer", True)
    assert "shut out" in run("user", "list", config=config).output
    run("user", "enable", "BOB", config=config)
    assert users(config)["bob"]["disabled"] is False
    run("user", "delete", "bob", config=config)
    assert list(users(config)) == ["root"]


def test_a_password_is_asked_for_twice_and_checked(config: Path) -> None:
    make(config, "root", "admin")
    good = run("user", "password", "root", config=config, typed="another fine phrase\nanother fine phrase\n")
    weak = run("user", "password", "root", config=config, typed="short\nshort\n")
    assert (good.exit_code, weak.exit_code) == (0, 1)
    assert "10 to 200 characters" in weak.output
    assert "another fine phrase" not in good.output


def test_what_cannot_be_is_refused_in_words(config: Path) -> None:
    make(config, "root", "admin")
    assert "already exists" in make(config, "ROOT").output
    assert "last administrator" in run("user", "delete", "root", config=config).output
    assert "there is no user eve" in run("user", "disable", "eve", config=config).output
    assert run("user", "role", "root", "king", config=config).exit_code == 2


def test_an_invite_and_a_rotated_key_are_shown_once(config: Path) -> None:
    invited = run("user", "invite", "--role", "operator", "--hours", "2", config=config)
    assert "It makes one operator" in invited.output
    made = json.loads(run("key", "create", "line 1", "--scope", "data:ingest", "--json", config=config).output)
    rotated = json.loads(run("key", "rotate", made["prefix"], "--json", config=config).output)
    assert rotated["new"]["rotated_from"] == made["prefix"] == rotated["old"]["prefix"]
    assert rotated["old"]["expires_at"] is not None
    assert "KEY" not in run("key", "rotate", made["prefix"], config=config).output
    assert run("key", "rotate", made["prefix"], config=config).exit_code == 1


def test_the_keys_of_tokens_are_rotated_and_voided(config: Path) -> None:
    path = config.parent / "data" / "token-keys.json"
    assert "signed with the key" in run("user", "rotate-tokens", config=config).output
    assert len(json.loads(path.read_text())["keys"]) == 2
    assert "everybody has to log in again" in run("user", "rotate-tokens", "--now", config=config).output
    assert len(json.loads(path.read_text())["keys"]) == 1
