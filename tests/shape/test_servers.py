"""Without the real servers `make test` says what to install and fails: it never goes on without them."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.shape.sources import ROOT

SCRIPT = (ROOT / "deploy/setup/servers.sh").read_text().replace("/usr/sbin/", "/nowhere/sbin/")


class Machine:
    """A machine whose PATH holds only what a test puts there; commands append their words to a file."""

    def __init__(self, directory: Path) -> None:
        self._bin = directory / "bin"
        self._bin.mkdir()
        self._script = directory / "servers.sh"
        self._script.write_text(SCRIPT)
        self.done = directory / "done"

    def has(self, command: str, does: str = "") -> None:
        """Put a command there."""
        path = self._bin / command
        path.write_text(f'#!/bin/sh\necho "{command} $*" >>"{self.done}"\n{does}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, *more: str) -> "subprocess.CompletedProcess[str]":
        """Run the script."""
        environment = {**os.environ, "PATH": str(self._bin)}
        command = ["/bin/sh", str(self._script), *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def did(self) -> list[str]:
        """Return what was run, in order."""
        return self.done.read_text().splitlines() if self.done.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_root_and_without_mosquitto_it_says_what_to_install_and_fails(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.has("apt-get")
    told = machine.run()
    assert told.returncode == 1
    assert "sudo apt-get install mosquitto" in told.stderr
    assert not any(line.startswith("apt-get") for line in machine.did())


def test_as_root_it_installs_what_is_missing(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get")
    assert machine.run().returncode == 0
    assert [line for line in machine.did() if line.startswith("apt-get")][-1].endswith("mosquitto")


def test_a_failed_installation_fails(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get", "exit 100")
    assert machine.run().returncode != 0


def test_as_root_without_a_package_manager_it_says_what_is_missing_and_fails(machine: Machine) -> None:
    machine.has("id", "echo 0")
    told = machine.run()
    assert told.returncode == 1
    assert "mosquitto" in told.stderr


def test_what_is_there_is_left_alone(machine: Machine) -> None:
    machine.has("mosquitto")
    assert machine.run().returncode == 0
    assert machine.did() == []


@pytest.mark.parametrize("target", ["test", "test-quick", "bench-edge", "bench-cloud"])
def test_make_asks_for_the_servers_before_anything_talks_to_them(target: str) -> None:
    steps = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    asks = steps.index("deploy/setup/servers.sh")
    assert asks < min(at for at in (steps.find("pytest -m"), steps.find("tests.bench")) if at >= 0)


def test_no_test_is_skipped_for_want_of_a_broker() -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    both = [path.name for path in tests if "Broker(" in path.read_text() and "pytest.skip" in path.read_text()]
    assert both == []
    support = (ROOT / "tests/support/broker.py").read_text()
    assert "raise RuntimeError" in support
    assert "skip" not in support
