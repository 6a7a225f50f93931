"""Plants for tests: one inside the test's own loop, and one as the real program; both with real sockets."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from firmware_sim.clock import SystemClock
from firmware_sim.endpoints import Endpoint, Ready, read_ready
from firmware_sim.plant import Plant
from firmware_sim.serve import Serving
from firmware_sim.truth import Truth, read_truth
from firmware_sim.wiring import Works, build

START_S = 60.0


def modbus_plant(*machines: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return a plant document with one Modbus TCP server `line`; each machine may leave out server and type."""
    fallback = {"type": "pump", "server": "line", "period_s": 0.05}
    return {
        "plant": "test",
        "seed": 3,
        "servers": [{"id": "line", "protocol": "modbus-tcp"}],
        "machines": [fallback | dict(machine) for machine in machines],
    } | more


@dataclass(frozen=True, slots=True)
class RunningPlant:
    """A plant inside this process; its truth can be read at any time."""

    works: Works
    ready: Ready

    def endpoint(self, machine: str) -> Endpoint:
        """Return where a machine is."""
        return self.ready.endpoint(machine)

    def port(self, machine: str) -> int:
        """Return the port of a machine's server."""
        return int(self.endpoint(machine).url.rpartition(":")[2])

    def truth(self) -> Truth:
        """Return what was served so far."""
        self.works.truth.flush()
        return read_truth(Path(self.ready.truth))

    async def ask(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Send one request to the control port and return its answer."""
        host, _, port = self.ready.control.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return answer

    async def calm(self) -> None:
        """Wait until no mischief goes on."""
        async with asyncio.timeout(60):
            while (await self.ask(do="status"))["mischiefs"]:  # noqa: ASYNC110 - the plant has no event to wait for
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running_plant(folder: Path, document: Mapping[str, Any]) -> AsyncIterator[RunningPlant]:
    """Run a plant in the test's loop until the block ends; folder: for the truth, certificates and recordings."""
    clock, truth = SystemClock(), folder / "truth.jsonl"
    plant = Plant.model_validate(document)
    works = build(plant, folder=folder, truth_path=truth, certificates=folder / "certificates", clock=clock)
    serving, listening = Serving(works, clock), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serving.run(listening.set_result, str(truth)))
    await asyncio.wait([task, listening], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield RunningPlant(works, listening.result())
    finally:
        serving.stop()
        await task


class PlantProcess:
    """`lineside-sim serve` as a process of its own; a context manager that ends it by SIGTERM."""

    def __init__(self, folder: Path, document: Mapping[str, Any], *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.truth_path = folder / "truth.jsonl"
        self._ready_file = folder / "plant.json"
        self._ready_file.unlink(missing_ok=True)
        self._plant = folder / "plant.yaml"
        self._plant.write_text(yaml.safe_dump(dict(document)))
        self._log = folder / "plant.log"
        self._arguments = arguments

    def __enter__(self) -> Self:
        program = [sys.executable, "-c", "from firmware_sim.cli import main; main()", "serve", str(self._plant)]
        files = ["--truth", str(self.truth_path), "--ready-file", str(self._ready_file)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([*program, *files, *self._arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not self._ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the plant did not come up: {self._log.read_text()}")
            time.sleep(0.02)
        self.ready = read_ready(self._ready_file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)

    def truth(self) -> Truth:
        """Return what was served; whole once the process has ended."""
        return read_truth(self.truth_path)

    def ask(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Send one request to the control port and return its answer."""
        host, _, port = self.ready.control.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rwb") as lines:
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            answer: dict[str, Any] = json.loads(lines.readline())
        return answer
