"""A Modbus Device as a process of its own, for tests that run whole agents."""

import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def modbus_port() -> Iterator[int]:
    """Return the port of a server whose register `i` changes each 10 ms."""
    command = [sys.executable, "-m", "tests.support.modbus_server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline().rsplit(" ", 1)[1])
        server.kill()
