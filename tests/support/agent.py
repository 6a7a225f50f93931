"""AgentProcess: a real `lineside-agent run` in a directory of its own, with the Devices that a test names."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.ports import free_port
from tests.support.waiting import wait_until

COMMAND = (sys.executable, "-c", "from edge_agent.cli import main; main()")
STOP_S = 40.0
TEMPLATE = """\
gateway: gw-1
buffer: {{path: buffer.db, max_size_mib: 16, max_unsealed_s: {max_unsealed_s}}}
uplink: {uplink}
watch: {{port: {port}}}
devices:
{devices}
"""


def modbus_device(port: int, *, name: str = "pump-1", tags: int = 4, more: str = "") -> str:
    """Return the lines of a Device with so many int16 registers, polled each 50 ms."""
    lines = [
        f"  - id: {name}",
        "    protocol: modbus",
        f"    url: tcp://127.0.0.1:{port}",
        "    period_s: 0.05",
        "    timeout_s: 0.5",
        "    tags:",
        *(f"      - {{name: r{i}, address: {i}, type: int16{more}}}" for i in range(tags)),
    ]
    return "\n".join(lines)


class AgentProcess:
    """One agent; the log is what it wrote to standard error. A context manager that kills what is left."""

    def __init__(self, directory: Path, *, devices: str, uplink: str, max_unsealed_s: float = 0.05) -> None:
        self.port = free_port()
        self.config = directory / "agent.yaml"
        self.log = directory / "agent.log"
        text = TEMPLATE.format(port=self.port, devices=devices, uplink=uplink, max_unsealed_s=max_unsealed_s)
        self.config.write_text(text)
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            command = [*COMMAND, "run", str(self.config)]
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, **self.environment})

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def get(self, path: str) -> bytes | None:
        """Return what a path of the watch answers, whatever its status; None where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.read()
        except OSError:
            return None

    def status(self) -> dict[str, Any]:
        """Return the status document, empty where nobody answers."""
        found: dict[str, Any] = json.loads(self.get("/status") or b"{}")
        return found

    def events(self) -> list[str]:
        """Return what the log says, line by line."""
        return [str(json.loads(line)["event"]) for line in self.log.read_text().splitlines()]

    def wait_for_values(self) -> None:
        """Return once every Tag has a good value."""
        wait_until(lambda: {row["quality"] for row in self.status().get("values", [])} == {"good"})

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command on this agent's configuration and return what it printed."""
        command = [*COMMAND, *words, str(self.config)]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
