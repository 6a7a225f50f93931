"""The four programs of the demo in one directory: how each is configured, started, and seen to be up."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from deploy.broker import broker_command, find_mosquitto, listens
from deploy.fetch import answers
from deploy.ports import free_port
from deploy.supervise import Program

GATEWAY = "demo-gateway"
PLANT, BROKER, CLOUD, AGENT = "plant", "broker", "cloud", "agent"
MAX_UNSEALED_S = 0.25
PLANT_FILE = "demo"


@dataclass(frozen=True)
class Recording:
    """A recording to serve in place of the plant, and how many times faster than it was taken."""

    path: Path
    speed: float


@dataclass(frozen=True)
class Line:
    """Everything that the demo runs, below one directory; seed None draws a new one."""

    directory: Path
    broker_port: int
    api_port: int
    watch_port: int
    seed: int | None = None
    recording: Recording | None = None
    poll_s: float | None = None

    @classmethod
    def lay(cls, directory: Path, *, seed: int | None, recording: Recording | None, poll_s: float | None) -> "Line":
        """Return a line on free loopback ports."""
        directory.mkdir(parents=True, exist_ok=True)
        return cls(directory, free_port(), free_port(), free_port(), seed, recording, poll_s)

    @property
    def truth(self) -> Path:
        """Return the file in which the plant writes down what it served."""
        return self.directory / "truth.jsonl"

    @property
    def plant_ready(self) -> Path:
        """Return the file that says where the plant's machines are."""
        return self.directory / "plant.json"

    @property
    def agent_config(self) -> Path:
        """Return the agent's configuration."""
        return self.directory / "agent.yaml"

    @cached_property
    def mosquitto(self) -> str | None:
        """Return Mosquitto's path, or None where the demo's own broker must do."""
        return find_mosquitto()

    @property
    def key(self) -> str:
        """Return the API key that the cloud made for the demo."""
        return (self.directory / "key").read_text().strip()

    @property
    def url(self) -> str:
        """Return where the API is."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def status_url(self) -> str:
        """Return where the agent tells of itself."""
        return f"http://127.0.0.1:{self.watch_port}/status"

    def prepare_cloud(self) -> Sequence[str]:
        """Write the cloud's configuration and return the command that makes its databases and its first key."""
        settings = {
            "data": "cloud",
            "api": {"port": self.api_port},
            "mqtt": {"port": self.broker_port},
            # Who opens the console on this machine is in at once; nobody else reaches a loopback address.
            "auth": {"anonymous": True},
            # A laptop's disk may be fuller than a server's; the guard is not what the demo shows.
            "store": {"minimum_free": 0.005},
        }
        self._cloud_config.write_text(yaml.safe_dump(settings, sort_keys=False))
        config = str(self._cloud_config)
        return (*command("lineside-cloud"), "init", "--config", config, "--key-file", str(self.directory / "key"))

    def teach_cloud(self) -> Sequence[str]:
        """Return the command that gives the cloud models of the machines, and the gateway its key and root."""
        taught = (str(self._cloud_config), PLANT_FILE, str(self.seed or 0), str(self.directory))
        return (sys.executable, "-m", "deploy.teach", *taught)

    def write_agent_config(self) -> None:
        """Complete the configuration that the plant wrote: where to buffer, what to show on which port."""
        written = yaml.safe_load((self.directory / "plant-agent.yaml").read_text())
        written["buffer"] = {"path": str(self.directory / "buffer.db"), "max_unsealed_s": MAX_UNSEALED_S}
        written["watch"] = {"port": self.watch_port}
        if self.recording is None:
            written["detect"] = True
            written["models"] = {
                "directory": str(self.directory / "models"),
                "url": self.url,
                "key": f"file:{self.directory / 'gateway.key'}",
                "root": str(self.directory / "root.json"),
            }
        for device in written["devices"]:
            if self.poll_s is not None:
                device["period_s"] = self.poll_s
        self.agent_config.write_text(yaml.safe_dump(written, sort_keys=False))

    def plant(self) -> Program:
        """Return the simulated plant, or the recording in its place."""
        serve = [*command("lineside-sim"), "serve", "--truth", str(self.truth), "--ready-file", str(self.plant_ready)]
        serve += ["--agent-config", str(self.directory / "plant-agent.yaml"), "--gateway", GATEWAY]
        serve += ["--broker", f"127.0.0.1:{self.broker_port}", "--certificates", str(self.directory / "certificates")]
        if self.recording is not None:
            serve += ["--replay", str(self.recording.path), "--speed", str(self.recording.speed)]
        else:
            serve.append(PLANT_FILE)
        if self.seed is not None:
            serve += ["--seed", str(self.seed)]
        return Program(PLANT, serve, self._log(PLANT), self.plant_ready.exists)

    def broker(self) -> Program:
        """Return the broker."""
        start = broker_command(self.directory, self.broker_port, mosquitto=self.mosquitto)
        return Program(BROKER, start, self._log(BROKER), lambda: listens(self.broker_port))

    def cloud(self) -> Program:
        """Return the cloud: ingest and API under their supervisor."""
        serve = [*command("lineside-cloud"), "serve", "--config", str(self._cloud_config)]
        return Program(CLOUD, serve, self._log(CLOUD), lambda: answers(f"{self.url}/health/live"))

    def agent(self) -> Program:
        """Return the agent."""
        run = [*command("lineside-agent"), "run", str(self.agent_config)]
        return Program(AGENT, run, self._log(AGENT), lambda: listens(self.watch_port))

    def buffer_stats(self) -> Sequence[str]:
        """Return the command that tells what waits in the stopped agent's buffer."""
        return (*command("lineside-agent"), "buffer", "stats", str(self.agent_config), "--json")

    @property
    def _cloud_config(self) -> Path:
        return self.directory / "lineside-cloud.yaml"

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"


def command(name: str) -> Sequence[str]:
    """Return how to run one of our commands: beside the Python that runs this one."""
    beside = Path(sys.executable).parent / name
    return (str(beside),) if beside.exists() else (name,)
