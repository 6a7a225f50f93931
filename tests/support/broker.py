"""Broker: a real mosquitto on a free loopback port, with a start, a stop, a kill and a restart."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.ports import free_port

_START_S = 60.0
_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence false
set_tcp_nodelay true
max_queued_messages 10000
max_inflight_messages 100
log_type error
log_type warning
"""


def mosquitto() -> str:
    """Return the path of the mosquitto program; raise RuntimeError that says what to install."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    return path


class Broker:
    """One mosquitto in a directory of its own; the port stays the same over restarts. A context manager.

    extra: more lines for its configuration file, whose listeners are the further `ports`;
    anonymous: whether clients without a user name are let in.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        extra: str = "",
        anonymous: bool = True,
    ) -> None:
        self.host = "127.0.0.1"
        self.port = port if port is not None else free_port()
        listeners = re.findall(r"^listener (\d+)", extra, re.MULTILINE)
        self.ports = (self.port, *map(int, listeners))
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "mosquitto.log"
        self._config = directory / "mosquitto.conf"
        directory.mkdir(parents=True, exist_ok=True)
        text = _CONFIG.format(port=self.port, anonymous=str(anonymous).lower())
        as_root = "user root\n" if os.geteuid() == 0 else ""  # else it gives root up and cannot read our directory
        self._config.write_text(text + as_root + extra)

    @property
    def is_running(self) -> bool:
        """Return whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and wait until it takes connections; raise RuntimeError with its log where it does not."""
        if self.is_running:
            return self
        with self._log.open("ab") as log:
            command = [mosquitto(), "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self.is_running:
            if self._answers():
                return self
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"mosquitto did not start on port {self.port}:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it in order (SIGTERM)."""
        self._end("terminate")

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._end("kill")

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def _answers(self) -> bool:
        try:
            for port in self.ports:
                socket.create_connection((self.host, port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        getattr(process, how)()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
