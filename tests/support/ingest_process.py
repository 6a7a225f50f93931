"""IngestProcess: an ingest with the chunk store in a process of its own, with a way to die between commit and ack.

Run as `python -m tests.support.ingest_process DIRECTORY PORT`; port 0: no broker. It kills itself, as kill -9 would,
between the next commit and its acks once there is a file named `die` in the directory.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from cloud.clock import SystemClock
from cloud.ingest.worker import IngestParts, run_ingest
from cloud.sections.readings import MqttSettings
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from tests.support.waiting import wait_until


class IngestProcess:
    """A context manager; the process is killed at its end if it still lives."""

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.door = directory / "intake.sock"
        self.readings = directory / "readings.db"
        self._ready = directory / "ready"
        self._die = directory / "die"
        self._command = [sys.executable, "-m", __name__, str(directory), str(port)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None
        return self._process.pid

    def wait_dead(self) -> int:
        """Wait until it has ended; return its code, or the negative number of the signal."""
        assert self._process is not None
        return self._process.wait(timeout=20)

    def die_at_next_commit(self) -> None:
        """Let it be killed after its next commit, before anybody hears of that."""
        self._die.touch()

    def stop(self) -> int:
        """End it in order and return its code."""
        assert self._process is not None
        self._process.terminate()
        return self.wait_dead()

    def __enter__(self) -> Self:
        self._ready.unlink(missing_ok=True)
        self._die.unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command)
        wait_until(self._ready.exists)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def _die_if(wanted: Path) -> None:
    if wanted.exists():
        os.kill(os.getpid(), signal.SIGKILL)


async def _serve(directory: Path, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock = SystemClock()
    database = Database(directory / "readings.db", minimum_free=0.0)
    store = ChunkStore(database, clock)
    mqtt = MqttSettings(port=port) if port else None
    parts = IngestParts(store, database, clock, directory / "intake.sock", mqtt)
    ready, die = directory / "ready", directory / "die"
    await run_ingest(parts, stop=stop, ready=ready.touch, committed=lambda: _die_if(die))
    store.close()
    database.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
