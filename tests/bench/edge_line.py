"""The line that is measured: Modbus server, broker, store and agent, each a process of its own, in one directory."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.request import urlopen

import yaml

from deploy.ports import free_port
from edge_agent.watch.status import AgentStatus, decode
from tests.bench.edge_cloud import CloudProcess
from tests.bench.edge_server import REGISTERS, STAMP_REGISTERS
from tests.bench.edge_store import StoreProcess
from tests.bench.measure import Sample, Watched, wait_until
from tests.support.broker import Broker

GATEWAY = "bench"
OPCUA_PERIOD_S = 0.5
ENDING_S = 15.0
MakeStore = type[StoreProcess] | type[CloudProcess]


@dataclass(frozen=True, slots=True)
class Wish:
    """How the agent is to be set up.

    has_stamp: read the two registers that hold a time as one number; registers: how many are read; opcua: an address
    and the nodes to read there.
    """

    has_modbus: bool = True
    has_stamp: bool = False
    registers: int = REGISTERS
    period_s: float = 0.1
    max_unsealed_s: float = 0.25
    opcua: tuple[str, Sequence[str]] | None = None


@contextmanager
def helper(module: str, *arguments: str) -> Iterator[str]:
    """Run one of our programs in a process of its own; yield the first line it says."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def configuration(wish: Wish, *, modbus_port: int, broker_port: int, watch_port: int) -> str:
    """Return the agent's settings as YAML: one int16 Tag a register."""
    devices = []
    if wish.has_modbus:
        stamp = [{"name": "stamp", "address": 0, "type": "uint32"}] if wish.has_stamp else []
        numbers = range(STAMP_REGISTERS if wish.has_stamp else 0, wish.registers)
        tags = [*stamp, *({"name": f"r{at}", "address": at, "type": "int16"} for at in numbers)]
        devices.append(device("modbus", f"tcp://127.0.0.1:{modbus_port}", wish.period_s, tags))
    if wish.opcua is not None:
        address, names = wish.opcua
        nodes = [{"name": name, "node": f"ns=2;s={name}"} for name in names]
        devices.append(device("opcua", address, OPCUA_PERIOD_S, nodes))
    settings = {
        "gateway": GATEWAY,
        "buffer": {"path": "buffer.db", "max_unsealed_s": wish.max_unsealed_s},
        "uplink": {"host": "127.0.0.1", "port": broker_port},
        "watch": {"port": watch_port, "log_level": "warning"},
        "devices": devices,
    }
    return yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=200)


def device(protocol: str, url: str, period_s: float, tags: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return one Device as a configuration says it."""
    return {"id": f"bench-{protocol}", "protocol": protocol, "url": url, "period_s": period_s, "tags": list(tags)}


class AgentProcess:
    """`lineside-agent run` in a fresh process and a fresh directory; stops in order at the end. A context manager."""

    def __init__(self, directory: Path, wish: Wish, *, modbus_port: int, broker_port: int) -> None:
        self.directory = directory
        self._watch_port = free_port()
        self._config = directory / "agent.yaml"
        ports = {"modbus_port": modbus_port, "broker_port": broker_port, "watch_port": self._watch_port}
        self._config.write_text(configuration(wish, **ports))
        self._process: subprocess.Popen[bytes]
        self.spawned_at_s = 0.0

    def __enter__(self) -> Self:
        program = str(Path(sys.executable).with_name("lineside-agent"))
        # compiled modules are kept, as on a gateway
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [program, "run", str(self._config)]
        self.spawned_at_s = monotonic()
        self._process = subprocess.Popen(command, cwd=self.directory, env=environment)
        self.watched = Watched(self._process.pid)
        return self

    def status(self) -> AgentStatus:
        """Return what the agent says of itself."""
        with urlopen(f"http://127.0.0.1:{self._watch_port}/status", timeout=10) as answer:
            return decode(answer.read())

    def buffer_bytes(self) -> int:
        """Return how large the buffer's files are."""
        return sum(path.stat().st_size for path in self.directory.glob("buffer.db*"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the line is at one moment, by the store's count and the agent's process."""

    agent: Sample
    readings: int
    batches: int
    wire_bytes: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stays while agents come and go."""

    directory: Path
    broker: Broker
    store: StoreProcess | CloudProcess
    modbus_port: int

    @contextmanager
    def agent(self, wish: Wish) -> Iterator[AgentProcess]:
        """Run an agent with an empty buffer."""
        with TemporaryDirectory(dir=self.directory) as own, ExitStack() as stack:
            ports = {"modbus_port": self.modbus_port, "broker_port": self.broker.port}
            yield stack.enter_context(AgentProcess(Path(own), wish, **ports))

    def reached(self, agent: AgentProcess) -> Reached:
        """Return how far the line is now."""
        store = self.store
        return Reached(agent.watched.sample(), store.readings, store.batches, store.wire_bytes)

    def wait_for_flow(self, *, readings: int = 5_000) -> None:
        """Wait until this many more readings are in the store."""
        before = self.store.readings
        wait_until(lambda: self.store.readings - before >= readings, "readings arrive in the store")


@contextmanager
def surroundings(directory: Path, make_store: MakeStore, *, stamp_every_s: float = 1.0) -> Iterator[Surroundings]:
    """Run server, broker and store for as long as the block lasts."""
    with ExitStack() as stack:
        own = Path(stack.enter_context(TemporaryDirectory(dir=directory)))
        port = stack.enter_context(helper("tests.bench.edge_server", "--stamp-every-s", str(stamp_every_s)))
        broker = stack.enter_context(Broker(own / "broker"))
        store: StoreProcess | CloudProcess = make_store(own, broker.port)
        stack.enter_context(store)
        yield Surroundings(own, broker, store, int(port))
