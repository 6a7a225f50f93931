"""Stage: the real line - plant, broker, agent, cloud - with people who log in, for a browser to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from deploy.control import ask_plant
from deploy.fetch import Api, ask
from deploy.line import AGENT, BROKER, CLOUD, GATEWAY, PLANT, Line
from deploy.outcome import judged
from deploy.supervise import Supervisor, run_to_end
from firmware_sim.endpoints import read_ready
from tests.console.wire import Wire
from tests.support.waiting import wait_until

PASSWORD = "correct-horse-battery-7"  # noqa: S105 - of users that live as long as a test
ADMIN, OPERATOR, VIEWER = "ada", "olaf", "vera"
PEOPLE = {ADMIN: "admin", OPERATOR: "operator", VIEWER: "viewer"}
ZONE = "Asia/Kolkata"
"""Five hours and a half ahead: a time in another zone is seen at once."""
READY_S = 120.0
SEED = 11
MORE: Mapping[str, Any] = {
    # Tests log people in more often than people do.
    "limits": {"routes": {"login": "1000/minute", "refresh": "1000/minute"}},
    "scaling": {"automatic": False},
    "auth": {"anonymous": False},
}


@dataclass
class Stage:
    """Everything that runs, and what a test asks of it beside the browser. A context manager.

    wire: from browsers to the API; uplink: from the gateway to the broker.
    """

    directory: Path
    supervisor: Supervisor = field(default_factory=Supervisor)
    more: Mapping[str, Any] = field(default_factory=lambda: MORE)

    def __post_init__(self) -> None:
        self.line = Line.lay(self.directory, seed=SEED, recording=None, poll_s=None)
        self.wire = Wire(self.line.api_port)
        self.uplink = Wire(self.line.broker_port, is_http=False)

    def __enter__(self) -> Self:
        self.wire.__enter__()
        self.uplink.__enter__()
        try:
            self._prepare()
            self._start()
            self._people()
            self._send_models()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.supervisor.stop_all()
        self.uplink.__exit__(kind, error, trace)
        self.wire.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Return where a browser goes."""
        return self.wire.url

    @property
    def machines(self) -> Sequence[str]:
        """Return the ids of all Devices."""
        return sorted(machine.machine for machine in read_ready(self.line.plant_ready).machines)

    def client(self) -> httpx.Client:
        """Return a client with the administrator's key, straight at the API."""
        return httpx.Client(base_url=f"{self.line.url}/api/v1", headers={"X-API-Key": self.line.key}, timeout=30)

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        """Return what the API answers an administrator."""
        with self.client() as client:
            return client.get(path, params=query).raise_for_status().json()

    def fault(self, machine: str, kind: str, *, sigma: float = 6.0, for_s: float = 20.0) -> None:
        """Let a machine fail now, for so long."""
        asked = {"do": "fault", "machine": machine, "kind": kind, "sigma": sigma, "for_s": for_s}
        answer = ask_plant(self.line.plant_ready, asked)
        assert answer.get("ok"), answer

    def kill(self, name: str) -> None:
        """SIGKILL a program."""
        self.supervisor.kill(name)

    def restart(self, name: str) -> None:
        """Start it again and wait until it is up."""
        self.supervisor.restart(name)
        self.supervisor.wait_until_up(name)

    def _prepare(self) -> None:
        command = self.line.prepare_cloud()
        config = self.directory / "lineside-cloud.yaml"
        settings = yaml.safe_load(config.read_text()) | dict(self.more)
        config.write_text(yaml.safe_dump(settings, sort_keys=False))
        run_to_end(command, self.directory / "init.log")
        run_to_end(self.line.teach_cloud(), self.directory / "teach.log")

    def _start(self) -> None:
        for program in (self.line.broker(), self.line.plant(), self.line.cloud()):
            self.supervisor.spawn(program)
        self.supervisor.wait_until_up(PLANT, timeout_s=READY_S)
        self.line.write_agent_config()
        config = yaml.safe_load(self.line.agent_config.read_text())
        config["uplink"]["port"] = self.uplink.port
        self.line.agent_config.write_text(yaml.safe_dump(config, sort_keys=False))
        self.supervisor.spawn(self.line.agent())
        for name in (BROKER, CLOUD, AGENT):
            self.supervisor.wait_until_up(name, timeout_s=READY_S)

    def _people(self) -> None:
        with self.client() as client:
            for name, role in PEOPLE.items():
                body = {"username": name, "email": f"{name}@plant.example", "password": PASSWORD, "role": role}
                assert client.post("/users", json=body).status_code == 201
            assert client.put("/settings", json={"general": {"timezone": ZONE}}).is_success

    def _send_models(self) -> None:
        """Let the gateway have the models that the cloud was taught, and wait until each judges its machine."""
        wanted = set(self.machines)
        with Api(self.line.url, self.line.key) as api:
            wait_until(
                lambda: wanted <= {str(one["device"]) for one in api.models(GATEWAY)}, deadline_s=READY_S, every_s=0.1
            )
            assert all(api.roll_out(machine, machine) for machine in sorted(wanted))
        wait_until(lambda: wanted <= judged(ask(self.line.status_url)), deadline_s=READY_S, every_s=0.1)
