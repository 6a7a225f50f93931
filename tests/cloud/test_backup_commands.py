"""The commands backup and restore: what they print, and how they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from tests.support.ingest import EPOCH, data, tags
from tests.support.installation import Installation

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Give an installation as `init` makes it."""
    directory = tmp_path_factory.mktemp("installed")
    here = Installation(directory)
    assert RUNNER.invoke(app, ["init", "--config", str(here.config)]).exit_code == 0
    here.store(tags(1), data(2))
    return here


def run(here: Installation, *words: str) -> Result:
    return RUNNER.invoke(app, [*words, "--config", str(here.config)])


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_backup_is_taken_marked_thinned_out_and_restored(made: Installation) -> None:
    first = told(run(made, "backup", str(made.backups), "--no-mark", "--json"))
    assert (first["epochs_told"], made.archived(EPOCH)) == (None, 0)
    second = told(run(made, "backup", str(made.backups), "--keep", "1", "--json"))
    assert (second["epochs_told"], made.archived(EPOCH)) == (1, 2)
    assert second["removed"] == [first["path"]]
    shown = run(made, "backup", str(made.backups))
    assert "verified" in shown.stdout
    assert "offline-keys is not in it: move that folder off this server" in shown.stderr
    refused = run(made, "restore", second["path"])
    assert (refused.exit_code, "error: " in refused.stderr, "--force" in refused.stderr) == (1, True, True)
    restored = told(run(made, "restore", second["path"], "--force", "--json"))
    assert restored["generation"] == made.generation()
    assert Path(restored["aside"]).is_dir()
    again = run(made, "restore", second["path"], "--force")
    assert "Start lineside-cloud serve" in again.stdout
    assert made.generation() > restored["generation"]


def test_a_backup_that_cannot_be_taken_or_restored_ends_with_1_and_says_why(made: Installation) -> None:
    for words, problem in (
        (("restore", "nowhere"), "is no complete backup"),
        (("backup", str(made.data / "inside")), "lies in the data directory"),
        (("backup", str(made.config)), "exists"),
    ):
        refused = run(made, *words)
        assert (refused.exit_code, problem in refused.stderr) == (1, True), refused.output


def test_serve_refuses_while_a_restore_is_not_finished(made: Installation) -> None:
    made.settings.restore_marker_path.touch()
    refused = run(made, "serve")
    assert (refused.exit_code, "a restore was cut short: run it again" in refused.stderr) == (1, True)
    made.settings.restore_marker_path.unlink()
