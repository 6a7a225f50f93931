"""Cloud: a whole cloud for a test, either inside the test's event loop or as real processes."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np

from cloud.clock import SystemClock
from cloud.config import Settings, parse_settings
from cloud.domain.scopes import Scope
from cloud.ingest.worker import IngestParts, run_ingest
from cloud.operations.pulse import Pulse
from cloud.ports import Arrival, Written
from cloud.processes.ingest import open_readings
from cloud.setup import migrate
from cloud.storage.chunks.store import ChunkStore
from cloud.wiring import Api, open_api
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable

BASE = "http://localhost"
_START_S = 90.0
_STOP_S = 30.0


class MovedClock(SystemClock):
    """The real time plus what a test adds."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return super().now_us() + round(self.ahead_s * 1e6)

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return super().monotonic_s() + self.ahead_s


@dataclass(frozen=True, slots=True)
class Template:
    """A data directory with both databases migrated and empty, to be copied for each test."""

    directory: Path

    @classmethod
    def make(cls, directory: Path) -> Self:
        """Make it."""
        migrate(settings_in(directory), SystemClock())
        return cls(directory)

    def copy_to(self, directory: Path) -> None:
        """Give a test its own."""
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)


def settings_in(directory: Path, **more: Any) -> Settings:  # noqa: ANN401 sections of a YAML file
    """Return settings for a data directory, without a broker."""
    return parse_settings({"mqtt": None, **more}, origin="test", base=directory)


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud inside this event loop: the real application, the real stores, the real door between them."""

    settings: Settings
    clock: MovedClock
    api: Api
    stop_ingest: asyncio.Event
    ingest: asyncio.Task[None]

    def key(self, *scopes: Scope) -> str:
        """Return a new key with these scopes."""
        return str(self.api.services.keys.create("test", scopes, by="test")[0])

    def client(self, *scopes: Scope) -> httpx.AsyncClient:
        """Return a client that carries a key with these scopes, none without any."""
        headers = {"X-API-Key": self.key(*scopes)} if scopes else {}
        transport = httpx.ASGITransport(self.api.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    async def write(self, arrival: Arrival) -> Written:
        """Store readings as the door takes them."""
        return await self.api.intake.take(arrival)

    async def end_ingest(self) -> None:
        """Let the ingest side go away."""
        self.stop_ingest.set()
        await self.ingest


def _nothing(_path: Path) -> None:
    pass


@asynccontextmanager
async def running_cloud(
    template: Template,
    directory: Path,
    *,
    prepare: Callable[[Path], None] = _nothing,
    **settings: Any,  # noqa: ANN401 sections of a YAML file
) -> AsyncIterator[Cloud]:
    """Give a cloud on a copy of the template; prepare: puts something into its readings' file before it starts."""
    template.copy_to(directory)
    prepare(directory / "readings.db")
    chosen = settings_in(directory, **settings)
    clock = MovedClock()
    stop, ready = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as stack:
        database = open_readings(chosen)
        stack.callback(database.close)
        store = ChunkStore(database, clock)
        stack.callback(store.close)
        parts = IngestParts(store=store, database=database, clock=clock, door=chosen.intake_path)
        ingest = asyncio.create_task(run_ingest(parts, stop=stop, ready=ready.set))
        stack.push_async_callback(_ended, ingest, stop)
        await asyncio.wait_for(ready.wait(), _START_S)
        api = open_api(chosen, clock)
        Pulse(api.records, clock).beat()  # as a worker does
        stack.callback(api.close)
        stack.push_async_callback(api.end)
        yield Cloud(chosen, clock, api, stop, ingest)


async def _ended(ingest: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await ingest


def arrival(  # noqa: PLR0913 each has a default; a test names the one it is about
    *,
    device: str = "pump-1",
    tag: str = "flow",
    time_us: Iterable[int],
    value: Iterable[Any],
    kind: Kind = Kind.FLOAT,
    quality: Iterable[int] | None = None,
    source: str = "gw-1",
    period_s: float = 1.0,
    texts: tuple[str, ...] = (),
    unit: str = "l/min",
) -> Arrival:
    """Return readings of one Tag as the store takes them."""
    times = np.array(list(time_us), np.int64)
    codes = np.zeros(len(times), np.uint8) if quality is None else np.array(list(quality), np.uint8)
    column = Column(kind, np.zeros(len(times), np.uint32), times, np.array(list(value), kind.dtype), codes)
    table = TagTable(
        (DeviceInfo(device, "pump", "Pump", "Hall 1"),), (TagInfo(0, tag, kind, unit, period_s, is_primary=True),)
    )
    return Arrival(source, table, ReadingBlock((column,), texts))


GOOD = int(Quality.GOOD)


class CloudServer:
    """`lineside-cloud serve` as real processes in a directory of its own. A context manager."""

    def __init__(self, directory: Path, *, mqtt: str = "mqtt: null\n", extra: str = "", port: int = 0) -> None:
        """Port: of the API, any free one where 0."""
        self.directory = directory
        self.config = directory / "lineside-cloud.yaml"
        self.ready_file = directory / "ready.json"
        self.log = directory / "serve.log"
        # Tests ask again and again for what is to come; those that are about limits say so.
        limits = "" if "limits:" in extra else "limits: {profile: high}\n"
        self.config.write_text(f"data: data\napi: {{port: {port}}}\n{mqtt}{limits}{extra}", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of lineside-cloud to its end."""
        command = [sys.executable, "-m", "cloud.cli", *arguments, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=90)

    def start(self, *arguments: str) -> Self:
        """Start it and wait until all processes serve; raise RuntimeError with the log where they do not."""
        command = [sys.executable, "-m", "cloud.cli", "serve", "--ready-file", str(self.ready_file)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*command, "--config", str(self.config), *arguments], stderr=log)
        self.wait_until_ready()
        return self

    def wait_until_ready(self, *, unlike: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the ready file's content once it is there, and other than `unlike`."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            facts = self._facts()
            if facts is not None and facts != unlike:
                return facts
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the cloud does not serve:\n{self.log.read_text()[-4000:]}")

    @property
    def facts(self) -> dict[str, Any]:
        """Return what the ready file says."""
        return self.wait_until_ready()

    @property
    def url(self) -> str:
        """Return the API's address."""
        return str(self.facts["api"])

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Return the supervisor's process."""
        assert self._process is not None
        return self._process

    def key(self, *scopes: Scope) -> str:
        """Return a new key with these scopes."""
        wanted = [argument for scope in scopes for argument in ("--scope", scope.value)]
        return self.run("key", "create", "test", *wanted).stdout.strip()

    def stop(self) -> int:
        """Stop it in order and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_S)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except RuntimeError:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def _facts(self) -> dict[str, Any] | None:
        try:
            facts: dict[str, Any] = json.loads(self.ready_file.read_text())
        except (OSError, ValueError):
            return None
        return facts
